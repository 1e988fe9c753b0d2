import type { Identity, ListedEvent, RecoveryApi } from '../recoveryApi';
import { nameOf } from './identity';
import type { PacedClient } from './pacedClient';

const MAX_PAGES = 1_000;
/** The most times that a list is read if it changes while it is read. */
const MAX_READINGS = 3;
/** Share of a page that is read again with the next one, where a page may begin anywhere. */
const OVERLAP = 0.1;
/** How often in a row a page may repeat the one before it. */
const MAX_REPEATS = 2;

/** A listed event, with what its delivery can be recognised by. */
export interface MissedEvent extends ListedEvent {
	readonly identity: Identity;
}

/** What a provider has listed. */
export interface EventList {
	/** The oldest first. */
	readonly events: readonly MissedEvent[];
	/** Whether that is everything from the wanted time on. */
	readonly complete: boolean;
}

/** How the reading of a list ended. */
type Reading = 'complete' | 'changed' | { readonly pageSize: number };

/**
 * What a provider lists from `since` on, or as many of the newest as are enough. One call, if they fit on one page.
 *
 * The list may change while it is read: a new entry pushes others to a later page, where they are seen twice; a removal
 * pulls entries to a page that was already read. Then the list is read again.
 * @param since epoch milliseconds
 * @throws NodeApiError when the provider could not be asked
 */
export async function listEvents(
	client: PacedClient,
	api: RecoveryApi,
	since: number,
	isEnough?: (events: readonly MissedEvent[]) => boolean,
): Promise<EventList> {
	const found = new Map<string, MissedEvent>();
	let size = api.pageSize;
	let complete = false;
	for (let reading = 0; reading < MAX_READINGS && !complete; reading++) {
		let end = await readPages(client, api, since, size, found, isEnough);
		if (typeof end === 'object') {
			({ pageSize: size } = end);
			end = await readPages(client, api, since, size, found, isEnough);
		}
		complete = end === 'complete';
	}
	return { events: [...found.values()].sort((a, b) => a.at - b.at), complete };
}

/** @returns a page size if the provider gives less than was asked for, so that pages may leave gaps */
async function readPages(
	client: PacedClient,
	api: RecoveryApi,
	since: number,
	size: number,
	found: Map<string, MissedEvent>,
	isEnough?: (events: readonly MissedEvent[]) => boolean,
): Promise<Reading> {
	let changed = false;
	let total: number | undefined;
	let former: string | undefined;
	let offset = 0;
	let repeats = 0;
	let firstSize = size;
	const known = found.size;
	for (let number = 0; number < MAX_PAGES; number++) {
		const call = api.page({ since, number, offset, size });
		// A provider may refuse a page beyond the end, rather than leave it empty.
		const isBeyond = total !== undefined && offset >= total;
		const page = isBeyond ? await client.find(call, false) : await client.get(call);
		if (page === undefined) return changed ? 'changed' : 'complete';
		changed ||= total !== undefined && page.total !== total;
		total = page.total ?? total;
		const wanted = page.events.filter(({ at }) => at >= since);
		for (const event of wanted) {
			const identity = api.identify(event);
			if (identity !== undefined) found.set(nameOf(identity), { ...event, identity });
		}
		if (isEnough?.([...found.values()]) === true) return 'complete';
		const end = offset + page.size;
		// A full page shows that a total is wrong, or counts the page only: then the next one is empty, or is not.
		const isWhole = total !== undefined && end >= total && page.size < size;
		const isLast = page.size === 0 || isWhole;
		const onlyOlder = page.events.length > 0 && wanted.length === 0;
		if (isLast || onlyOlder) {
			// Without a total nothing shows that an entry was removed, except that more is found.
			const severalPages = number > 1 || (number === 1 && page.size > 0);
			const mayLackSome = total === undefined && severalPages && found.size > known;
			return changed || mayLackSome ? 'changed' : 'complete';
		}
		const entries = JSON.stringify(page.events);
		repeats = entries === former && page.events.length > 0 ? repeats + 1 : 0;
		if (repeats >= MAX_REPEATS) {
			// The list has no pages. Its newest entries are enough, if they reach back far enough.
			return wanted.length < page.events.length || total === undefined ? 'complete' : 'changed';
		}
		changed ||= repeats > 0;
		if (number === 0) firstSize = page.size;
		const isShort = firstSize < size && (total !== undefined || number > 0);
		if (isShort && !api.startsAnywhere) return { pageSize: firstSize };
		former = entries;
		offset = api.startsAnywhere ? end - Math.floor(page.size * OVERLAP) : end;
	}
	return 'changed';
}
