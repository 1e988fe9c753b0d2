import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
	ManualExecutionCancelledError,
	SystemShutdownExecutionCancelledError,
	TimeoutExecutionCancelledError,
	type ITriggerFunctions,
	type IWebhookFunctions,
} from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import type { TriggerSettings } from '../../nodes/shared/settings';
import {
	afterRun,
	AwaitedRuns,
	startRunsWith,
	type AwaitedDelivery,
} from '../../nodes/shared/trigger/answerAfterRun';

/** How a delivery is answered at the end of its run, whatever n8n reports. */

const LIMIT_MS = 8_000;
const MINUTE_MS = 60_000;

type Emit = ITriggerFunctions['emit'];
type Done = NonNullable<Parameters<Emit>[2]>;
type Run = Parameters<Done['resolve']>[0];

/** A run that n8n was asked for: how to report its end, and what it answered. */
interface Started {
	readonly done: Done;
	readonly response: NonNullable<Parameters<Emit>[1]>;
}

let started: Started[];
let accepted: string[];
let givenUp: string[];
let runs: AwaitedRuns;

beforeEach(() => {
	jest.useFakeTimers();
	[started, accepted, givenUp] = [[], [], []];
	runs = new AwaitedRuns();
});
afterEach(() => void jest.useRealTimers());

const emit: Emit = (_items, response, done) => {
	if (response === undefined || done === undefined) throw new Error('nobody waits for the run');
	started.push({ response, done });
};

const triggerWith = (how: Emit) =>
	({ emit: how }) as Partial<ITriggerFunctions> as ITriggerFunctions;

function delivery(key = 'evt_1', changes: Partial<AwaitedDelivery> = {}): AwaitedDelivery {
	return {
		key,
		limitMs: LIMIT_MS,
		acceptsLongRuns: false,
		maxRefusals: 3,
		maxRefusalsInARow: Number.POSITIVE_INFINITY,
		onAccepted: () => void accepted.push(key),
		onGivenUp: () => void givenUp.push(key),
		...changes,
	};
}

/** As a delivery arrives: it joins a run that goes on, or starts one. */
async function arrive(of = delivery(), how: Emit = emit) {
	return await (runs.join(of) ?? runs.start(of, triggerWith(how), [{ event: of.key }]));
}

const ended = (status: string) => ({ status }) as Partial<NonNullable<Run>> as Run;

/** A delivery whose run ends with a status at once. */
async function arriveAndEnd(status: string, of = delivery()) {
	const answer = arrive(of);
	started.at(-1)?.done.resolve(ended(status));
	return await answer;
}

describe('a run', () => {
	it.each(['success', 'waiting'])('that ends as %s is answered with 200', async (status) => {
		expect(await arriveAndEnd(status)).toEqual({ status: 200, body: { received: true } });
		expect([accepted, givenUp]).toEqual([['evt_1'], []]);
	});

	it.each(['error', 'crashed', 'canceled', 'unknown'])(
		'that ends as %s is answered with 503',
		async (status) => {
			expect(await arriveAndEnd(status)).toEqual({
				status: 503,
				body: { error: 'the run failed' },
				retryAfterSeconds: 300,
			});
			expect([accepted, givenUp]).toEqual([[], []]);
		},
	);

	it.each<[string, (run: Started) => void, 200 | 503]>([
		['a person canceled', ({ done }) => done.reject(new ManualExecutionCancelledError('1')), 200],
		[
			'took too long for n8n',
			({ done }) => done.reject(new TimeoutExecutionCancelledError('1')),
			503,
		],
		[
			'n8n ended to stop',
			({ done }) => done.reject(new SystemShutdownExecutionCancelledError('1')),
			503,
		],
		['n8n could not store', ({ done }) => done.reject(new Error('SQLITE_FULL')), 503],
		['may not use its credential', ({ done }) => done.resolve(undefined as never), 503],
		['a worker ended well', ({ response }) => response.resolve({}), 200],
		[
			'a worker ended badly',
			({ response }) =>
				response.resolve({
					body: { message: 'Workflow execution failed' },
					statusCode: 500,
				} as never),
			503,
		],
	])('that %s is answered', async (_, end, status) => {
		const answer = arrive();
		for (const run of started) end(run);
		await jest.advanceTimersByTimeAsync(1_000);
		expect(await answer).toMatchObject({ status });
		expect(accepted).toEqual(status === 200 ? ['evt_1'] : []);
	});

	it('that n8n refuses to start is answered with 503, and the next delivery runs', async () => {
		const refused: Emit = () => {
			throw new Error('The workflow is shutting down');
		};
		expect(await arrive(delivery(), refused)).toMatchObject({ status: 503 });
		expect(await arriveAndEnd('success')).toMatchObject({ status: 200 });
	});

	it('is waited for even if it has a Respond to Webhook node', async () => {
		const answer = arrive();
		started[0]?.response.resolve({ body: {}, headers: {}, statusCode: 200 } as never);
		await jest.advanceTimersByTimeAsync(2_000);
		started[0]?.done.resolve(ended('error'));
		expect(await answer).toMatchObject({ status: 503 });
	});
});

