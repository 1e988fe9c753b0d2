import type { ListedEvent, RecoveryApi } from '../provider';
import type { PacedClient } from './pacedClient';

const MAX_PAGES = 1_000;
/** How often the list is read when entries are removed meanwhile. */
const MAX_READINGS = 3;

/**
 * What a provider lists from `since` on, the oldest first. One call, where everything fits on one page.
 *
 * The list may change while it is read: a new entry pushes others to a later page, where they are seen
 * twice; a removal pulls entries to a page that was already read, so the list is read again.
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
	let seen = 0;
	for (let number = 0; number < MAX_PAGES; number++) {
		const page = await client.get(api.page(since, number));
		complete &&= (page.total ?? total) >= total;
		total = page.total ?? total;
		const wanted = page.events.filter(({ at }) => at >= since);
		for (const event of wanted) found.set(api.keys(event).join(' '), event);
		const onlyOlder = page.events.length > 0 && wanted.length === 0;
		// A server that knows no pages answers with the same one again.
		const names = JSON.stringify(page.events);
		seen += page.size;
		// A page may be shorter than asked for.
		const isLast = page.size === 0 || (page.total !== undefined && seen >= page.total);
		if (isLast || onlyOlder || names === former) return complete;
		former = names;
	}
	return complete;
}
