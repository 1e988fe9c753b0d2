import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { buildDelivery, lastAnswer } from '../../sandbox';
import { chain, outputOf, type NodeDefinition } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, startCluster, type Cluster } from '../../testkit/queue/cluster';
import { readCaddyfile } from '../../testkit/queue/compose';
import { whenEnded } from '../../testkit/queue/runs';
import { startCaddy } from '../../testkit/reverseProxies';
import { metigan, misarMail } from '../../testkit/triggers';
import { printFigures } from '../figures';
import { EMAIL_EVENTS, letHappen, mixedEvents, RunCounter, untold } from '../recoveryBed';
import { Deliveries } from './copies';
import { createCredential, EVENT, PROVIDER, trigger, type CredentialRef } from './intake';

/** What the main process does for the processors and the workers, and which processor gets a delivery. */

const DEADLINE_MS = 300_000;
const DELIVERIES = 40;
const LATE_LISTENER = join(__dirname, '../../testkit/queue/lateListener.cjs');

let cluster: Cluster;
let credential: CredentialRef;

beforeAll(async () => {
	cluster = await startCluster();
	credential = await createCredential(cluster);
	await cluster.startWorkers();
}, 600_000);

afterAll(async () => await cluster?.stop(), 180_000);

const endpoints = () => cluster.sandbox.endpoints(PROVIDER);

/** Publishes a workflow of a trigger with some options and a node after it. @returns its id */
async function publish(name: string, options: object = {}, misar = credential): Promise<string> {
	const node = trigger('Trigger', misar);
	const { id } = await cluster.main.createWorkflow({
		name,
		nodes: [
			{ ...node, parameters: { ...node.parameters, options } },
			{ name: 'After', type: 'n8n-nodes-base.noOp' },
		],
		connections: chain('Trigger', 'After'),
	});
	await cluster.main.publish(id);
	return id;
}

/** What each of the two processors answers to an event signed with a secret. */
async function statusesOf(url = '', secret = ''): Promise<Array<number | string>> {
	const statuses: Array<number | string> = [];
	// The balancer gives the next one to the other processor.
	for (let copy = 0; copy < 2; copy += 1) {
		const event = { provider: PROVIDER, event: EVENT, url, secret, retry: false } as const;
		const [sent] = await cluster.sandbox.fire(event);
		statuses.push(lastAnswer(sent));
	}
	return statuses;
}

it('every processor verifies what was signed before the workflow was published again', async () => {
	const { main, balancer, sandbox } = cluster;
	// A derived secret would be the same again.
	sandbox.setBehaviour(PROVIDER, { secretMode: 'issue' });
	const id = await publish('Published twice');
	const [former] = endpoints();
	await main.unpublish(id);
	await main.publish(id);
	const [present] = endpoints();
	expect(present?.secret).not.toBe(former?.secret);

	const answeredBefore = balancer.answered();
	const statusesFor = async (secret: string | undefined) => await statusesOf(present?.url, secret);
	expect(await statusesFor(former?.secret)).toEqual([200, 200]);
	expect(await statusesFor(present?.secret)).toEqual([200, 200]);
	// A processor cannot know whether another secret was issued since.
	expect(await statusesFor('whsec_of_somebody_else')).toEqual([503, 503]);
	expect(balancer.answered()).toEqual(answeredBefore.map((count) => count + 3));
	expect(await main.waitForExecutions(id, 4)).toHaveLength(4);
	await main.unpublish(id);
	sandbox.setBehaviour(PROVIDER, { secretMode: 'accept' });
}, 300_000);

