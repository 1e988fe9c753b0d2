import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { lastAnswer, startSandbox, type Sandbox } from '../../sandbox';
import {
	chain,
	outputOf,
	startN8n,
	type N8nHost,
	type NodeDefinition,
} from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { until } from '../../testkit/n8n-host/poll';
import { SECRET, triggerNode } from '../../testkit/publishTrigger';
import { metigan } from '../../testkit/triggers';
import { SlowServer } from './slowServer';

/**
 * Deliveries that are not answered at once, in a real n8n: the answers a provider gets, and the runs. Options → Answer →
 * When the Run Has Succeeded, and Options → Collect For.
 */

/** Metigan waits 30 seconds for an answer, as the sandbox does. */
const [LIMIT_MS, PATIENCE_MS] = [24_000, 30_000];
const TEST_MS = 180_000;

/** n8n 1.x has no publication service. */
const services = process.env['N8N_HOST_PIN'] === '1.x' ? ['without'] : ['with', 'without'];

/** An n8n, and where its webhooks seem to be. */
interface Bed {
	readonly n8n: N8nHost;
	readonly origin: string;
	/** The credential's id. */
	readonly credential: string;
}

let sandbox: Sandbox;
let server: SlowServer;
const beds = new Map<string, Bed>();

beforeAll(async () => {
	// Its retries take an hour and a half.
	sandbox = await startSandbox({ retryTimeScale: 0.001 });
	server = await SlowServer.start();
	for (const service of services) beds.set(service, await openBed(service));
}, 600_000);

afterAll(async () => {
	for (const { n8n } of beds.values()) await n8n.stop();
	await server?.close();
	await sandbox?.close();
}, 120_000);

async function openBed(service: string): Promise<Bed> {
	const origin = `https://${service}.example.com`;
	const n8n = await startN8n({
		tarball: packedPackage(),
		webhookUrl: origin,
		// The other one creates an isolate for each delivery and run, which is n8n's default.
		...(service === 'with' ? {} : { publicationService: false, env: FEW_ISOLATES }),
	});
	sandbox.setRoute(origin, n8n.url);
	const account = { baseUrl: sandbox.url, signingSecret: SECRET };
	const credential = await n8n.createCredential('Metigan', metigan.credential, account);
	return { n8n, origin, credential };
}

function bedOf(service = ''): Bed {
	const bed = beds.get(service);
	if (bed === undefined) throw new Error(`There is no n8n ${service} the publication service`);
	return bed;
}

/** A published workflow of a trigger that answers after its runs. */
interface Flow {
	readonly n8n: N8nHost;
	readonly id: string;
	readonly url: string;
	/** At the server, where the workflow calls it. */
	readonly path: string;
}

/** The node that calls the server, at an address that is an expression. */
const call = (path: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
	name: 'Call',
	type: 'n8n-nodes-base.httpRequest',
	typeVersion: 4.2,
	parameters: {
		method: 'POST',
		url: `={{ $json.event === "${metigan.events[0]}" ? "${server.url(path)}" : "" }}`,
	},
	...more,
});

async function publish(
	{ n8n, origin, credential }: Bed,
	after: (path: string) => NodeDefinition = call,
	options: Record<string, unknown> = {},
): Promise<Flow> {
	const webhookId = randomUUID();
	const path = `/${webhookId}`;
	const node = after(path);
	const { id } = await n8n.createWorkflow({
		name: `Answers after ${node.name}`,
		nodes: [
			triggerNode(
				metigan,
				credential,
				{
					registration: 'manual',
					events: [...metigan.events],
					options: { answer: 'succeeded', ...options },
				},
				{ webhookId },
			),
			node,
		],
		connections: chain('Trigger', node.name),
	});
	await n8n.publish(id);
	return { n8n, id, url: `${origin}/webhook/${webhookId}/${metigan.path}`, path };
}

/** An event: each call of the result delivers it again. Its id is in what the trigger puts out. */
function eventOf({ url }: Flow) {
	const id = `evt_${randomUUID()}`;
	const timestampMs = Date.now();
	const { provider, events, scheme } = metigan;
	const send = async (retry = false) => {
		const event = { provider, event: events[0], scheme, id, url, secret: SECRET, timestampMs };
		const [sent] = await sandbox.fire({ ...event, retry });
		return sent;
	};
	return Object.assign(send, { id });
}

