/**
 * Measures what docs/scaling.md says: how settings of n8n change the rate of deliveries and the size
 * of the database. `node scripts/bootstrap.mjs tuning [rounds]`; wants an idle machine, Redis and
 * PostgreSQL. The variants take turns, each with a fresh n8n, and medians are printed.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { burst } from '../bench/support/load';
import { median } from '../testkit/statistics';
import { buildDelivery } from '../sandbox';
import { chain } from '../testkit/n8n-host/driver';
import { until } from '../testkit/n8n-host/poll';
import { startCluster, type Shape } from '../testkit/queue/cluster';
import { countRuns } from '../testkit/queue/runs';
import { build, pack } from '../testkit/artifacts';
import { asTable } from '../testkit/table';

const DELIVERIES = 300;
const WARM_UP = 50;
const END_MS = 600_000;
const SECRET = 'whsec_only_for_measuring';
const EVENT = 'email.bounced';

interface Variant {
	name: string;
	shape: Shape;
	env: Record<string, string>;
}

/** n8n's default; the compose file has an isolate created only when it is needed. */
const eager = { N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'false' };
const unsaved = { EXECUTIONS_DATA_SAVE_ON_SUCCESS: 'none' };
const variants: Variant[] = [
	{ name: 'one process', shape: 'regular', env: {} },
	{ name: 'one process, an isolate for each run', shape: 'regular', env: eager },
	{ name: 'one process, successes not saved', shape: 'regular', env: unsaved },
	{ name: 'queue mode', shape: 'queue', env: {} },
	{ name: 'queue mode, an isolate for each run', shape: 'queue', env: eager },
	{ name: 'queue mode, successes not saved', shape: 'queue', env: unsaved },
	...['5', '20'].map((limit): Variant => {
		const env = { N8N_CONCURRENCY_PRODUCTION_LIMIT: limit };
		return { name: `queue mode, ${limit} runs a worker`, shape: 'queue', env };
	}),
];

/** Deliveries answered and runs ended in a second, and kilobytes a delivery adds to the database. */
type Sample = [answered: number, ended: number, growth: number];

async function measure({ shape, env }: Variant): Promise<Sample> {
	const { main, services, entrance, startWorkers, stop } = await startCluster(shape, env);
	try {
		if (shape === 'queue') await startWorkers(env);
		const data = { product: 'mail', signingSecret: SECRET };
		const id = await main.createCredential('Misar', 'misarApi', data);
		const webhookId = randomUUID();
		const workflow = await main.createWorkflow({
			name: 'Measured',
			nodes: [
				{
					name: 'Trigger',
					type: 'n8n-nodes-misar-metigan.misarTrigger',
					webhookId,
					parameters: {
						...{ product: 'mail', registration: 'manual', events: [EVENT] },
						// The same signed bytes again and again.
						options: { skipDuplicates: false, toleranceSeconds: 0 },
					},
					credentials: { misarApi: { id, name: 'Misar' } },
				},
				{ name: 'After', type: 'n8n-nodes-base.noOp' },
			],
			connections: chain('Trigger', 'After'),
		});
		await main.publish(workflow.id);
		const send = async (amount: number) => {
			const delivery = buildDelivery({ provider: 'misar.mail', event: EVENT, secret: SECRET });
			const url = `${entrance}/webhook/${webhookId}/misar`;
			const started = Date.now();
			const { answeredMs } = await burst(url, amount, 200, () => delivery);
			await until('all runs to end', END_MS, async () => {
				const counts = await countRuns(services, workflow.id);
				return (counts['new'] ?? 0) + (counts['running'] ?? 0) === 0 || undefined;
			});
			return [answeredMs - started, Date.now() - started] as const;
		};
		const size = async () => {
			const row = z.object({ bytes: z.number() });
			const [found] = await services.query(
				row,
				'SELECT pg_database_size(current_database()) AS bytes',
			);
			return found?.bytes ?? 0;
		};
		await send(WARM_UP);
		const before = await size();
		const [answered, ended] = await send(DELIVERIES);
		const growth = ((await size()) - before) / DELIVERIES / 1000;
		return [(DELIVERIES / answered) * 1000, (DELIVERIES / ended) * 1000, growth];
	} finally {
		await stop();
	}
}

async function main(rounds: number): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'misar-metigan-tuning-'));
	try {
		await build();
		process.env['PACKAGE_TARBALL'] = await pack(folder);
		const samples = new Map<string, Sample[]>();
		for (let round = 1; round <= rounds; round += 1) {
			for (const variant of variants) {
				const sample = await measure(variant);
				samples.set(variant.name, [...(samples.get(variant.name) ?? []), sample]);
				console.log(
					`${round}/${rounds} ${variant.name}: ${sample.map((n) => n.toFixed(1)).join(', ')}`,
				);
			}
		}
		const rows = [...samples].map(([name, all]) => [
			name,
			...[0, 1, 2].map((column) => median(all.map((sample) => sample[column] ?? 0)).toFixed(1)),
		]);
		const heading = ['medians', 'answered/s', 'ended/s', 'kB a delivery'];
		console.log(`\n${asTable([heading, ...rows])}`);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

void main(Number(process.argv[2] ?? 3));
