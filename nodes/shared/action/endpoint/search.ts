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

/** E.g. `email.bounced, email.delivered +3 (inactive): …bd7f7f5d0a31/hooks`: the list cuts off the end. */
function labelOf({ id, url, events = [], active }: RemoteEndpoint): string {
	const others = events.length > SHOWN_EVENTS ? ` +${events.length - SHOWN_EVENTS}` : '';
	const shown = events.slice(0, SHOWN_EVENTS).join(', ');
	const what = [`${shown}${others}`, active ? '' : '(inactive)'].filter((part) => part !== '');
	const where = url === undefined ? `Endpoint ${id}` : shorten(url);
	return what.length === 0 ? where : `${what.join(' ')}: ${where}`;
}

/** The end of a URL, or all of a short one. */
function shorten(url: string): string {
	const address = url.replace(/^https?:\/\//, '');
	return address.length <= TELLING_END ? address : `…${address.slice(-TELLING_END)}`;
}
