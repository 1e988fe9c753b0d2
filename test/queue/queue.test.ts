import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeliveryRecord } from '../../sandbox';
import { printFigures } from '../figures';
import { chain, outputOf } from '../../testkit/n8n-host/driver';
import type { N8nHelper } from '../../testkit/n8n-host/helper';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, startCluster, type Cluster } from '../../testkit/queue/cluster';
import { createCredential, EVENT, intake, PROVIDER, trigger, type CredentialRef } from './intake';
import { readRuns, whenEnded } from '../../testkit/queue/runs';

const REQUEUE = join(__dirname, '..', '..', 'deploy', 'requeue.lua');
const DEADLINE_MS = 300_000;
/** How many events later a duplicate comes. */
const LATER = 20;

let cluster: Cluster;
let credential: CredentialRef;

beforeAll(async () => {
	cluster = await startCluster();
	credential = await createCredential(cluster);
}, 600_000);

afterAll(async () => await cluster?.stop(), 180_000);

const endpoints = () => cluster.sandbox.endpoints(PROVIDER);

/** Executions that a worker began and did not end, by its own log. */
function unfinishedBy(worker: N8nHelper): string[] {
	const log = worker.log();
	const ids = (verb: string) =>
		[...log.matchAll(new RegExp(`Worker ${verb} execution (\\d+) `, 'g'))].map(
			([, id]) => id ?? '',
		);
	const finished = new Set(ids('finished'));
	return ids('started').filter((id) => !finished.has(id));
}

describe('n8n by itself, if a worker dies,', () => {
	it('loses the runs of the worker', async () => {
		const { main, sandbox, services } = cluster;
		// n8n's own reaction, but sooner than its default of 30 to 90 seconds.
		const [first, second] = await cluster.startWorkers({
			QUEUE_WORKER_LOCK_DURATION: '3000',
			QUEUE_WORKER_LOCK_RENEW_TIME: '1000',
			QUEUE_WORKER_STALLED_INTERVAL: '2000',
		});
		if (!first || !second) throw new Error('There are not two workers');
		const { id } = await main.createWorkflow({
			name: 'Slow',
			nodes: [
				trigger('Trigger', credential),
				{ name: 'Wait', type: 'n8n-nodes-base.wait', typeVersion: 1.1, parameters: { amount: 10 } },
			],
			connections: chain('Trigger', 'Wait'),
		});
		await main.publish(id);
		const events = Array.from({ length: 8 }, (_, index) => `evt_queue_slow_${index}`);
		await Promise.all(
			events.map(
				async (event) => await sandbox.fire({ provider: PROVIDER, event: EVENT, id: event }),
			),
		);
		await until('the second worker to run something', DEADLINE_MS, () =>
			unfinishedBy(second).length > 0 ? true : undefined,
		);
		await second.kill();
		const before = await readRuns(services, id);
		const runs = await whenEnded(services, id);

		// Answered 200, failed, not tried again, and the event is no longer in the database.
		const failed = runs.filter(({ status }) => status !== 'success');
		expect(before.map(({ eventId }) => eventId).sort()).toEqual(events);
		expect(failed.length).toBeGreaterThan(0);
		expect(failed).toEqual(
			failed.map((run) => ({ ...run, status: 'error', eventId: null, passed: [] })),
		);
		printFigures('A killed worker under n8n’s own rules', [
			['deliveries answered 200', 'begun by the killed worker', 'run', 'lost'],
			[events.length, unfinishedBy(second).length, runs.length - failed.length, failed.length].map(
				String,
			),
		]);
		await main.unpublish(id);
		await first.stop();
	}, 600_000);
});