const answerOf = async (sending: ReturnType<ReturnType<typeof eventOf>>) =>
	lastAnswer(await sending);

/** Waits for the ends of a workflow's runs. @returns how they ended */
async function endsOf({ n8n, id }: Flow, count: number): Promise<string[]> {
	return (await n8n.waitForExecutions(id, count, 60_000)).map(({ status }) => status);
}

const [service] = services;

describe('a trigger that answers after the run', () => {
	it(
		'runs an event again by the provider’s own retries until it succeeds',
		async () => {
			const flow = await publish(bedOf(service));
			const send = eventOf(flow);
			server.answer(flow.path, 500, 500, 200);
			const { attempts = [], state } = (await send(true)) ?? {};
			expect(attempts.map(({ status }) => status)).toEqual([503, 503, 200]);
			expect(state).toBe('delivered');
			const ends = ['error', 'error', 'success'];
			expect(await endsOf(flow, 3)).toEqual(ends);
			const copy = await send();
			expect(copy?.attempts[0]).toMatchObject({
				status: 200,
				responseBody: JSON.stringify({ received: true, duplicate: true }),
			});
			const modes = (await flow.n8n.executions(flow.id)).map(({ mode }) => mode);
			expect(modes).toEqual(ends.map(() => 'trigger'));
		},
		TEST_MS,
	);

	it(
		'gives an event that keeps failing up before the provider does',
		async () => {
			const flow = await publish(bedOf(service), call, { reportProblems: true });
			server.answer(flow.path, 500);
			const { attempts = [], state } = (await eventOf(flow)(true)) ?? {};
			expect(attempts.map(({ status }) => status)).toEqual([503, 503, 503, 200]);
			expect(state).toBe('delivered');
			expect(flow.n8n.log()).toContain('failed, and Metigan will not send it again');
			const reported = await until('the problem', 150_000, async () => {
				const runs = await flow.n8n.executions(flow.id);
				return runs.find(({ status }) => status === 'success');
			});
			const { data } = await flow.n8n.execution(reported.id);
			expect(data.resultData.runData['Trigger']?.[0]?.data?.main?.[1]).toMatchObject([
				{ json: { problem: 'eventsGivenUp', count: 1 } },
			]);
		},
		TEST_MS,
	);

	it(
		'answers a copy that comes during the run with the result of the run',
		async () => {
			const flow = await publish(bedOf(service));
			server.hold(flow.path);
			const send = eventOf(flow);
			const answers = [answerOf(send())];
			await server.called(flow.path, 1);
			answers.push(answerOf(send()));
			server.release(flow.path);
			expect(await Promise.all(answers)).toEqual([200, 200]);
			expect(await endsOf(flow, 1)).toEqual(['success']);
		},
		TEST_MS,
	);

	it(
		'answers in time if a run takes longer than the provider waits, and runs it once',
		async () => {
			const flow = await publish(bedOf(service));
			server.hold(flow.path);
			const send = eventOf(flow);
			const [first] = (await send())?.attempts ?? [];
			expect(first?.status).toBe(503);
			expect(first?.durationMs).toBeGreaterThanOrEqual(LIMIT_MS - 50);
			expect(first?.durationMs).toBeLessThan(PATIENCE_MS);
			const copy = answerOf(send());
			server.release(flow.path);
			expect(await copy).toBe(200);
			expect(await endsOf(flow, 1)).toEqual(['success']);
			expect(server.calls(flow.path)).toBe(1);
		},
		TEST_MS,
	);

	it(
		'includes a short wait in the run, and answers when a long one is stored',
		async () => {
			const wait = (amount: number) => (): NodeDefinition => ({
				name: 'Wait',
				type: 'n8n-nodes-base.wait',
				typeVersion: 1.1,
				webhookId: randomUUID(),
				parameters: { amount, unit: 'seconds' },
			});
			const [short, long] = [
				await publish(bedOf(service), wait(5)),
				await publish(bedOf(service), wait(70)),
			];
			const [attempt] = (await eventOf(short)())?.attempts ?? [];
			expect(attempt?.status).toBe(200);
			expect(attempt?.durationMs).toBeGreaterThanOrEqual(4_900);
			expect(await answerOf(eventOf(long)())).toBe(200);
			expect((await long.n8n.executions(long.id)).map(({ status }) => status)).toEqual(['waiting']);
		},
		TEST_MS,
	);

	it(
		'starts one run for each of 40 events at once',
		async () => {
			const flow = await publish(bedOf(service), () => ({
				name: 'After',
				type: 'n8n-nodes-base.noOp',
			}));
			// A busy machine may take longer than Metigan waits: it sends the event again then.
			const answers = Array.from({ length: 40 }, async () => await answerOf(eventOf(flow)(true)));
			expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
			expect(await endsOf(flow, 40)).toEqual(Array(40).fill('success'));
		},
		TEST_MS,
	);

	const ERROR_OUTPUTS = ['continueRegularOutput', 'continueErrorOutput'];
	it.each<[string, (path: string) => NodeDefinition, number, string]>([
		[
			'Stop And Error',
			() => ({
				name: 'Stop',
				type: 'n8n-nodes-base.stopAndError',
				parameters: { errorMessage: 'Failed on purpose' },
			}),
			...([503, 'error'] as const),
		],
		[
			'Respond to Webhook, which needs a Webhook node',
			() => ({ name: 'Respond', type: 'n8n-nodes-base.respondToWebhook', typeVersion: 1.1 }),
			...([503, 'error'] as const),
		],
		...ERROR_OUTPUTS.map((onError): [string, (path: string) => NodeDefinition, number, string] => [
			`a node that fails, On Error: ${onError}`,
			() => call('/fails', { onError }),
			...([200, 'success'] as const),
		]),
	])(
		'answers with the outcome of the run: %s',
		async (_, after, status, end) => {
			server.answer('/fails', 500);
			const flow = await publish(bedOf(service), after);
			expect(await answerOf(eventOf(flow)())).toBe(status);
			expect(await endsOf(flow, 1)).toEqual([end]);
		},
		TEST_MS,
	);

	it(
		'does not start a run again that a person has stopped',
		async () => {
			const flow = await publish(bedOf(service));
			server.hold(flow.path);
			const send = eventOf(flow);
			const answer = answerOf(send());
			await server.called(flow.path, 1);
			const [run] = await flow.n8n.executions(flow.id);
			await flow.n8n.stopExecution(run?.id ?? '');
			expect(await answer).toBe(200);
			expect(await answerOf(send())).toBe(200);
			server.release(flow.path);
			expect(await endsOf(flow, 1)).toEqual(['canceled']);
		},
		TEST_MS,
	);
});

