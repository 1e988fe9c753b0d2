import { expect, it } from '@jest/globals';

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
