import { expect, it } from '@jest/globals';

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

it('an event that was looked up while its delivery ran is recovered if that run is killed later', async () => {
	const entries = new Set<unknown>();
	const store = {
		checkProcessedAndRecord: async (items: readonly unknown[]) => {
			const processed = items.filter((item) => entries.has(item));
			for (const item of items) entries.add(item);
			return { processed, new: [] };
		},
		removeProcessed: async (items: readonly unknown[]) =>
			items.forEach((item) => entries.delete(item)),
	} as never;
	const bounce = { own: 'message 1', about: 'bounce of Ada', at: 0, toleranceMs: 60_000 };
	const processed = new ProcessedEvents('trigger with a long run');
	processed.recoverHere();
	expect(await processed.claimDelivery(store, bounce, true)).toBe(true);
	expect(await processed.claimMissing(store, [bounce])).toEqual([]);
	// The next process knows of no run.
	processed.end(deliveredKeys(bounce));
	expect(await processed.claimMissing(store, [bounce])).toEqual([0]);
});
