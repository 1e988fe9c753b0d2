import type { ILoadOptionsFunctions, INodeListSearchResult, INodeType } from 'n8n-workflow';

import type { RemoteEndpoint } from '../api/endpointAnswer';
import { openEndpointApi } from '../api/endpoints';
import { readCredential } from '../credential';
import { providerFor, requireProduct } from '../product';
import type { ProviderFamily } from '../provider';
import { readApiOptions } from '../settings';
import { searchList } from './listOperations';

async function readAccount(context: ILoadOptionsFunctions, family: ProviderFamily) {
	const product = family[0].product && context.getCurrentNodeParameter('product');
	const provider = providerFor(context, family, product);
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'node');
	return { provider, credential };
}

/** The articles of the account for the resource locator, by their title. */
async function searchArticles(
	context: ILoadOptionsFunctions,
	family: ProviderFamily,
	filter = '',
): Promise<INodeListSearchResult> {
	const { provider, credential } = await readAccount(context, family);
	const all = await searchList(context, provider, credential, 'article');
	const wanted = filter.toLowerCase();
	return { results: all.filter(({ name }) => name.toLowerCase().includes(wanted)) };
}

/** The endpoints of the account for the resource locator, by their URL. */
async function searchEndpoints(
	context: ILoadOptionsFunctions,
	family: ProviderFamily,
	filter = '',
): Promise<INodeListSearchResult> {
	const { provider, credential } = await readAccount(context, family);
	if (provider.api === undefined) return { results: [] };
	const options = readApiOptions(context.getCurrentNodeParameter('options') ?? {});
	const all = await openEndpointApi(context, provider, provider.api, credential, options).list();
	const wanted = filter.toLowerCase();
	return {
		results: all
			.filter(({ id, url, events = [] }) =>
				[id, url ?? '', ...events].some((text) => text.toLowerCase().includes(wanted)),
			)
			.map((endpoint) => ({ name: labelOf(endpoint), value: endpoint.id })),
	};
}

/** Number of characters at the end of a URL that distinguish one webhook from another. */
const TELLING_END = 24;
const SHOWN_EVENTS = 2;

/** E.g. `n8n.example.com/…bd7f7f5d0a31/misar: email.bounced, email.delivered +3 (inactive)`. */
function labelOf({ id, url, events = [], active }: RemoteEndpoint): string {
	const others = events.length > SHOWN_EVENTS ? ` +${events.length - SHOWN_EVENTS}` : '';
	const shown = events.slice(0, SHOWN_EVENTS).join(', ');
	return [
		url === undefined ? `Endpoint ${id}` : shorten(url),
		shown === '' ? '' : `: ${shown}${others}`,
		active ? '' : ' (inactive)',
	].join('');
}

/** A URL by its host and its end; the list of the editor would cut off the end. */
function shorten(url: string): string {
	const [host = '', ...path] = url.replace(/^https?:\/\//, '').split('/');
	const rest = path.join('/');
	return rest.length <= TELLING_END ? `${host}/${rest}` : `${host}/…${rest.slice(-TELLING_END)}`;
}

/** n8n's `methods` of an action node: what its resource locator lists. */
export function searchMethods(family: ProviderFamily) {
	return {
		listSearch: {
			async searchEndpoints(this: ILoadOptionsFunctions, filter?: string) {
				return await searchEndpoints(this, family, filter);
			},
			async searchArticles(this: ILoadOptionsFunctions, filter?: string) {
				return await searchArticles(this, family, filter);
			},
		},
	} satisfies INodeType['methods'];
}
