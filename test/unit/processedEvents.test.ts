import { describe, expect, it } from '@jest/globals';

import { keysAround } from '../../nodes/shared/recovery/identity';
import { ProcessedEvents } from '../../nodes/shared/recovery/processedEvents';

/** What a process remembers of the events that have run, and what it finds in n8n's table of them. */

const MINUTE_MS = 60_000;

it('an event is remembered while it is among the 20,000 noted last', () => {
	const processed = new ProcessedEvents('trigger');
	processed.note(['twice', 'once']);
	processed.note(Array.from({ length: 19_998 }, (_, index) => `other ${index}`));
	processed.note(['twice']);
	processed.note(['new']);
	expect(['twice', 'once', 'new'].map((key) => processed.knows([key]))).toEqual([
		true,
		false,
		true,
	]);
});

/** The table, in memory. */
function openTable() {
	const rows = new Set<unknown>();
	return {
		checkProcessedAndRecord: async (items: readonly unknown[]) => {
			const processed = items.filter((item) => rows.has(item));
			for (const item of items) rows.add(item);
			return { new: [], processed } as never;
		},
		removeProcessed: async (items: readonly unknown[]) => {
			for (const item of items) rows.delete(item);
		},
	};
}

/** What a process that recovers missed events knows of them when it has forgotten all that it could forget. */
function forgetful(trigger: string): ProcessedEvents {
	const processed = new ProcessedEvents(trigger);
	processed.recoverHere();
	return processed;
}

it('an event whose run is under way is not missing, although the process has forgotten the event', async () => {
	const table = openTable();
	const event = { about: 'a@example.com', at: 5 * MINUTE_MS, toleranceMs: MINUTE_MS };
	expect(await forgetful('one').claimDelivery(table, event, true)).toBe(true);
	expect(await forgetful('one').claimMissing(table, [event])).toEqual([]);
	expect(forgetful('one').knows(keysAround(event))).toBe(false);
});

describe('an event without an id of its own that was recovered', () => {
	const listed = { about: 'a@example.com', at: 4 * MINUTE_MS - 1, toleranceMs: MINUTE_MS };

	it.each([
		['at the time in the list', 0],
		['later, in the next period of time', 2],
	])('runs for no copy of its delivery, which happened %s', async (_, laterMs) => {
		const table = openTable();
		const recovering = forgetful('two');
		expect(await recovering.claimMissing(table, [listed])).toEqual([0]);
		await recovering.noteEnds(table, keysAround(listed));
		const delivered = { ...listed, at: listed.at + laterMs };
		for (const process of [forgetful('two'), forgetful('two')]) {
			expect(await process.claimDelivery(table, delivered, true)).toBe(false);
		}
	});
});
