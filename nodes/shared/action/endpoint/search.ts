import type { RemoteEndpoint } from '../../api/endpointAnswer';
import { openEndpointApi } from '../../api/endpoints';
import type { ListSearch } from '../../provider';
import { readApiOptions } from '../../settings';

/** The endpoints of the account for the resource locator, by their URL. */
export const searchEndpoints: ListSearch = async ({ context, provider, credential, filter }) => {
	if (provider.api === undefined) return [];
	const options = readApiOptions(context.getCurrentNodeParameter('options') ?? {});
	const all = await openEndpointApi(context, provider, provider.api, credential, options).list();
	return all
		.filter(({ id, url, events = [] }) =>
			[id, url ?? '', ...events].some((text) => text.toLowerCase().includes(filter)),
		)
		.map((endpoint) => ({ name: labelOf(endpoint), value: endpoint.id }));
};

/** Number of characters at the end of a URL that distinguish one webhook from another. */
const TELLING_END = 24;
const SHOWN_EVENTS = 2;

/** E.g. `n8n.example.com/…bd7f7f5d0a31/hooks: email.bounced, email.delivered +3 (inactive)`. */
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