it('each of thousands of triggers answers after its runs', () => {
	const [provider] = metigan;
	const context = { getMode: () => 'webhook' } as Partial<IWebhookFunctions> as IWebhookFunctions;
	const settings = { answer: 'succeeded' } as Partial<TriggerSettings> as TriggerSettings;
	const owners = Array.from({ length: 5_000 }, (_, id) => ({
		workflowId: `answers ${id}`,
		nodeId: 'trigger',
	}));
	const ends = owners.map((owner) => startRunsWith(triggerWith(emit), owner));
	const identity = { deliveryId: 'evt_1', mayRecur: false };
	const event = { provider, settings, eventName: 'email.opened', identity };
	for (const owner of owners) expect(afterRun(context, { owner, ...event })).toBeDefined();
	for (const end of ends) end();
});

describe('a copy', () => {
	it('that comes during the run gets its answer, and starts none', async () => {
		const answers = [arrive(), arrive(), arrive()];
		started[0]?.done.resolve(ended('error'));
		expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 503, 503]);
		expect(started).toHaveLength(1);
	});

	it('that comes during the last allowed run gets the same answer as any other', async () => {
		const of = delivery('evt_1', { maxRefusals: 0 });
		const answers = [arrive(of), arrive(of), arrive(of)];
		started[0]?.done.resolve(ended('error'));
		expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
		expect([started.length, givenUp]).toEqual([1, ['evt_1']]);
	});

	it('that comes after the run has failed runs', async () => {
		await arriveAndEnd('error');
		expect(await arriveAndEnd('success')).toMatchObject({ status: 200 });
		expect(started).toHaveLength(2);
	});

	it('of another event runs at the same time', async () => {
		const first = arrive();
		expect(await arriveAndEnd('success', delivery('evt_2'))).toMatchObject({ status: 200 });
		started[0]?.done.resolve(ended('success'));
		expect(await first).toMatchObject({ status: 200 });
	});
});

