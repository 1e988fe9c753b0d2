import type { ILoadOptionsFunctions, INodeListSearchResult, INodeType } from 'n8n-workflow';

import { openEndpointApi } from '../api/endpoints';
import { readCredential } from '../credential';
import { providerFor, requireProduct } from '../product';
import type { ProviderFamily } from '../provider';
import { readApiOptions } from '../settings';

/** The endpoints of the account for the resource locator, by their URL. */
async function searchEndpoints(
	context: ILoadOptionsFunctions,
	family: ProviderFamily,
	filter = '',
): Promise<INodeListSearchResult> {
	const product = family[0].product && context.getCurrentNodeParameter('product');
	const provider = providerFor(context, family, product);
	if (provider.api === undefined) return { results: [] };
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'node');
	const options = readApiOptions(context.getCurrentNodeParameter('options') ?? {});
	const all = await openEndpointApi(context, provider, provider.api, credential, options).list();
	const wanted = filter.toLowerCase();
	return {
		results: all
			.map(({ id, url = `Endpoint ${id}`, active }) => ({
				name: active ? url : `${url} (inactive)`,
				value: id,
			}))
			.filter(({ name }) => name.toLowerCase().includes(wanted)),
	};
}

/** n8n's `methods` of an action node: what its resource locator lists. */
export function searchMethods(family: ProviderFamily) {
	return {
		listSearch: {
			async searchEndpoints(this: ILoadOptionsFunctions, filter?: string) {
				return await searchEndpoints(this, family, filter);
			},
		},
	} satisfies INodeType['methods'];
}
