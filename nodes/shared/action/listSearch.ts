import type { ILoadOptionsFunctions, INodeListSearchResult, INodeType } from 'n8n-workflow';

import { readCredential } from '../credential';
import { providerFor, requireProduct } from '../product';
import type { ListSearch, Provider, ProviderFamily } from '../provider';
import { searchEndpoints } from './endpoint/search';

/** n8n's `methods` of an action node: what its resource locators list. */
export function searchMethods(family: ProviderFamily) {
	const own = family.flatMap(({ searches = {} }) => Object.keys(searches));
	return {
		listSearch: {
			searchEndpoints: searchMethod(family, () => searchEndpoints),
			...Object.fromEntries(
				own.map((name) => [name, searchMethod(family, ({ searches }) => searches?.[name])]),
			),
		},
	} satisfies INodeType['methods'];
}

/** @param searchOf - undefined where the chosen product has nothing of this kind */
function searchMethod(
	family: ProviderFamily,
	searchOf: (provider: Provider) => ListSearch | undefined,
) {
	return async function (this: ILoadOptionsFunctions, filter = ''): Promise<INodeListSearchResult> {
		const product = family[0].product && this.getCurrentNodeParameter('product');
		const provider = providerFor(this, family, product);
		const credential = await readCredential(this, provider);
		requireProduct(this, family, provider, credential, 'node');
		const call = { context: this, provider, credential, filter: filter.toLowerCase() };
		return { results: (await searchOf(provider)?.(call)) ?? [] };
	};
}
