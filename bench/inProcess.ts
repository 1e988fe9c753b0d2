import { z } from 'zod';

import { runUnderHost } from './support/underHost';
import type { HostPlace } from './support/hostModules';

export const CONTENDERS = [
	'limit',
	'context set-up',
	'webhook()',
	'own work',
	'core Stripe Trigger',
	'core GitHub Trigger',
	'stripe',
	'@octokit/webhooks-methods',
	'standardwebhooks',
] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export const inProcessInput = z.object({
	place: z.object({ n8nDir: z.string(), packageDir: z.string() }),
	rounds: z.number(),
	/** Titles of the triggers; all when absent. */
	triggers: z.array(z.string()).optional(),
	/** Sizes of bodies, how many deliveries are timed in one go, and rounds to warm up. */
	sizes: z.array(z.object({ bytes: z.number(), batch: z.number(), warmUp: z.number() })),
});

const measurementSchema = z.object({
	trigger: z.string(),
	bytes: z.number(),
	/** Microseconds per delivery, one figure a round. */
	samples: z.record(z.array(z.number())),
});

/** All contenders on one trigger's deliveries of one size. */
export type Measurement = z.output<typeof measurementSchema>;

const SIZES = [
	{ bytes: 1_000, batch: 100, warmUp: 20 },
	{ bytes: 64_000, batch: 12, warmUp: 5 },
	{ bytes: 1_000_000, batch: 3, warmUp: 1 },
];

/** `webhook()` of every trigger beside the limit, core's triggers and the reference libraries. */
export async function benchInProcess(
	place: HostPlace,
	options: Omit<z.input<typeof inProcessInput>, 'place' | 'sizes'> & { sizes?: typeof SIZES },
): Promise<Measurement[]> {
	return await runUnderHost(place, {
		program: 'inProcess.program.ts',
		input: { sizes: SIZES, ...options },
		answer: z.array(measurementSchema),
	});
}