const changes: ReadonlyArray<[string, (flow: Flow) => Promise<void>]> = [
	['unpublished', async ({ n8n, id }) => await n8n.unpublish(id)],
	[
		'published anew',
		async ({ n8n, id }) => {
			await n8n.updateWorkflow(id, { settings: { executionOrder: 'v0' } });
			await n8n.publish(id);
		},
	],
];

describe.each(services)('%s the publication service', (each) => {
	it.each(changes)(
		'a workflow that is %s during the run answers with its result',
		async (_, change) => {
			const flow = await publish(bedOf(each));
			server.hold(flow.path);
			const answer = answerOf(eventOf(flow)());
			await server.called(flow.path, 1);
			await change(flow);
			server.release(flow.path);
			expect(await answer).toBe(200);
			expect(await endsOf(flow, 1)).toEqual(['success']);
		},
		TEST_MS,
	);
});

describe('n8n', () => {
	it(
		'killed during the run drops the connection, and runs the event when it is sent again',
		async () => {
			const flow = await publish(bedOf(service));
			server.hold(flow.path);
			const send = eventOf(flow);
			const first = send();
			await server.called(flow.path, 1);
			await flow.n8n.kill();
			expect((await first)?.attempts[0]?.status).toBeUndefined();
			server.release(flow.path);
			await flow.n8n.restart();
			expect(await answerOf(send())).toBe(200);
			expect(await endsOf(flow, 2)).toEqual(['crashed', 'success']);
		},
		TEST_MS,
	);

	it(
		'stopped during the run answers at its end, or runs the event again',
		async () => {
			const flow = await publish(bedOf(service));
			server.hold(flow.path);
			const sending = eventOf(flow)(true);
			await server.called(flow.path, 1);
			const restart = flow.n8n.restart();
			await until('n8n to stop', 60_000, () => /Stopping n8n/.test(flow.n8n.log()) || undefined);
			server.release(flow.path);
			await restart;
			expect((await sending)?.state).toBe('delivered');
			expect(await endsOf(flow, 1)).toContain('success');
		},
		TEST_MS,
	);

	it(
		'at its concurrency limit answers in time while a run waits for a slot, and runs it once',
		async () => {
			const bed = bedOf(service);
			await bed.n8n.restart({ env: { N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' } });
			const flow = await publish(bed);
			server.hold(flow.path);
			const [running, waiting] = [eventOf(flow), eventOf(flow)];
			const answers = [answerOf(running())];
			await server.called(flow.path, 1);
			answers.push(answerOf(waiting()));
			expect(await Promise.all(answers)).toEqual([503, 503]);
			const copies = [answerOf(running()), answerOf(waiting())];
			server.release(flow.path);
			expect(await Promise.all(copies)).toEqual([200, 200]);
			expect(await endsOf(flow, 2)).toEqual(['success', 'success']);
			expect(server.calls(flow.path)).toBe(2);
		},
		TEST_MS,
	);
});

describe('a trigger that collects events', () => {
	const collecting = { answer: 'received', collectFor: 5, collectAtMost: 40 };
	const noOp = (): NodeDefinition => ({ name: 'After', type: 'n8n-nodes-base.noOp' });

	/** The items that each successful run began with, once every one of the events has run. */
	async function itemsOfRuns({ n8n, id: workflowId }: Flow, events: ReadonlyArray<{ id: string }>) {
		return await until('the events to run', 120_000, async () => {
			const runs = await n8n.executions(workflowId);
			const succeeded = runs.filter(({ status }) => status === 'success');
			const executions = await Promise.all(
				succeeded.map(async ({ id }) => await n8n.execution(id)),
			);
			const items = executions.map((execution) => outputOf(execution, 'Trigger'));
			const text = JSON.stringify(items);
			return events.every(({ id }) => text.includes(id)) ? items : undefined;
		});
	}

	it(
		'answers each when n8n has stored their run, and none of them runs twice',
		async () => {
			const flow = await publish(bedOf(service), noOp, collecting);
			const events = Array.from({ length: collecting.collectAtMost }, () => eventOf(flow));
			const answers = await Promise.all(events.map(async (send) => await answerOf(send())));
			expect(answers).toEqual(events.map(() => 200));
			const copies = await Promise.all(events.map(async (send) => await answerOf(send())));
			expect(copies).toEqual(events.map(() => 200));
			const runs = await itemsOfRuns(flow, events);
			expect(runs.flat()).toHaveLength(events.length);
			// On a busy machine they do not come fast enough for a single one.
			expect(runs.length).toBeLessThan(events.length);
		},
		TEST_MS,
	);

	it(
		'loses none that waited when n8n was killed: each runs when it is sent again',
		async () => {
			const flow = await publish(bedOf(service), noOp, collecting);
			const events = Array.from({ length: 30 }, () => eventOf(flow));
			const sending = events.map(async (send) => await answerOf(send()));
			const [first = eventOf(flow)] = events;
			// Of two copies of an event, the second is put off at once while the first one waits.
			await Promise.race([answerOf(first()), ...sending]);
			await flow.n8n.kill();
			const answers = await Promise.all(sending);
			const cutOff = events.filter((_, index) => answers[index] !== 200);
			expect(cutOff).not.toEqual([]);

			await flow.n8n.restart();
			const again = await Promise.all(cutOff.map(async (send) => await answerOf(send())));
			expect(again).toEqual(cutOff.map(() => 200));
			await itemsOfRuns(flow, cutOff);
		},
		TEST_MS,
	);
});
