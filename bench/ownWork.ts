import { z } from 'zod';

import type { HostPlace } from './support/hostModules';
import { runUnderHost } from './support/underHost';

export const ownWorkInput = z.object({
	place: z.object({ n8nDir: z.string(), packageDir: z.string() }),
	rounds: z.number(),
});

/** Microseconds per delivery, one figure a round, by the title of the trigger. */
const samplesSchema = z.record(z.array(z.number()));
export type OwnWork = z.output<typeof samplesSchema>;

/** What each trigger itself does for a delivery of 1 kB, without what n8n does. */
export async function benchOwnWork(place: HostPlace, rounds: number): Promise<OwnWork> {
	return await runUnderHost(place, {
		program: 'ownWork.program.ts',
		input: { rounds },
		answer: samplesSchema,
	});
}