describe('a run that outlasts the time that the provider waits', () => {
	it('is answered with 503, and the next copy gets its answer', async () => {
		const answer = arrive();
		await jest.advanceTimersByTimeAsync(LIMIT_MS - 1);
		expect(accepted).toEqual([]);
		await jest.advanceTimersByTimeAsync(1);
		expect(await answer).toEqual({
			status: 503,
			body: { error: 'the run has not finished' },
			retryAfterSeconds: 60,
		});
		await jest.advanceTimersByTimeAsync(MINUTE_MS);
		const copy = arrive();
		started[0]?.done.resolve(ended('success'));
		expect(await copy).toEqual({ status: 200, body: { received: true } });
		expect([started.length, accepted]).toEqual([1, ['evt_1']]);
	});

	it('counts as done if it ends between two copies', async () => {
		const answer = arrive();
		await jest.advanceTimersByTimeAsync(LIMIT_MS);
		expect((await answer).status).toBe(503);
		started[0]?.done.resolve(ended('success'));
		await jest.advanceTimersByTimeAsync(0);
		expect(accepted).toEqual(['evt_1']);
	});

	it('counts as one attempt if it fails after its delivery was answered', async () => {
		const statuses = [];
		for (let attempt = 0; attempt < 4; attempt += 1) {
			const answer = arrive();
			await jest.advanceTimersByTimeAsync(LIMIT_MS);
			statuses.push((await answer).status);
			started.at(-1)?.done.resolve(ended('error'));
			await jest.advanceTimersByTimeAsync(0);
		}
		expect(statuses).toEqual([503, 503, 503, 200]);
		expect([started.length, givenUp]).toEqual([4, ['evt_1']]);
	});

	it('is answered with 200 if the user chose so, and given up if it fails', async () => {
		const of = delivery('evt_1', { acceptsLongRuns: true });
		const answer = arrive(of);
		await jest.advanceTimersByTimeAsync(LIMIT_MS);
		expect(await answer).toEqual({ status: 200, body: { received: true, running: true } });
		expect(await arrive(of)).toEqual({ status: 200, body: { received: true, duplicate: true } });
		expect([accepted, givenUp]).toEqual([['evt_1'], []]);
		started[0]?.done.resolve(ended('error'));
		await jest.advanceTimersByTimeAsync(0);
		expect([started.length, givenUp]).toEqual([1, ['evt_1']]);
	});

	it('uses up attempts, so that the provider does not disable the endpoint over a single run', async () => {
		const statuses = [];
		for (let copy = 0; copy < 5; copy += 1) {
			const answer = arrive();
			await jest.advanceTimersByTimeAsync(LIMIT_MS);
			statuses.push((await answer).status);
		}
		expect(statuses).toEqual([503, 503, 503, 200, 200]);
		expect([started.length, givenUp]).toEqual([1, []]);
		started[0]?.done.resolve(ended('error'));
		await jest.advanceTimersByTimeAsync(0);
		expect(givenUp).toEqual(['evt_1']);
	});

	it('counts as lost after an hour, and the event runs again', async () => {
		void arrive();
		await jest.advanceTimersByTimeAsync(60 * MINUTE_MS);
		expect(runs.join(delivery())).toBeDefined();
		await jest.advanceTimersByTimeAsync(1);
		expect((await arriveAndEnd('success')).status).toBe(200);
		expect(started).toHaveLength(2);
	});
});

describe('an event whose runs fail', () => {
	it('is given up after as many deliveries as the user allows', async () => {
		const statuses = [];
		for (let attempt = 0; attempt < 4; attempt += 1) {
			expect(givenUp).toEqual([]);
			statuses.push((await arriveAndEnd('error')).status);
		}
		expect(statuses).toEqual([503, 503, 503, 200]);
		expect([accepted, givenUp]).toEqual([['evt_1'], ['evt_1']]);
	});

	it('is given up at once if the user allows one delivery', async () => {
		const of = delivery('evt_1', { maxRefusals: 0 });
		expect(await arriveAndEnd('error', of)).toEqual({
			status: 200,
			body: { received: true, failed: true },
		});
		expect(givenUp).toEqual(['evt_1']);
	});

	it('has its attempts counted from zero again after a success', async () => {
		await arriveAndEnd('error');
		await arriveAndEnd('success');
		for (let attempt = 0; attempt < 3; attempt += 1) {
			expect((await arriveAndEnd('error')).status).toBe(503);
		}
	});

	it('is given up before the provider would disable the endpoint', async () => {
		const statuses = [];
		for (let event = 0; event < 12; event += 1) {
			const of = delivery(`evt_${event}`, { maxRefusalsInARow: 4 });
			statuses.push((await arriveAndEnd('error', of)).status);
		}
		const round = [503, 503, 503, 503, 200];
		expect(statuses).toEqual([...round, ...round, 503, 503]);
		expect(givenUp).toEqual(['evt_4', 'evt_9']);
		const good = delivery('good', { maxRefusalsInARow: 4 });
		await arriveAndEnd('success', good);
		for (let event = 20; event < 24; event += 1) {
			const of = delivery(`evt_${event}`, { maxRefusalsInARow: 4 });
			expect((await arriveAndEnd('error', of)).status).toBe(503);
		}
	});

	it('is forgotten once 10,000 others have failed since', async () => {
		for (let attempt = 0; attempt < 3; attempt += 1) await arriveAndEnd('error');
		for (let event = 0; event < 9_999; event += 1)
			await arriveAndEnd('error', delivery(`o${event}`));
		expect((await arriveAndEnd('error')).status).toBe(200);
		for (let attempt = 0; attempt < 3; attempt += 1) await arriveAndEnd('error');
		for (let event = 0; event < 10_000; event += 1)
			await arriveAndEnd('error', delivery(`p${event}`));
		expect((await arriveAndEnd('error')).status).toBe(503);
	});
});
