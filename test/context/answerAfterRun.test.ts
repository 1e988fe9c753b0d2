import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import type * as answerModule from '../../nodes/shared/trigger/answerAfterRun';
import { buildDelivery, lastAnswer, startSandbox } from '../../sandbox';
import { ContextHost, type StartedTrigger } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { registeredByHand, selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { endProcess } from './process';
import {
	metigan,
	misarBlog,
	misarMail,
	triggersUnderTest,
	type TriggerUnderTest,
} from './providers';

/** Deliveries that a trigger answers after their runs: Options -> Answer -> When the Run Has Succeeded. */

const ORIGIN = 'https://n8n.example.com';
const SECRET = 'whsec_of_this_test';
const RECEIVED = { received: true };

interface Trigger {
	readonly host: ContextHost;
	readonly started: StartedTrigger;
}

const { AwaitedRuns } = jest.requireActual<typeof answerModule>(
	path.join(__dirname, '../../dist/nodes/shared/trigger/answerAfterRun.js'),
);
/** Everything but `setTimeout` is real, so that no timeout of a test is left when it ends. */
const REAL_TIME: NonNullable<Parameters<typeof jest.useFakeTimers>[0]> = {
	advanceTimers: true,
	doNotFake: [
		'Date',
		'hrtime',
		'nextTick',
		'performance',
		'queueMicrotask',
		'setImmediate',
		'setInterval',
	],
};
const triggers: Trigger[] = [];
let count = 0;
let joins: jest.SpiedFunction<(typeof AwaitedRuns)['prototype']['join']>;

beforeEach(() => {
	jest.useFakeTimers(REAL_TIME);
	joins = jest.spyOn(AwaitedRuns.prototype, 'join');
});

afterEach(async () => {
	jest.useRealTimers();
	jest.restoreAllMocks();
	for (const { host, started } of triggers.splice(0)) {
		await started.close();
		await host.close();
	}
});

async function start(
	options: INodeParameters = {},
	of: TriggerUnderTest = misarMail,
	more: INodeParameters = {},
): Promise<Trigger> {
	const host = new ContextHost({
		...registeredByHand(of, SECRET, {
			options: { answer: 'succeeded', ...options },
			...more,
		}),
		credential: { signingSecret: SECRET, apiKey: 'key' },
		// A process remembers a workflow beyond the test.
		workflowId: `answer ${count++}`,
	});
	await host.listen();
	const trigger = { host, started: await host.startTrigger() };
	triggers.push(trigger);
	return trigger;
}

const signed = (of: TriggerUnderTest = misarMail, id = 'evt_1') =>
	buildDelivery({
		provider: of.provider,
		event: of.events[0],
		secret: SECRET,
		scheme: of.scheme,
		id,
		timestampMs: Date.now(),
	});

/** The runs that deliveries started: their items. */
const startedRuns = ({ host }: Trigger) =>
	host.emitted.map(({ items }) => items.map(({ json }) => json));

/** Waits until so many deliveries have started a run, or joined one. */
async function deliveriesIn(number: number): Promise<void> {
	await until(
		`${number} deliveries`,
		10_000,
		async () => joins.mock.calls.length >= number || undefined,
	);
}

/** Holds runs until it is called. */
function holdRuns({ host }: Trigger): () => void {
	let release = () => {};
	const held = new Promise<void>((resolve) => (release = resolve));
	host.beforeRun = async () => await held;
	return release;
}

const after = triggersUnderTest.filter(({ provider }) => provider !== misarBlog.provider);

describe.each(after.map((trigger) => [trigger.title, trigger] as const))('%s', (_title, of) => {
	it('is answered 503 while runs fail, and 200 after one that succeeds', async () => {
		const trigger = await start(of.customEvents ? { customEvents: of.events.join(',') } : {}, of);
		const delivery = signed(of);
		trigger.host.failRuns = true;
		for (let attempt = 0; attempt < 2; attempt += 1) {
			const failed = await trigger.host.deliver(delivery);
			expect(failed).toMatchObject({ status: 503, body: { error: 'the run failed' } });
			expect(failed.headers.get('retry-after')).toBe('300');
		}
		trigger.host.failRuns = false;
		expect(await trigger.host.deliver(delivery)).toMatchObject({ status: 200, body: RECEIVED });
		expect(await trigger.host.deliver(delivery)).toMatchObject({
			status: 200,
			body: { received: true, duplicate: true },
		});
		expect(startedRuns(trigger)).toHaveLength(3);
		// n8n itself starts no run: that would be a second one for the event.
		expect(trigger.host.runs).toEqual([]);
	});
});

it('Misar.Blog, which never retries, is answered when its event is received', async () => {
	const { host } = await start({}, misarBlog);
	expect((await host.deliver(signed(misarBlog))).run).toHaveLength(1);
	const properties = misarBlog.nodeType.description.properties.flatMap(
		({ options = [] }) => options,
	);
	expect(properties.map(({ name }) => name)).not.toContain('answer');
});

it.each(after.map((trigger) => [trigger.title, trigger] as const))(
	'%s is answered before it stops waiting, while the run goes on',
	async (_title, of) => {
		// As its document says, or as the shortest of the others.
		const waitsMs = of.provider === 'metigan' ? 30_000 : 10_000;
		const trigger = await start(of.customEvents ? { customEvents: of.events.join(',') } : {}, of);
		const release = holdRuns(trigger);
		let answered = false;
		const delivery = signed(of);
		const answer = trigger.host.deliver(delivery).finally(() => (answered = true));
		await deliveriesIn(1);
		await jest.advanceTimersByTimeAsync(waitsMs / 2);
		expect(answered).toBe(false);
		await jest.advanceTimersByTimeAsync(waitsMs / 2 - 1_000);
		expect(await answer).toMatchObject({
			status: 503,
			body: { error: 'the run has not finished' },
		});
		const copy = trigger.host.deliver(delivery);
		await deliveriesIn(2);
		release();
		expect(await copy).toMatchObject({ status: 200, body: RECEIVED });
		expect(startedRuns(trigger)).toHaveLength(1);
	},
);

it('a run that n8n refuses is answered with 503', async () => {
	const trigger = await start();
	trigger.host.refuseRuns = true;
	expect(await trigger.host.deliver(signed())).toMatchObject({ status: 503 });
	trigger.host.refuseRuns = false;
	expect(await trigger.host.deliver(signed())).toMatchObject({ status: 200 });
});

it('deliveries that arrive at once have a run each', async () => {
	const trigger = await start();
	const answers = await Promise.all(
		Array.from(
			{ length: 40 },
			async (_, n) => await trigger.host.deliver(signed(misarMail, `e${n}`)),
		),
	);
	expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
	expect(new Set(startedRuns(trigger).map(([item]) => item?.['deliveryId'])).size).toBe(40);
});

it('forged and unselected deliveries are answered at once, and start no run', async () => {
	const trigger = await start();
	holdRuns(trigger);
	const forged = signed();
	const headers = { ...forged.headers, 'x-misar-signature': '0'.repeat(64) };
	expect(await trigger.host.deliver({ ...forged, headers })).toMatchObject({ status: 401 });
	const other = buildDelivery({
		provider: misarMail.provider,
		event: 'email.opened',
		secret: SECRET,
		scheme: misarMail.scheme,
		timestampMs: Date.now(),
	});
	expect(await trigger.host.deliver(other)).toMatchObject({ status: 200 });
	expect(startedRuns(trigger)).toEqual([]);
});

it('without Skip Duplicates a copy runs after the run has ended, not before', async () => {
	const trigger = await start({ skipDuplicates: false });
	const release = holdRuns(trigger);
	const both = [trigger.host.deliver(signed()), trigger.host.deliver(signed())];
	await deliveriesIn(2);
	release();
	expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
	expect(startedRuns(trigger)).toHaveLength(1);
	expect(await trigger.host.deliver(signed())).toMatchObject({ status: 200, body: RECEIVED });
	expect(startedRuns(trigger)).toHaveLength(2);
});

describe('an event that is given up', () => {
	it('is logged, and reported with the next run', async () => {
		const warnings = recordWarnings();
		const trigger = await start({ maxAttempts: 2, reportProblems: true });
		trigger.host.failRuns = true;
		expect(await trigger.host.deliver(signed())).toMatchObject({ status: 503 });
		expect(await trigger.host.deliver(signed())).toMatchObject({
			status: 200,
			body: { received: true, failed: true },
		});
		expect(warnings).toEqual([
			'The run of an event (email.bounced, evt_1) failed, and Misar Mail will not send it again',
		]);
		trigger.host.failRuns = false;
		await trigger.host.deliver(signed(misarMail, 'evt_2'));
		const [, problem] = startedRuns(trigger).at(-1) ?? [];
		expect(problem).toEqual({
			problem: 'eventsGivenUp',
			provider: 'misar',
			product: 'mail',
			since: expect.any(String),
			count: 1,
			deliveryIds: ['evt_1'],
			lastAt: expect.any(String),
			message: expect.stringMatching(
				/Misar Mail will not send these again: evt_1\. .*\/executions$/,
			),
			workflow: expect.objectContaining({ name: 'Test workflow' }),
		});
		expect(trigger.host.emitted.at(-1)?.outputs).toMatchObject([
			[{ json: { deliveryId: 'evt_2' } }],
			[{ json: { problem: 'eventsGivenUp' } }],
		]);
	});

	it('is reported by the next minute’s tick if no delivery follows', async () => {
		recordWarnings();
		const trigger = await start({ maxAttempts: 1, reportProblems: true });
		trigger.host.failRuns = true;
		await trigger.host.deliver(signed());
		trigger.host.failRuns = false;
		trigger.started.tick();
		await trigger.host.runsEnded();
		expect(startedRuns(trigger).at(-1)).toMatchObject([{ problem: 'eventsGivenUp', count: 1 }]);
	});

	it('keeps Metigan from disabling the endpoint after ten failures', async () => {
		recordWarnings();
		const trigger = await start({}, metigan);
		trigger.host.failRuns = true;
		const statuses: number[] = [];
		for (let event = 0; event < 20; event += 1) {
			statuses.push((await trigger.host.deliver(signed(metigan, `evt_${event}`))).status);
		}
		const inARow = statuses
			.join(' ')
			.split('200')
			.map((row) => row.split('503').length - 1);
		expect(statuses).toContain(503);
		expect(Math.max(...inARow)).toBeLessThanOrEqual(5);
	});

	it('has its attempts counted per process, so a new process begins at zero', async () => {
		const trigger = await start({ maxAttempts: 2 });
		trigger.host.failRuns = true;
		expect(await trigger.host.deliver(signed())).toMatchObject({ status: 503 });
		endProcess();
		const next = await trigger.host.startTrigger();
		expect(await trigger.host.deliver(signed())).toMatchObject({ status: 503 });
		await next.close();
	});
});

it('a trigger that ends lets its runs end, and answers them', async () => {
	const trigger = await start();
	const release = holdRuns(trigger);
	const answer = trigger.host.deliver(signed());
	await deliveriesIn(1);
	await trigger.started.close();
	release();
	expect(await answer).toMatchObject({ status: 200, body: RECEIVED });
});

it('a trigger that is started again takes over, even if the old one ends after that', async () => {
	const trigger = await start();
	const next = await trigger.host.startTrigger();
	await trigger.started.close();
	expect(await trigger.host.deliver(signed())).toMatchObject({ status: 200, run: undefined });
	expect(startedRuns(trigger)).toHaveLength(1);
	await next.close();
	const warnings = recordWarnings();
	expect((await trigger.host.deliver(signed(misarMail, 'evt_2'))).run).toHaveLength(1);
	expect(warnings).toHaveLength(1);
});

it('a process without the trigger answers when a delivery is received, and says so once', async () => {
	const warnings = recordWarnings();
	const trigger = await start();
	// A webhook processor of queue mode: n8n starts no triggers there.
	endProcess();
	for (const id of ['evt_1', 'evt_2']) {
		const answer = await trigger.host.deliver(signed(misarMail, id));
		expect(answer).toMatchObject({ status: 200, body: RECEIVED });
		expect(answer.run).toMatchObject([{ json: { deliveryId: id } }]);
	}
	expect(startedRuns(trigger)).toEqual([]);
	expect(warnings).toEqual([expect.stringMatching(/^This process of n8n cannot wait for runs/)]);
});

it('a test listener answers when the event is received', async () => {
	const trigger = await start();
	trigger.host.restart({ mode: 'manual' });
	expect((await trigger.host.deliver(signed())).run).toHaveLength(1);
	expect(startedRuns(trigger)).toEqual([]);
});

it('a record that n8n has lost is saved again by the run of a delivery', async () => {
	const sandbox = await startSandbox();
	try {
		const host = new ContextHost({
			...selfRegistering(misarMail, sandbox, {
				nodeParameters: { options: { answer: 'succeeded' } },
			}),
			workflowId: `answer ${count++}`,
			webhookOrigin: ORIGIN,
		});
		sandbox.setRoute(ORIGIN, await host.listen());
		await host.publish();
		const { remembered } = host;
		triggers.push({ host, started: await host.startTrigger() });
		host.savedStaticData = {};
		host.restart();
		const { provider, events } = misarMail;
		const [delivery] = await sandbox.fire({ provider, event: events[0], retry: false });
		expect(lastAnswer(delivery)).toBe(200);
		expect(host.emitted.map(({ outputs }) => outputs.map(({ length }) => length))).toEqual([[1]]);
		expect(remembered).not.toEqual({});
		expect(host.remembered).toEqual(remembered);
	} finally {
		await sandbox.close();
	}
});

it('problems leave beside the event, and at once if a delivery is refused', async () => {
	recordWarnings();
	const trigger = await start({ reportProblems: true }, metigan);
	const odd = buildDelivery({
		provider: metigan.provider,
		event: metigan.events[0],
		secret: SECRET,
		scheme: metigan.scheme,
		timestampMs: Date.now(),
		data: { unheard: 'of' },
	});
	expect(await trigger.host.deliver(odd)).toMatchObject({ status: 200 });
	expect(trigger.host.emitted.at(-1)?.outputs).toMatchObject([
		[{ json: { event: metigan.events[0] } }],
		[{ json: { problem: 'eventsUnknown' } }],
	]);
	// A refused delivery is reported at once, by a run of n8n's.
	const refused = await trigger.host.deliver({ headers: {}, body: '{}' });
	expect(refused).toMatchObject({ status: 401, run: [{ json: { problem: 'deliveriesRefused' } }] });
});

it('an event whose run failed runs again even if missed events are recovered', async () => {
	const trigger = await start({ recoverMissed: true }, metigan);
	const delivery = signed(metigan);
	trigger.host.failRuns = true;
	expect(await trigger.host.deliver(delivery)).toMatchObject({ status: 503 });
	trigger.host.failRuns = false;
	expect(await trigger.host.deliver(delivery)).toMatchObject({ status: 200 });
	const outputs = trigger.host.emitted.map(({ outputs: [events = []] }) => events.length);
	expect(outputs).toEqual([1, 1]);
});

it.each<[string, IDataObject, string]>([
	['answer', { answer: 'later' }, 'one of received, succeeded'],
	['longRuns', { longRuns: 'maybe' }, 'one of sendAgain, received'],
	['maxAttempts', { maxAttempts: 0 }, 'a whole number of 1 or more'],
])(
	'an option %s that cannot be used is named when the workflow is published',
	async (_, wrong, what) => {
		recordWarnings();
		const { host } = await start(wrong as INodeParameters);
		await expect(host.publish()).rejects.toThrow(what);
	},
);
