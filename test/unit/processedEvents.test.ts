import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { deliveredKeys, keysAround } from '../../nodes/shared/recovery/identity';
import { ProcessedEvents } from '../../nodes/shared/recovery/processedEvents';

/** What a process remembers of the events that have run, and what n8n's table does. */

const MINUTE_MS = 60_000;
const OF_ADA = { about: 'bounce of Ada', at: 0, toleranceMs: MINUTE_MS };

// A process that does not recover keeps writing for a while.
beforeEach(() => {
	jest.useFakeTimers();
});
afterEach(() => {
	jest.useRealTimers();
});

/** n8n's table for one node. */
function openTable() {
	const entries = new Set<unknown>();
	const checkProcessedAndRecord = jest.fn(async (items: readonly unknown[]) => {
		const processed = items.filter((item) => entries.has(item));
		const missing = items.filter((item) => !entries.has(item));
		for (const item of items) entries.add(item);
		return { processed, new: missing };
	});
	const removeProcessed = async (items: readonly unknown[]) =>
		items.forEach((item) => entries.delete(item));
	const table = { checkProcessedAndRecord, removeProcessed } as never;
	return { entries, checkProcessedAndRecord, table };
}

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

describe('an event whose run is killed', () => {
	const bounce = { own: 'message 1', ...OF_ADA };

	it('is recovered although it was looked up while its delivery ran', async () => {
		const { table } = openTable();
		const processed = new ProcessedEvents('trigger with a long run');
		processed.recoverHere();
		expect(await processed.claimDelivery(table, bounce, true)).toBe(true);
		expect(await processed.claimMissing(table, [bounce])).toEqual([]);
		// The next process knows of no run.
		processed.end(deliveredKeys(bounce));
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
	});

	it('is recovered again although a worker refused its late delivery meanwhile', async () => {
		const { table } = openTable();
		const processed = new ProcessedEvents('trigger of queue mode');
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
		expect(await processed.claimDelivery(table, bounce, false)).toBe(false);
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
	});
});

it('every event about the same thing runs in a worker if none was recovered', async () => {
	const { table } = openTable();
	const processed = new ProcessedEvents('trigger with many bounces of one address');
	for (const own of ['message 1', 'message 2', 'message 3']) {
		expect(await processed.claimDelivery(table, { own, ...OF_ADA }, false)).toBe(true);
		// What was written is confirmed meanwhile.
		await jest.advanceTimersByTimeAsync(10_000);
	}
});

describe('a delivery in a worker is not recovered', () => {
	const bounce = { own: 'message 1', ...OF_ADA };
	const recoveredBy = async (table: never) =>
		await new ProcessedEvents('trigger in the main process').claimMissing(table, [bounce]);

	it('although its first write fails', async () => {
		const { table, checkProcessedAndRecord } = openTable();
		checkProcessedAndRecord.mockRejectedValueOnce(new Error('UNIQUE constraint failed'));
		const worker = new ProcessedEvents('trigger in a worker');
		expect(await worker.claimDelivery(table, bounce, false)).toBe(true);
		expect(await recoveredBy(table)).toEqual([]);
	});

	it('although other processes overwrite the table twice', async () => {
		const { table, entries } = openTable();
		await new ProcessedEvents('trigger in a worker').claimDelivery(table, bounce, false);
		for (let times = 0; times < 2; times++) {
			entries.clear();
			// Longer than the worker waits before it looks, and shorter than until it looks again.
			await jest.advanceTimersByTimeAsync(4_000);
		}
		await jest.advanceTimersByTimeAsync(4_000);
		expect(await recoveredBy(table)).toEqual([]);
	});
});

/** What a process that recovers missed events knows of them when it has forgotten all that it could forget. */
function forgetful(trigger: string): ProcessedEvents {
	const processed = new ProcessedEvents(trigger);
	processed.recoverHere();
	return processed;
}

it('an event whose run is under way is not missing, although the process has forgotten the event', async () => {
	const { table } = openTable();
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
		const { table } = openTable();
		const recovering = forgetful('two');
		expect(await recovering.claimMissing(table, [listed])).toEqual([0]);
		await recovering.noteEnds(table, keysAround(listed));
		const delivered = { ...listed, at: listed.at + laterMs };
		for (const process of [forgetful('two'), forgetful('two')]) {
			expect(await process.claimDelivery(table, delivered, true)).toBe(false);
		}
	});
});
