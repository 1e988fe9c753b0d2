import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';

import type { ApiClient } from '../../nodes/shared/api/request';
import { PacedClient } from '../../nodes/shared/recovery/pacedClient';

/** How fast a provider's API is called while missed events are looked for. */

beforeEach(() => {
	jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
	jest.useRealTimers();
});

it.each([
	['as its documents allow, where an answer does not say it', undefined, 1_000],
	['as an answer allows', 600, 100],
	['as its documents allow, where an answer says less', 10, 1_000],
])('a provider is called at the rate that applies: %s', async (_, callsPerMinute, interval) => {
	const calls: number[] = [];
	const client = {
		send: async () => {
			calls.push(performance.now());
			return { kind: 'success', callsPerMinute };
		},
		valueOf: () => [],
	} as unknown as ApiClient;
	const paced = new PacedClient(client, 60, () => false);
	const call = { path: '/list', qs: {}, read: () => [] };
	const all = (async () => {
		for (let times = 0; times < 4; times++) await paced.get(call);
	})();
	await jest.advanceTimersByTimeAsync(10_000);
	await all;
	expect(calls.map((time) => time - (calls[0] ?? 0))).toEqual(
		[0, 1, 2, 3].map((n) => n * interval),
	);
});

it('a provider is not called any more once the workflow is unpublished', async () => {
	let calls = 0;
	const client = {
		send: async () => {
			calls += 1;
			return { kind: 'success' };
		},
		valueOf: () => [],
	} as unknown as ApiClient;
	const paced = new PacedClient(client, 60, () => calls === 2);
	const call = { path: '/list', qs: {}, read: () => [] };
	const reading = (async () => {
		for (;;) await paced.get(call);
	})();
	const ended = expect(reading).rejects.toThrow('the workflow was unpublished meanwhile');
	await jest.advanceTimersByTimeAsync(10_000);
	await ended;
	expect(calls).toBe(2);
});
