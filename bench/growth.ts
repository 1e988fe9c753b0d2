import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { ICredentialType } from 'n8n-workflow';
import { z } from 'zod';

import { startSandbox, type Sandbox } from '../sandbox';
import { ContextHost, type TriggerNode } from '../testkit/contextHost';
import { eventParameters, metigan, misarMail, type TriggerCase } from '../testkit/triggers';
import { benchInProcess } from './inProcess';
import type { HostPlace } from './support/hostModules';
import { runUnderHost } from './support/underHost';

export const growthInput = z.object({
	place: z.object({ n8nDir: z.string(), packageDir: z.string() }),
	rounds: z.number(),
	/** Deliveries that the dedupe memory has seen before, and how many new ones are timed. */
	fillings: z.array(z.number()),
	batch: z.number(),
});

/** Registering a trigger in an account that holds other endpoints. */
export interface Registration {
	readonly trigger: string;
	readonly endpoints: number;
	/** Requests to the provider's API to publish, and once more when n8n starts again. */
	readonly publishCalls: number;
	readonly restartCalls: number;
	readonly milliseconds: number;
}

export interface GrowthResult {
	/** Microseconds per delivery by what the dedupe memory has seen before. */
	readonly dedupe: ReadonlyMap<number, readonly number[]>;
	readonly registrations: readonly Registration[];
	/** Microseconds per delivery by the size of its body, beside the limit's. */
	readonly bodies: ReadonlyArray<{ bytes: number; ours: number[]; limit: number[] }>;
}

const FILLINGS = [0, 1_000, 5_000, 10_000, 50_000];
const DEDUPE_BATCH = 2_000;
const ACCOUNTS = [10, 100, 1_000, 10_000];
const BODIES = [
	{ bytes: 1_000, batch: 100, warmUp: 20 },
	{ bytes: 16_000, batch: 40, warmUp: 3 },
	{ bytes: 64_000, batch: 12, warmUp: 3 },
	{ bytes: 256_000, batch: 6, warmUp: 3 },
	{ bytes: 1_000_000, batch: 3, warmUp: 3 },
	{ bytes: 4_000_000, batch: 1, warmUp: 3 },
];

/** What grows as the memory, the account and the body grow. */
export async function benchGrowth(place: HostPlace, rounds: number): Promise<GrowthResult> {
	const dedupe = await runUnderHost(place, {
		program: 'growth.program.ts',
		input: { rounds, fillings: FILLINGS, batch: DEDUPE_BATCH },
		answer: z.record(z.array(z.number())),
	});
	const measurements = await benchInProcess(place, {
		rounds,
		triggers: [misarMail.title],
		sizes: BODIES,
	});
	return {
		dedupe: new Map(
			Object.entries(dedupe).map(([filling, samples]) => [
				Number(filling),
				samples.map((microseconds) => microseconds / DEDUPE_BATCH),
			]),
		),
		registrations: await benchRegistrations(),
		bodies: measurements.map(({ bytes, samples }) => ({
			bytes,
			ours: samples['webhook()'] ?? [],
			limit: samples['limit'] ?? [],
		})),
	};
}

async function benchRegistrations(): Promise<Registration[]> {
	const registrations: Registration[] = [];
	for (const trigger of [misarMail, metigan]) {
		for (const endpoints of ACCOUNTS) {
			const sandbox = await startSandbox();
			try {
				registrations.push(await register(trigger, endpoints, sandbox));
			} finally {
				await sandbox.close();
			}
		}
	}
	return registrations;
}

async function register(
	trigger: TriggerCase,
	endpoints: number,
	sandbox: Sandbox,
): Promise<Registration> {
	const { provider, parameters, events } = trigger;
	for (let at = 0; at < endpoints; at++) {
		sandbox.addEndpoint(provider, { url: `https://other.example.com/${at}`, events: [...events] });
	}
	const host = new ContextHost({
		node: instantiate<TriggerNode>(trigger.nodeFile),
		credentialType: instantiate<ICredentialType>(trigger.credentialFile),
		credential: { ...parameters, baseUrl: sandbox.url, apiKey: sandbox.keys[provider] },
		parameters: { ...parameters, registration: 'automatic', ...eventParameters(trigger) },
	});
	const started = performance.now();
	await host.publish();
	const milliseconds = performance.now() - started;
	const publishCalls = sandbox.requests().length;
	host.restart();
	if (!(await host.checkExists())) throw new Error('the registered endpoint was not found again');
	const restartCalls = sandbox.requests().length - publishCalls;
	return { trigger: trigger.title, endpoints, publishCalls, restartCalls, milliseconds };
}

/** Makes an object of a class of the built package. */
function instantiate<T>(file: string): T {
	const load = createRequire(join(process.cwd(), 'package.json'));
	const exported: Record<string, new () => T> = load(`./dist/${file}`);
	const [Class] = Object.values(exported);
	if (Class === undefined) throw new Error(`${file} exports nothing`);
	return new Class();
}
