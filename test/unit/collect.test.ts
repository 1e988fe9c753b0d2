import { EventEmitter } from 'node:events';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';

import { Collector } from '../../nodes/shared/trigger/collect';
import { SEED } from '../seed';

/** Deliveries that wait for others, so that one run takes all of them. */

/** The response to a delivery. */
class Response extends EventEmitter {
	statusCode = 200;
	writableEnded = false;

	answer(statusCode: number): void {
		this.end(statusCode);
		this.emit('finish');
	}

	end(statusCode: number): void {
		this.statusCode = statusCode;
		this.writableEnded = true;
	}
}

const LIMITS = { collectFor: 1, collectAtMost: 3 };

let collector: Collector;
beforeEach(() => {
	collector = new Collector();
	jest.useFakeTimers();
});
afterEach(() => {
	jest.useRealTimers();
});

/** A delivery that waits for others. */
function deliver(id: number, bytes = 1_000, node = 'node') {
	const answer = new Response();
	const result = collector.add(node, { items: [{ id }], bytes, answer }, LIMITS);
	let ended: unknown = 'waits';
	void result.then((value) => (ended = value));
	return { answer, result, state: () => ended };
}

const pass = async (ms: number) => await jest.advanceTimersByTimeAsync(ms);
const run = (...ids: number[]) => ({ items: ids.map((id) => ({ id })) });

describe('a run', () => {
	it('takes all that came until nothing more comes for a tenth of the time', async () => {
		const first = deliver(1);
		await pass(90);
		const second = deliver(2);
		await pass(90);
		expect([first.state(), second.state()]).toEqual(['waits', 'waits']);
		await pass(10);
		expect([first.state(), second.state()]).toEqual([run(1, 2), 'waits']);
	});

	it('begins when the time is over although more comes all the time', async () => {
		collector = new Collector();
		const patient = { collectFor: 1, collectAtMost: 1_000 };
		const add = async (id: number) =>
			await collector.add('node', { items: [{ id }], bytes: 1, answer: new Response() }, patient);
		const first = add(0);
		for (let id = 1; id <= 30; id += 1) {
			await pass(50);
			void add(id);
		}
		expect(await first).toEqual(run(...Array.from({ length: 20 }, (_, id) => id)));
	});

	it('begins at once when it has as many as it may take, and the next one begins with what follows', async () => {
		const deliveries = [1, 2, 3, 4].map((id) => deliver(id));
		await pass(0);
		expect(deliveries.map(({ state }) => state())).toEqual([
			run(1, 2, 3),
			'waits',
			'waits',
			'waits',
		]);
		await pass(100);
		expect(deliveries[3]?.state()).toEqual(run(4));
	});

	it('begins at once when the bodies have 5 MB together', async () => {
		const [first] = [deliver(1, 3_000_000), deliver(2, 2_000_000)];
		await pass(0);
		expect(first?.state()).toEqual(run(1, 2));
		const large = deliver(3, 16_000_000);
		await pass(0);
		expect(large.state()).toEqual(run(3));
	});

	it('takes nothing of another node', async () => {
		const nodes = [deliver(1, 1, 'node 1'), deliver(2, 1, 'node 2')];
		await pass(100);
		expect(nodes.map(({ state }) => state())).toEqual([run(1), run(2)]);
	});
});

describe('deliveries that a run takes besides its first', () => {
	it.each([
		['accepted', 200, true],
		['not accepted', 500, false],
		['not accepted', 503, false],
	])('are %s when n8n answers the first with %i', async (_what, status, isAccepted) => {
		const [first, second, third] = [1, 2, 3].map((id) => deliver(id));
		await first?.result;
		first?.answer.answer(status);
		expect(await Promise.all([second?.result, third?.result])).toEqual([
			{ isAccepted },
			{ isAccepted },
		]);
	});

	it('get what n8n answers when the sender of the first has hung up', async () => {
		const [first, second] = [deliver(1), deliver(2)];
		first.answer.emit('close');
		await pass(100);
		expect([first.state(), second.state()]).toEqual([run(1, 2), 'waits']);
		first.answer.end(200);
		await pass(100);
		expect(second.state()).toEqual({ isAccepted: true });
	});

	it('are accepted with the first although the answer to an earlier request has to be sent before its own', async () => {
		const [first, second] = [deliver(1), deliver(2)];
		await pass(100);
		first.answer.end(200);
		await pass(100);
		expect(second.state()).toEqual({ isAccepted: true });
	});

	it('are not accepted when n8n never answers the first, whose sender has hung up', async () => {
		const [first, second] = [deliver(1), deliver(2)];
		first.answer.emit('close');
		await pass(120_000);
		expect(second.state()).toEqual({ isAccepted: false });
	});
});

it('every delivery is in one run of its node, and gets its answer, whatever comes when (fast-check)', async () => {
	const deliveries = fc.array(
		fc.record({
			afterMs: fc.integer({ min: 0, max: 150 }),
			bytes: fc.constantFrom(1, 3_000_000, 6_000_000),
			node: fc.constantFrom('node 1', 'node 2'),
			/** What n8n answers it with if it starts a run, and whether its sender waits for that. */
			status: fc.constantFrom(200, 500),
			waits: fc.boolean(),
			workMs: fc.integer({ min: 0, max: 3_000 }),
		}),
		{ minLength: 1, maxLength: 40 },
	);
	await fc.assert(
		fc.asyncProperty(deliveries, async (list) => {
			collector = new Collector();
			/** The deliveries of each run, by the one that started it. */
			const runs = new Map<number, number[]>();
			const sent = [];
			for (const [id, { afterMs, bytes, node, status, waits, workMs }] of list.entries()) {
				await pass(afterMs);
				const { answer, result, state } = deliver(id, bytes, node);
				sent.push(state);
				void result.then((collected) => {
					if (!('items' in collected)) return;
					runs.set(
						id,
						collected.items.map((item) => Number(item['id'])),
					);
					setTimeout(() => (waits ? answer.answer(status) : answer.end(status)), workMs);
				});
			}
			await pass(5_000);
			expect([...runs.values()].flat().sort((a, b) => a - b)).toEqual([...list.keys()]);
			for (const [first, [, ...others]] of runs) {
				expect(others.length).toBeLessThan(LIMITS.collectAtMost);
				for (const id of others) {
					expect(list[id]?.node).toBe(list[first]?.node);
					expect(sent[id]?.()).toEqual({ isAccepted: list[first]?.status === 200 });
				}
			}
		}),
		{ seed: SEED, numRuns: 100 },
	);
});