it('every processor collects what it receives, and each event runs once', async () => {
	const { main, balancer, entrance, services } = cluster;
	const id = await publish('Collected', { collectFor: 5, collectAtMost: DELIVERIES / 2 });
	const { url = '', secret = '' } = endpoints()[0] ?? {};
	const address = `${entrance}${new URL(url).pathname}`;
	const answeredBefore = balancer.answered();
	const events = Array.from({ length: DELIVERIES }, (_, index) => `evt_collected_${index}`);
	// Not by the sandbox, which hangs up after ten seconds.
	const send = async (event: string) => {
		const { scheme } = misarMail;
		const delivery = buildDelivery({ provider: PROVIDER, event: EVENT, id: event, scheme, secret });
		return (await fetch(address, { method: 'POST', ...delivery })).status;
	};
	expect(await Promise.all(events.map(send))).toEqual(events.map(() => 200));
	const answered = balancer.answered().map((count, index) => count - (answeredBefore[index] ?? 0));
	expect(Math.min(...answered)).toBeGreaterThan(1);
	const runs = await whenEnded(services, id);
	expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['success']));
	const executions = await Promise.all(runs.map(async (run) => await main.execution(run.id)));
	const ran = executions.flatMap((execution) => outputOf(execution, 'After'));
	expect(ran.map(({ deliveryId }) => deliveryId).sort()).toEqual([...events].sort());
	// On a busy machine they do not come fast enough for one run of each processor.
	expect(runs.length).toBeLessThan(events.length);
	await main.unpublish(id);
}, 300_000);

it('the main process repairs an endpoint, and every processor verifies its deliveries', async () => {
	const { main, sandbox } = cluster;
	const id = await publish('Repaired', { checkInterval: 1, reportProblems: true });
	const [former] = endpoints();
	sandbox.removeEndpoint(PROVIDER, former?.id ?? '');
	const present = await until('the processors to accept a new endpoint', 150_000, async () => {
		const [own] = endpoints();
		if (own === undefined) return undefined;
		const statuses = await statusesOf(own.url, own.secret);
		return statuses.every((status) => status === 200) ? own : undefined;
	});
	expect(endpoints()).toMatchObject([{ id: present.id, url: former?.url }]);

	// A processor, which has no checks of its own, reports what it refused.
	const kinds = async () => {
		const runs = await main.executions(id);
		const executions = await Promise.all(runs.map(async (run) => await main.execution(run.id)));
		return executions.flatMap((execution) =>
			outputOf(execution, 'Trigger', 1).map((item) => item['problem']),
		);
	};
	expect(await statusesOf(present.url, 'whsec_of_a_forger')).toEqual([401, 401]);
	await until('the problems', 60_000, async () => {
		const found = await kinds();
		return (found.includes('deliveriesRefused') && found.includes('endpointRepaired')) || undefined;
	});

	// One call a minute, and no run: the main process knows what the worker saved.
	const before = sandbox.requests().length;
	const runs = (await main.executions(id)).length;
	// The first of them also reads the list, for what the repair may have left.
	await until('two more checks', 200_000, () =>
		sandbox.requests().length >= before + 3 ? true : undefined,
	);
	const calls = sandbox.requests().slice(before);
	expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['GET']));
	expect(calls.at(-1)?.path).toMatch(new RegExp(`/${present.id}$`));
	expect(await main.executions(id)).toHaveLength(runs);
	await main.unpublish(id);
	expect(endpoints()).toEqual([]);
}, 600_000);

