import { describe, expect, it } from '@jest/globals';

import type { PagePlace, RecoveryApi } from '../../nodes/shared/recoveryApi';
import { listEvents } from '../../nodes/shared/recovery/listEvents';
import type { PacedClient } from '../../nodes/shared/recovery/pacedClient';

/** A provider's list of missed events, in pages that are shorter than asked for. */

const COUNT = 250;
const SINCE = 1_000;
const events = Array.from({ length: COUNT }, (_, index) => ({
	at: SINCE + COUNT - index,
	id: `event ${index}`,
}));

interface Listing {
	/** The most entries on a page. */
	readonly most: number;
	/** Whether pages of fewer entries than asked for begin where full ones would. */
	readonly gaps?: boolean;
	/** Also what it says, where that is wrong. */
	readonly total?: boolean | ((page: number) => number);
	readonly startsAnywhere?: boolean;
	/** The number of a page that is answered in place of the next one, too. */
	readonly repeated?: number;
	/** The server knows no pages. */
	readonly unpaged?: boolean;
	/** The place from which on there are no pages, but a refusal. */
	readonly refusedFrom?: number;
	/** The ids of the entries that are not events. */
	readonly others?: RegExp;
	/** Done after each page, with its number. */
	readonly between?: (list: Array<{ at: number; id: string }>, number: number) => void;
}

/** @returns the ids that were found */
async function read(listing: Listing) {
	const list = [...events];
	const isEvent = ({ id }: { id: string }) => listing.others?.test(id) !== true;
	let calls = 0;
	let former = list.slice(0, 0);
	const get = async ({ number, offset, size }: PagePlace) => {
		calls += 1;
		const given = Math.min(size, listing.most);
		const step = listing.gaps === true ? size : given;
		const start = listing.startsAnywhere === true ? offset : number * step;
		const isRepeated = calls === (listing.repeated ?? -2) + 1;
		const page = isRepeated
			? former
			: list.slice(listing.unpaged === true ? 0 : start).slice(0, given);
		former = page;
		const total =
			typeof listing.total === 'function'
				? { total: listing.total(page.length) }
				: listing.total === true
					? { total: list.length }
					: {};
		listing.between?.(list, number);
		return { events: page.filter(isEvent), size: page.length, ...total };
	};
	const api = {
		pageSize: 100,
		startsAnywhere: listing.startsAnywhere === true,
		page: (place: PagePlace) => place,
		identify: ({ id, at }: (typeof events)[number]) => ({ own: id, about: '', at, toleranceMs: 1 }),
	} as unknown as RecoveryApi;
	const find = async (place: PagePlace) =>
		place.offset < (listing.refusedFrom ?? Number.POSITIVE_INFINITY) ? await get(place) : undefined;
	const client = { get, find } as unknown as PacedClient;
	const { events: found, complete } = await listEvents(client, api, SINCE);
	const ids = found.map(({ identity }) => identity.own);
	return { ids, complete, calls, left: list.map(({ id }) => id) };
}

const all = events.map(({ id }) => id).reverse();
const kinds = [true, false].flatMap((startsAnywhere) =>
	[true, false].map((total) => ({ startsAnywhere, total })),
);

describe.each(kinds)('a list of missed events ($startsAnywhere, total: $total)', (kind) => {
	it.each([1, 7, 20, 100])('in pages of at most %i is read to its end', async (most) => {
		const { ids, complete } = await read({ ...kind, most });
		expect(ids).toEqual(all);
		expect(complete).toBe(true);
	});

	it.each([7, 20])('in pages of %i with gaps between them is read to its end', async (most) => {
		const { ids } = await read({ ...kind, most, gaps: true });
		expect(ids).toEqual(all);
	});

	it.each<[string, number, RegExp]>([
		['several pages in the middle', 10, / 1[0-4]\d$/],
		['the first page', 100, / \d{1,2}$/],
	])('is read to its end if no event is on %s', async (_, most, others) => {
		const { ids } = await read({ ...kind, most, others });
		expect(ids).toEqual(all.filter((id) => !others.test(id)));
	});

	it('is read completely if a page is answered twice', async () => {
		expect((await read({ ...kind, most: 100, repeated: 1 })).ids).toEqual(all);
		expect((await read({ ...kind, most: 20, repeated: 3 })).ids).toEqual(all);
	});

	it('is read completely if entries appear and disappear meanwhile', async () => {
		const goes = await read({
			...kind,
			most: 100,
			between: (list, number) => void list.splice(number * 90, 1),
		});
		expect(goes.ids).toEqual(expect.arrayContaining(goes.left));
		let number = 0;
		const comes = await read({
			...kind,
			most: 100,
			between: (list) => void list.unshift({ at: SINCE + COUNT + 1, id: `new ${number++}` }),
		});
		expect(comes.ids).toEqual(expect.arrayContaining(all));
	});
});

it('a list whose pages may overlap is read completely although each reading misses an entry between the same two pages', async () => {
	const between = (list: Array<{ at: number; id: string }>, number: number) => {
		if (number === 0) list.shift();
		if (number === 1) list.unshift({ at: SINCE + COUNT + 1, id: `new ${list.length}` });
	};
	const { ids } = await read({ most: 100, startsAnywhere: true, between });
	expect(ids).toEqual(expect.arrayContaining(all));
});

it.each<[string, (page: number) => number]>([
	['0', () => 0],
	['that of a page', (page) => page],
	['too small', () => 150],
])('a list whose total is %s is read to its end', async (_what, total) => {
	for (const startsAnywhere of [true, false]) {
		expect((await read({ startsAnywhere, total, most: 100 })).ids).toEqual(all);
	}
});

it('a list whose provider refuses a page beyond its end is complete', async () => {
	const total = 200;
	const { ids, complete, calls } = await read({
		total: () => total,
		most: 100,
		refusedFrom: total,
	});
	expect(ids).toEqual(all.slice(-total));
	expect(complete).toBe(true);
	// Without the refused one.
	expect(calls).toBe(2);
});

it('a list that states its total takes one call per page', async () => {
	expect(await read({ most: 100, total: true })).toMatchObject({ calls: 3, ids: all });
	expect(await read({ most: 100, total: true, startsAnywhere: true })).toMatchObject({ calls: 3 });
});

it('a list is not read beyond a page with older entries only', async () => {
	const older = (list: Array<{ at: number }>) =>
		list.push(...Array.from({ length: 900 }, () => ({ at: 0, id: 'old' })));
	let first = true;
	const between = (list: Array<{ at: number; id: string }>) => {
		if (first) older(list);
		first = false;
	};
	const { calls, ids } = await read({ most: 100, between });
	expect(ids).toEqual(all);
	// Two readings of four pages, because nothing shows whether an entry was removed.
	expect(calls).toBe(8);
});

it('a list is not complete if the server does not page and has more entries', async () => {
	expect(await read({ most: 100, total: true, unpaged: true })).toMatchObject({ complete: false });
	// Everything is on its one page.
	expect(await read({ most: COUNT, unpaged: true })).toMatchObject({
		ids: all.slice(-100),
		complete: true,
	});
});

it('a list is not complete if it has more pages than are read', async () => {
	const endless = (list: Array<{ at: number; id: string }>, number: number) => {
		for (let index = 0; index < 200; index++) list.push({ at: SINCE, id: `${number} ${index}` });
	};
	expect(await read({ most: 100, between: endless })).toMatchObject({ complete: false });
}, 60_000);