describe('n8n with the settings of deploy/', () => {
	let workers: N8nHelper[];

	beforeAll(async () => {
		workers = await cluster.startWorkers();
	}, 600_000);

	/** The workflow of the template for an exactly-once intake, published. */
	async function publishIntake(): Promise<string> {
		const { main, services } = cluster;
		const redis = await main.createCredential('Redis', 'redis', services.redisAddress);
		const { id } = await main.createWorkflow(intake(credential, { id: redis, name: 'Redis' }));
		await main.publish(id);
		expect(endpoints()).toMatchObject([{ active: true, url: expect.stringContaining(ORIGIN) }]);
		return id;
	}

	it('registers one endpoint, and a restart of the main process adds none', async () => {
		const { main } = cluster;
		const id = await publishIntake();
		const [before] = endpoints();
		await main.restart();
		expect(endpoints()).toMatchObject([{ id: before?.id, url: before?.url, active: true }]);
		await main.unpublish(id);
	}, 300_000);

	it('warns only about limits of nodes that nobody has to use', () => {
		const warnings = [...cluster.main.log().matchAll(/^ - (\w+) -> /gm)];
		// At each of its starts.
		const names = new Set(warnings.map(([, name]) => name));
		expect([...names].sort()).toEqual([
			'N8N_COMPRESSION_NODE_MAX_DECOMPRESSED_SIZE_BYTES',
			'N8N_COMPRESSION_NODE_MAX_ZIP_ENTRIES',
			'N8N_RUNNERS_TASK_TIMEOUT',
		]);
	});

	describe('has a manual run that', () => {
		let id: string;

		beforeAll(async () => {
			const { main, sandbox } = cluster;
			// Deliveries for a manual run go to the main process.
			sandbox.setRoute(ORIGIN, main.url);
			const nodes = [
				trigger('Trigger', credential),
				{ name: 'After', type: 'n8n-nodes-base.noOp' },
			];
			const connections = chain('Trigger', 'After');
			// As the editor saves it: a worker of n8n 2.41 cannot run a part of a workflow that has no `pinData`.
			const workflow = { name: 'By hand', nodes, connections, pinData: {} };
			({ id } = await main.createWorkflow(workflow));
		}, 60_000);

		afterAll(() => cluster.sandbox.setRoute(ORIGIN, cluster.entrance));

		/** The names of the nodes that have run, in the newest of so many runs, which a worker began. */
		async function ranOnWorker(count: number): Promise<string[]> {
			const run = (await cluster.main.waitForExecutions(id, count, DEADLINE_MS)).at(-1);
			const execution = await cluster.main.execution(run?.id ?? '');
			expect(execution.data.resultData.error).toBeUndefined();
			expect(run).toMatchObject({ mode: 'manual', status: 'success' });
			const begun = `Worker started execution ${run?.id} `;
			expect(workers.filter((worker) => worker.log().includes(begun))).toHaveLength(1);
			expect(outputOf(execution, 'Trigger')).toMatchObject([{ event: EVENT }]);
			return Object.keys(execution.data.resultData.runData);
		}

		it.each([
			['the test event that the workflow listens for', undefined, ['Trigger', 'After']],
			['Execute step of the trigger', 'Trigger', ['Trigger']],
		])(
			'goes to a worker, and starts with what the provider sends: %s',
			async (_what, lastNode, nodes) => {
				const before = (await cluster.main.executions(id)).length;
				await cluster.main.listenForTestEvent(id, 'Trigger', lastNode);
				expect(endpoints().map(({ url }) => url)).toEqual([
					expect.stringContaining(`${ORIGIN}/webhook-test/`),
				]);
				await cluster.sandbox.fire({ provider: PROVIDER, event: EVENT, retry: false });
				expect(await ranOnWorker(before + 1)).toEqual(nodes);
				await until('the test endpoint to be gone', DEADLINE_MS, () =>
					endpoints().length === 0 ? true : undefined,
				);
			},
			DEADLINE_MS * 2,
		);

		it(
			'goes to a worker for Execute step of the node after the trigger',
			async () => {
				const runs = await cluster.main.executions(id);
				const { data } = await cluster.main.execution(runs[0]?.id ?? '');
				await cluster.main.runByHand(id, {
					runData: { Trigger: data.resultData.runData['Trigger'] },
					destinationNode: { nodeName: 'After', mode: 'inclusive' },
					dirtyNodeNames: ['After'],
				});
				expect(await ranOnWorker(runs.length + 1)).toEqual(['Trigger', 'After']);
			},
			DEADLINE_MS,
		);
	});

	it('loses nothing and runs each event once, with a processor and a worker killed meanwhile', async () => {
		const { processors, balancer, services } = cluster;
		const [, processor] = processors;
		const [, worker] = workers;
		if (!processor || !worker) throw new Error('There are not two of each');
		const workflowId = await publishIntake();
		const events = Array.from({ length: 300 }, (_, i) => `evt_queue_load_${1000 + i}`);
		const records = await deliver(events, {
			[100]: async () => await processor.kill(),
			[180]: async () => {
				await until('the second worker to run something', DEADLINE_MS, () =>
					unfinishedBy(worker).length > 0 ? true : undefined,
				);
				await worker.kill();
				// As if the worker had died each time before it could set the lease's expiry.
				for (const lease of await services.redis('--scan', '--pattern', 'lease:*')) {
					await services.redis('PERSIST', lease);
				}
			},
		});
		const accepted = new Set(
			records.filter(({ state }) => state === 'delivered').map(({ id }) => id),
		);
		expect([...accepted].sort()).toEqual(events);

		const orphans = await orphanedJobs();
		expect(orphans).toBeGreaterThan(0);
		expect(await requeue()).toEqual([orphans, 0]);
		expect(await requeue()).toEqual([0, orphans]);
		await until('the queue to be empty', DEADLINE_MS, async () =>
			(await jobs('wait')) + (await jobs('active')) === 0 ? true : undefined,
		);
		const runs = await readRuns(services, workflowId);

		// The processor died between storing a run and queueing it: not answered, so it came again.
		const unqueued = runs.filter(({ status }) => status === 'new');
		for (const { id } of unqueued) {
			for (const each of processors) expect(each.log()).not.toContain(`Enqueued execution ${id} `);
		}
		const queued = runs.filter((run) => !unqueued.includes(run));
		expect(queued.map(({ status }) => status)).toEqual(queued.map(() => 'success'));
		const perEvent = (node: string) => {
			const passed = runs.filter((run) => run.passed.includes(node));
			return events.map((event) => passed.filter(({ eventId }) => eventId === event).length);
		};
		const received = perEvent('Misar Mail');
		const saved = perEvent('Your Work');
		// A run that was cut short after it had worked and set its mark saved nothing of it.
		const marks = await services.redis('--scan', '--pattern', 'done:*');
		const cutShort = events.map(
			(event, at) => saved[at] === 0 && marks.includes(`done:${workflowId}:${event}`),
		);
		const worked = saved.map((count, at) => (cutShort[at] === true ? 1 : count));
		const kept = perEvent('After Remove Duplicates');
		const attempts = records.flatMap((record) => record.attempts);
		const count = (status: number | undefined) =>
			String(attempts.filter((attempt) => attempt.status === status).length);
		printFigures('Two processors and two workers, one of each killed', [
			['what', 'measured'],
			['events', String(events.length)],
			['deliveries, duplicates among them', String(records.length)],
			['attempts answered 200', count(200)],
			['attempts answered 503 (same delivery in work)', count(503)],
			['attempts answered 502 or not at all', `${count(502)} + ${count(undefined)}`],
			['answers by each processor', balancer.answered().join(' + ')],
			['runs in work at the killed worker, given to the other', String(orphans)],
			['runs stored and not queued by the killed processor', String(unqueued.length)],
			['events with no run', String(zeros(received))],
			['duplicates that passed between processes (runs too many)', String(extra(received))],
			['exactly-once intake: events without work', String(zeros(worked))],
			['exactly-once intake: work done twice', String(extra(worked))],
			[
				'exactly-once intake: work done by a run that the kill kept from being saved',
				String(cutShort.filter(Boolean).length),
			],
			['Remove Duplicates in its place: events not kept', String(zeros(kept))],
			['Remove Duplicates in its place: kept twice', String(extra(kept))],
			['endpoints at the provider', String(endpoints().length)],
		]);
		expect(zeros(received)).toBe(0);
		expect(worked).toEqual(events.map(() => 1));
		expect(endpoints()).toHaveLength(1);
	}, 900_000);

	/**
	 * Sends every event, three in ten twice: one of them at the same time, two again a little later,
	 * ten at a time.
	 *
	 * @param at - what else happens when so many events have been sent
	 */
	async function deliver(
		events: readonly string[],
		at: Readonly<Record<number, () => Promise<void>>>,
	): Promise<DeliveryRecord[]> {
		const queue: Array<{ id: string; copies: number; meanwhile?: () => Promise<void> }> = [];
		for (let index = 0; index < events.length + LATER; index += 1) {
			const id = events[index];
			const meanwhile = at[index];
			const copies = index % 10 === 0 ? 2 : 1;
			if (id !== undefined) queue.push({ id, copies, ...(meanwhile && { meanwhile }) });
			const earlier = events[index - LATER];
			if (earlier !== undefined && (index - LATER) % 5 === 1)
				queue.push({ id: earlier, copies: 1 });
		}
		const records: DeliveryRecord[] = [];
		const send = async () => {
			for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
				const { id, copies, meanwhile } = next;
				const [sent] = await Promise.all([
					cluster.sandbox.fire({ provider: PROVIDER, event: EVENT, id, copies }),
					meanwhile?.(),
				]);
				records.push(...sent);
			}
		};
		await Promise.all(Array.from({ length: 10 }, send));
		return records;
	}

	/** How many jobs are in one of the lists of n8n's queue. */
	async function jobs(list: 'wait' | 'active'): Promise<number> {
		return Number((await cluster.services.redis('LLEN', `bull:jobs:${list}`))[0]);
	}

	/** Jobs whose worker is gone, once all others are done and the locks of the dead have ended. */
	async function orphanedJobs(): Promise<number> {
		const { redis } = cluster.services;
		return await until('the locks of the dead worker to end', DEADLINE_MS, async () => {
			const locks = await redis('--scan', '--pattern', 'bull:jobs:*:lock');
			if (locks.length > 0 || (await jobs('wait')) > 0) return undefined;
			return await jobs('active');
		});
	}

	/** What the compose file's service `requeue` does once a minute. */
	async function requeue(): Promise<number[]> {
		return (await cluster.services.redis('--eval', REQUEUE, 'bull:jobs')).map(Number);
	}
});

function zeros(counts: readonly number[]): number {
	return counts.filter((count) => count === 0).length;
}

function extra(counts: readonly number[]): number {
	return counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
}