it('a secret is rotated without a publish, and no valid delivery is refused meanwhile', async () => {
	const { main, sandbox } = cluster;
	const [oldSecret, newSecret] = ['whsec_before_the_rotation', 'whsec_after_the_rotation'];
	const account = {
		product: 'mail',
		baseUrl: sandbox.url,
		apiKey: sandbox.keys[PROVIDER],
		signingSecret: oldSecret,
	};
	const name = 'Rotated';
	const rotating = { id: await main.createCredential(name, 'misarApi', account), name };
	const id = await publish(name, { checkInterval: 1 }, rotating);
	await main.updateCredential(rotating.id, name, 'misarApi', {
		...account,
		signingSecret: newSecret,
		previousSigningSecret: oldSecret,
	});

	// The provider signs with what its endpoints have, and sends to each that is there.
	const events: string[] = [];
	const statuses: Array<number | string> = [];
	const fire = async (secret?: string) => {
		const event = `evt_queue_rotation_${events.length}`;
		events.push(event);
		const deliveries = await sandbox.fire({
			provider: PROVIDER,
			event: EVENT,
			id: event,
			retry: false,
			...(secret === undefined ? {} : { secret, url: endpoints()[0]?.url ?? '' }),
		});
		statuses.push(...deliveries.map(lastAnswer));
	};
	await until('the endpoint to have the new secret alone', 200_000, async () => {
		await fire();
		// Deliveries one after the other: the run that saves waits in the same queue.
		await whenEnded(cluster.services, id);
		const secrets = endpoints().map(({ secret }) => secret);
		return (secrets.length === 1 && secrets[0] === newSecret) || undefined;
	});
	// Both processors, with the new secret and with the old one.
	for (const secret of [newSecret, oldSecret, newSecret, oldSecret]) {
		await fire(secret);
		await fire(secret);
	}
	expect(new Set(statuses)).toEqual(new Set([200]));
	const runs = await whenEnded(cluster.services, id);
	expect(runs.filter(({ status }) => status !== 'success')).toEqual([]);
	const ran = new Set(runs.map(({ eventId }) => eventId));
	expect(events.filter((event) => !ran.has(event))).toEqual([]);
	await main.unpublish(id);
	expect(endpoints()).toEqual([]);
}, 600_000);

it('missed events are recovered, and each event runs once', async () => {
	const { main, sandbox } = cluster;
	const counter = new RunCounter();
	await counter.start();
	try {
		const url = await counter.publish(main, ORIGIN, metigan, sandbox, EMAIL_EVENTS);
		// Copies that reach two processors at the same moment are not tested here: see the intake.
		const events = mixedEvents('metigan', url, 60).filter(({ kind }) => kind !== 'duplicated');
		await letHappen(sandbox, events, 'delivered', 'refused');
		await main.kill();
		// The processors and the workers go on taking deliveries.
		await letHappen(sandbox, untold(events), 'unknown', 'unreachable', 'late');
		// From now on it misses the ends of runs.
		await main.restart({ env: { NODE_OPTIONS: `--require ${JSON.stringify(LATE_LISTENER)}` } });
		await until(
			() => `every event to run; ${counter.ran.size} have`,
			DEADLINE_MS,
			() => counter.ran.size === events.length || undefined,
		);
		await letHappen(sandbox, events, 'late');
		const calls = () =>
			sandbox.requests().filter(({ path }) => path.startsWith('/api/suppressions')).length;
		const seen = calls();
		await until(
			() => `another check; n8n's log ends:\n${main.log().slice(-2_000)}`,
			DEADLINE_MS,
			() => calls() > seen || undefined,
		);
		expect([...counter.ran].filter(([, times]) => times !== 1)).toEqual([]);
		expect(main.log()).toMatch(/\d+ of \d+ missed events were recovered/);
	} finally {
		counter.stop();
	}
}, 600_000);

