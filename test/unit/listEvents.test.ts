import { expect, it } from '@jest/globals';

import type { RecoveryApi } from '../../nodes/shared/provider';
import { listEvents } from '../../nodes/shared/recovery/listEvents';
import type { PacedClient } from '../../nodes/shared/recovery/pacedClient';

/** What a provider lists of missed events, in pages that are shorter than asked for. */

const COUNT = 250;
const events = Array.from({ length: COUNT }, (_, at) => ({ at, key: `event ${at}` }));

/** @param total what the pages say of the length of the list */
async function read(most: number, total?: number) {
	let calls = 0;
	const client = {
		get: async (number: number) => {
			calls += 1;
			const page = events.slice(number * most, (number + 1) * most);
			return { events: page, size: page.length, ...(total === undefined ? {} : { total }) };
		},
	} as unknown as PacedClient;
	const api = {
		page: (_since: number, number: number) => number,
		keys: ({ key }: (typeof events)[number]) => [key],
	} as unknown as RecoveryApi;
	return { found: await listEvents(client, api, 0), calls: () => calls };
}

it.each([
	[1, undefined],
	[20, undefined],
	[20, COUNT],
	[100, undefined],
	[100, COUNT],
])('a list of missed events in pages of %i is read to its end (total: %s)', async (most, total) => {
	expect((await read(most, total)).found).toHaveLength(COUNT);
});

it('a list of missed events on one page takes one call where it has a total', async () => {
	const { calls } = await read(COUNT, COUNT);
	expect(calls()).toBe(1);
});
