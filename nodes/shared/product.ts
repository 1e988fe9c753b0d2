import type { Provider, ProviderFamily } from './provider';
import { settingsError, type NodeContext, type ProviderCredential } from './settings';

/**
 * Whether a credential is for another product of the family than the provider's. n8n picks the newest
 * credential of a type by itself, whatever its product. A credential that names no product fits all.
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
		`This credential is for ${other?.displayName ?? credential.product}, this ${kindOfNode} for ${displayName}`,
		`Choose a ${displayName} credential`,
	);
}
