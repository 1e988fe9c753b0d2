import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { deliveredKeys } from '../../nodes/shared/recovery/identity';
import { ProcessedEvents } from '../../nodes/shared/recovery/processedEvents';

/** What a process remembers of the events that have run. */

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
	const bounce = { own: 'message 1', about: 'bounce of Ada', at: 0, toleranceMs: 60_000 };

	/** n8n's table for one node. */
	function openTable() {
		const entries = new Set<unknown>();
		return {
			checkProcessedAndRecord: async (items: readonly unknown[]) => {
				const processed = items.filter((item) => entries.has(item));
				for (const item of items) entries.add(item);
				return { processed, new: [] };
			},
			removeProcessed: async (items: readonly unknown[]) =>
				items.forEach((item) => entries.delete(item)),
		} as never;
	}

	// A process that does not recover keeps writing for a while.
	beforeEach(() => {
		jest.useFakeTimers();
	});
	afterEach(() => {
		jest.useRealTimers();
	});

	it('is recovered although it was looked up while its delivery ran', async () => {
		const table = openTable();
		const processed = new ProcessedEvents('trigger with a long run');
		processed.recoverHere();
		expect(await processed.claimDelivery(table, bounce, true)).toBe(true);
		expect(await processed.claimMissing(table, [bounce])).toEqual([]);
		// The next process knows of no run.
		processed.end(deliveredKeys(bounce));
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
	});

	it('is recovered again although a worker refused its late delivery meanwhile', async () => {
		const table = openTable();
		const processed = new ProcessedEvents('trigger of queue mode');
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
		expect(await processed.claimDelivery(table, bounce, false)).toBe(false);
		expect(await processed.claimMissing(table, [bounce])).toEqual([0]);
	});
});
