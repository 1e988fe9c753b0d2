import type { ProviderCredential } from './credential';
import { settingsError, shown, type NodeContext } from './errors';
import type { Provider, ProviderFamily } from './provider';
import type { TriggerContext } from './settings';

/**
 * The provider that the node's `product` parameter names; the first where there are no products.
 * @param otherwise the product to take where the parameter names none of the family
 * @throws NodeOperationError for an unknown product (an expression can return anything)
 */
export function selectProvider(
	context: TriggerContext,
	family: ProviderFamily,
	otherwise?: string,
): Provider {
	const named = family[0].product && context.getNodeParameter('product');
	const isKnown = (product: unknown) => family.some((candidate) => candidate.product === product);
	return providerFor(context, family, [named, otherwise].find(isKnown) ?? named);
}

/** The fields of every item that say where it comes from. */
export function sourceOf({ id, product }: Provider): { provider: string; product?: string } {
	return { provider: id, ...(product === undefined ? {} : { product }) };
}

/** The provider of a product. @throws NodeOperationError for a product that the family does not have */
export function providerFor(
	context: NodeContext,
	family: ProviderFamily,
	product: unknown,
): Provider {
	const provider = family.find((candidate) => candidate.product === product);
	if (provider !== undefined) return provider;
	throw settingsError(
		context,
		`There is no product "${shown(product)}"`,
		`Choose one of: ${family.map((candidate) => candidate.product).join(', ')}`,
	);
}

/**
 * Whether a credential is for another product of the family than the provider's. n8n preselects the newest
 * credential of a type, regardless of its product. A credential that names no product fits all.
 */
export function isForAnotherProduct(
	{ product }: Pick<ProviderCredential, 'product'>,
	provider: Provider,
): boolean {
	return product !== '' && provider.product !== undefined && product !== provider.product;
}

/** @throws NodeOperationError for a credential of another product */
export function requireProduct(
	context: NodeContext,
	family: ProviderFamily,
	provider: Provider,
	credential: Pick<ProviderCredential, 'product'>,
	kindOfNode: 'trigger' | 'node',
): void {
	if (!isForAnotherProduct(credential, provider)) return;
	const other = family.find(({ product }) => product === credential.product);
	const { displayName } = provider;
	throw settingsError(
		context,
		`This credential is for ${other?.displayName ?? credential.product}, but this ${kindOfNode} is for ${displayName}`,
		`Choose a ${displayName} credential`,
	);
}