it('the main process answers after the run, and the processors when a delivery is received', async () => {
	const { main, processors, sandbox } = cluster;
	const publish = async (after: NodeDefinition) => {
		const node = trigger('Trigger', credential);
		const options = { answer: 'succeeded' };
		const { id } = await main.createWorkflow({
			name: after.name,
			nodes: [{ ...node, parameters: { ...node.parameters, options } }, after],
			connections: chain('Trigger', after.name),
		});
		await main.publish(id);
		return { id, endpointId: endpoints().at(-1)?.id ?? '' };
	};
	const fire = async ({ endpointId }: { endpointId: string }) =>
		lastAnswer(
			(await sandbox.fire({ provider: PROVIDER, event: EVENT, endpointId, retry: false }))[0],
		);
	const fails = await publish({
		name: 'Fails',
		type: 'n8n-nodes-base.stopAndError',
		parameters: { errorMessage: 'Failed on purpose' },
	});
	const succeeds = await publish({ name: 'Succeeds', type: 'n8n-nodes-base.noOp' });

	for (let each = 0; each < 4; each += 1) expect(await fire(fails)).toBe(200);
	expect((await main.waitForExecutions(fails.id, 4)).map(({ mode }) => mode)).toEqual(
		Array(4).fill('webhook'),
	);
	for (const processor of processors) {
		expect(processor.log().split('This process of n8n cannot wait for runs')).toHaveLength(2);
	}

	// It also misses the ends of short runs, as can happen to any main process.
	const NODE_OPTIONS = `--require ${JSON.stringify(LATE_LISTENER)}`;
	await main.restart({ env: { NODE_OPTIONS, N8N_DISABLE_PRODUCTION_MAIN_PROCESS: 'false' } });
	sandbox.setRoute(ORIGIN, main.url);
	try {
		// n8n is ready before it has started its triggers; until then deliveries are answered when received.
		const isRefused = async () => (await fire(fails)) === 503 || undefined;
		await until('a failed run to be answered', DEADLINE_MS, isRefused);
		const run = await until('a run that the trigger starts', DEADLINE_MS, async () => {
			expect(await fire(succeeds)).toBe(200);
			const runs = await main.waitForExecutions(succeeds.id, 1);
			return runs.find(({ mode }) => mode === 'trigger');
		});
		expect(run.status).toBe('success');
	} finally {
		sandbox.setRoute(ORIGIN, cluster.entrance);
		await main.unpublish(fails.id);
		await main.unpublish(succeeds.id);
	}
}, 600_000);

it('a retry reaches the processor that took the first try, while that one is alive', async () => {
	const { processors, services } = cluster;
	const [first, second] = processors;
	if (first === undefined || second === undefined) throw new Error('There are not two processors');
	const caddy = await startCaddy(readCaddyfile(), {
		'n8n-webhook-1:5678': new URL(first.url).host,
		'n8n-webhook-2:5678': new URL(second.url).host,
		'n8n:5678': new URL(cluster.main.url).host,
	});
	try {
		const prepare = async (...how: [typeof misarMail | typeof metigan, string]) =>
			await Deliveries.prepare(cluster, caddy.url, ...how, DELIVERIES);
		const mail = await prepare(misarMail, misarMail.scheme);
		const rows = [
			['X-Misar-Delivery', mail],
			['X-Webhook-Id', await prepare(metigan, metigan.scheme)],
			['none', await prepare(misarMail, 'mailHeader')],
		] as const;
		const runs = async ({ workflowId }: Deliveries) =>
			(await whenEnded(services, workflowId)).length;
		const noticed: number[] = [];
		for (const [, deliveries] of rows) {
			await deliveries.sendUnheard();
			noticed.push(await deliveries.sendAgain());
			expect(await runs(deliveries)).toBe(2 * DELIVERIES - (noticed.at(-1) ?? 0));
		}
		await second.kill();
		const left = await mail.sendAgain();
		const again = DELIVERIES - left;
		printFigures(`${DELIVERIES} deliveries whose first answer got lost, sent again through Caddy`, [
			['id of the delivery', 'noticed as a duplicate', 'run twice'],
			...rows.map(([name], index) => [
				name,
				String(noticed[index]),
				String(DELIVERIES - (noticed[index] ?? 0)),
			]),
			['X-Misar-Delivery, one processor killed', String(left), String(again)],
		]);
		expect(noticed.slice(0, 2)).toEqual([DELIVERIES, DELIVERIES]);
		// Without the header a processor is chosen at random.
		expect(noticed[2]).toBeLessThan(DELIVERIES);
		// The killed processor's memory is gone, the other one's is not.
		expect(left).toBeGreaterThan(0);
		expect(again).toBeGreaterThan(0);
		expect(await runs(mail)).toBe(DELIVERIES + again);
	} finally {
		await caddy.stop();
	}
}, 600_000);
