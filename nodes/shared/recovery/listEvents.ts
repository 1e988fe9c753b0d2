import type { ListedEvent, RecoveryApi } from '../provider';
import type { PacedClient } from './pacedClient';

const MAX_PAGES = 1_000;
/** Times that the list is read again because entries were removed meanwhile. */
const MAX_READINGS = 3;

/**
 * What a provider lists from `since` on, the oldest first. Costs one call where a page holds it all.
 *
 * The list moves while it is read: what is new pushes entries to a later page, where they are seen
 * twice; a removal pulls entries to a page that was read before, so the list is read again.
 * @param since epoch milliseconds
 * @throws NodeApiError when the provider could not be asked
 */
export async function listEvents(
	client: PacedClient,
	api: RecoveryApi,
	since: number,
): Promise<ListedEvent[]> {
	const found = new Map<string, ListedEvent>();
	for (let reading = 1; reading <= MAX_READINGS; reading++) {
		if (await readPages(client, api, since, found)) break;
	}
	return [...found.values()].sort((a, b) => a.at - b.at);
}

/** @returns whether no entry was removed while the pages were read */
async function readPages(
	client: PacedClient,
	api: RecoveryApi,
	since: number,
	found: Map<string, ListedEvent>,
): Promise<boolean> {
	let complete = true;
	let total = 0;
	let former = '';
	for (let number = 0; number < MAX_PAGES; number++) {
		const page = await client.get(api.page(since, number));
		complete &&= (page.total ?? total) >= total;
		total = page.total ?? total;
		const wanted = page.events.filter(({ at }) => at >= since);
		for (const event of wanted) found.set(api.keys(event).join(' '), event);
		const onlyOlder = page.events.length > 0 && wanted.length === 0;
		// A server that knows no pages answers with the same one again.
		const names = JSON.stringify(page.events);
		if (page.size < api.pageSize || onlyOlder || names === former) return complete;
		former = names;
	}
	return complete;
}
