import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import { PAGE_SIZE, recovery as api } from '../../nodes/Metigan/recovery';
import { LongWork } from '../../nodes/shared/recovery/longWork';
import { Recovery, type RecoveryDeps } from '../../nodes/shared/recovery/recovery';

/** The time that one tick gives to a recovery, and what goes on after it. */

const NOW = Date.parse('2036-03-01T12:00:00Z');
const MINUTE_MS = 60_000;
const SLICE_MS = 45_000;
const PAGES = 150;

beforeEach(() => {
	jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
	jest.useRealTimers();
});

describe('work that takes longer than one wait for it', () => {
	it('is begun once, and its end is seen by the wait that it falls into', async () => {
		const work = new LongWork();
		const begin = jest.fn(async () => await new Promise<void>((end) => setTimeout(end, 100_000)));
		const waits: boolean[] = [];
		for (let wait = 0; wait < 4; wait++) {
			void work.endsWithin(SLICE_MS, begin).then((ended) => waits.push(ended));
			await jest.advanceTimersByTimeAsync(SLICE_MS);
		}
		expect(waits).toEqual([false, false, true, false]);
		expect(begin).toHaveBeenCalledTimes(2);
	});

	it('fails at the next wait where nobody waited meanwhile, and is begun again after that', async () => {
		const work = new LongWork();
		const fail = async () => {
			await new Promise((end) => setTimeout(end, 60_000));
			throw new Error('the list cannot be read');
		};
		const first = work.endsWithin(SLICE_MS, fail);
		await jest.advanceTimersByTimeAsync(MINUTE_MS);
		expect(await first).toBe(false);
		await expect(work.endsWithin(SLICE_MS, fail)).rejects.toThrow('the list cannot be read');
		expect(work.isUnderWay).toBe(false);
	});
});

/** A recovery of a trigger whose provider lists so many pages with a bounce each, all of which have run. */
function recover(isClosed = () => false) {
	const pages: unknown[] = [];
	const bounce = { reason: 'hard_bounce', createdAt: new Date(NOW - 2 * MINUTE_MS).toISOString() };
	const noEvents = Array.from({ length: PAGE_SIZE - 1 }, () => ({ reason: 'manual' }));
	const listed = (page: number) => [{ ...bounce, email: `${page}@example.com` }, ...noEvents];
	const httpRequestWithAuthentication = async (_type: string, { qs }: { qs: { page: number } }) => {
		pages.push(qs.page);
		const pagination = { total: PAGES * PAGE_SIZE };
		return { statusCode: 200, headers: {}, body: { data: listed(qs.page), pagination } };
	};
	const context = {
		helpers: { httpRequestWithAuthentication },
		getNode: () => ({ name: 'Trigger' }) as INode,
		getCredentials: async (): Promise<ICredentialDataDecryptedObject> => ({
			baseUrl: 'https://api.example.com',
			apiKey: 'mtg_live_of_this_test',
		}),
		logger: { warn: () => {}, info: () => {} },
	};
	const start = NOW - 5 * MINUTE_MS;
	const owner = { workflowId: 'wf', nodeId: 'node' };
	const state = { revision: 1, recovery: { ...owner, from: start, until: start } };
	const deps = {
		context,
		...{ owner, provider: metigan[0], api, isClosed },
		settings: { events: ['email.bounced'], bounceType: 'any', conditions: [] },
		// Nothing is missing.
		runs: { query: async () => ({ missing: [] }), close: () => {} },
		store: {
			state,
			change: (change: object) => Object.assign(state, change),
			commit: async () => {},
		},
	};
	return { recovery: new Recovery(deps as never as RecoveryDeps), pages, state };
}

describe('a list that takes longer to read than a tick may last', () => {
	it('is read on in the next ticks, each page once', async () => {
		const { recovery, pages, state } = recover();
		const slices: number[] = [];
		for (let tick = 0; tick < 4; tick++) {
			const began = Date.now();
			void recovery
				.work(began, began + SLICE_MS)
				.then(() => slices.push((Date.now() - began) / 1_000));
			await jest.advanceTimersByTimeAsync(MINUTE_MS);
		}
		expect(slices.slice(0, 2)).toEqual([45, 45]);
		expect(slices).toHaveLength(4);
		expect(pages).toEqual(Array.from({ length: PAGES }, (_, index) => index + 1));
		expect(state.recovery.until).toBe(NOW - 2 * MINUTE_MS);
	});

	it('is read no further once the workflow is unpublished', async () => {
		let isClosed = false;
		const { recovery, pages } = recover(() => isClosed);
		void recovery.work(NOW, NOW + SLICE_MS);
		await jest.advanceTimersByTimeAsync(SLICE_MS);
		isClosed = true;
		const read = pages.length;
		await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
		expect(pages).toHaveLength(read);
	});
});
