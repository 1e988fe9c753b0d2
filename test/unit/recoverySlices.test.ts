import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, IDataObject, INode } from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import { PAGE_SIZE, recovery as metiganList } from '../../nodes/Metigan/recovery';
import { misarBlog } from '../../nodes/MisarBlog/provider';
import { ARTICLES, recovery as articles } from '../../nodes/MisarBlog/recovery';
import { LongWork } from '../../nodes/shared/recovery/longWork';
import { Recovery } from '../../nodes/shared/recovery/recovery';
import type { RecoveryDeps } from '../../nodes/shared/recovery/round';
import { readCommand } from '../../nodes/shared/state/commands';

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
	it('is begun once, and its end is seen by the wait during which it comes', async () => {
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

	it('that failed between two waits fails the next one, and is begun again after that', async () => {
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

interface Asked {
	readonly path: string;
	readonly page: number;
}

/**
 * A recovery of events all or none of which are missing.
 *
 * @param answer what the provider answers a call: the body, a status, or an error in place of an answer
 */
function startRecovery(
	deps: Pick<RecoveryDeps, 'provider' | 'api'> & { readonly settings: object },
	answer: (asked: Asked) => Promise<object> | object | number,
	{
		areMissing = false,
		isClosed = () => false,
		refuses = () => false,
	}: {
		readonly areMissing?: boolean;
		readonly isClosed?: () => boolean;
		/** Whether n8n refuses the run that is the nth to be started, counted from 1. */
		readonly refuses?: (nth: number) => boolean;
	} = {},
) {
	const calls: Asked[] = [];
	const httpRequestWithAuthentication = async (
		_type: string,
		{ url, qs }: { url: string; qs: { page: number } },
	) => {
		const asked = { path: new URL(url).pathname, page: qs.page };
		calls.push(asked);
		const body = await answer(asked);
		if (body instanceof Error) throw body;
		return { statusCode: typeof body === 'number' ? body : 200, headers: {}, body };
	};
	const context = {
		helpers: { httpRequestWithAuthentication },
		getNode: () => ({ name: 'Trigger' }) as INode,
		getWorkflow: () => ({ id: 'wf' }),
		getCredentials: async (): Promise<ICredentialDataDecryptedObject> => ({
			baseUrl: 'https://api.example.com',
			apiKey: 'mtg_live_of_this_test',
		}),
		logger: { warn: () => {}, info: () => {} },
	};
	const start = NOW - 5 * MINUTE_MS;
	const owner = { workflowId: 'wf', nodeId: 'node' };
	const state = { revision: 1, recovery: { ...owner, from: start, until: start } };
	const started: IDataObject[] = [];
	const refused: IDataObject[] = [];
	const recovery = new Recovery({
		...{ ...deps, context, owner, isClosed },
		runs: {
			query: async (events: readonly unknown[]) => ({
				missing: areMissing ? events.map((_, index) => index) : [],
			}),
			toEnd: async (item: IDataObject) => {
				const isRefused = refuses(started.length + refused.length + 1);
				(isRefused ? refused : started).push(item);
				if (isRefused) throw new Error('n8n is shutting down');
			},
		},
		store: {
			state,
			change: (change: object) => Object.assign(state, change),
			commit: async () => {},
		},
	} as never as RecoveryDeps);
	return { recovery, calls, started, refused, state };
}

/** A tick each minute. @returns how many seconds of each the recovery worked */
async function tick(recovery: Recovery, times: number): Promise<number[]> {
	const seconds: number[] = [];
	for (let time = 0; time < times; time++) {
		const began = Date.now();
		void recovery
			.work(began, began + SLICE_MS)
			.then(() => seconds.push((Date.now() - began) / 1_000));
		await jest.advanceTimersByTimeAsync(MINUTE_MS);
	}
	return seconds;
}

/** Pages with one bounce each, all of which have run. */
function recoverPages(isClosed?: () => boolean) {
	const bounce = { reason: 'hard_bounce', createdAt: new Date(NOW - 2 * MINUTE_MS).toISOString() };
	const noEvents = Array.from({ length: PAGE_SIZE - 1 }, () => ({ reason: 'manual' }));
	const settings = { events: ['email.bounced'], bounceType: 'any', conditions: [] };
	return startRecovery(
		{ provider: metigan[0], api: metiganList, settings },
		({ page }) => ({
			data: page > PAGES ? [] : [{ ...bounce, email: `${page}@example.com` }, ...noEvents],
			pagination: { total: PAGES * PAGE_SIZE },
		}),
		isClosed && { isClosed },
	);
}

describe('a list that takes longer to read than a tick may last', () => {
	it('is read further in the next ticks, each page once', async () => {
		const { recovery, calls, state } = recoverPages();
		const seconds = await tick(recovery, 4);
		expect(seconds.slice(0, 2)).toEqual([45, 45]);
		expect(seconds).toHaveLength(4);
		// As the last one was full, another one is asked for.
		expect(calls.map(({ page }) => page)).toEqual(
			Array.from({ length: PAGES + 1 }, (_, index) => index + 1),
		);
		expect(state.recovery.until).toBe(NOW - 2 * MINUTE_MS);
	});

	it('is read no further once the workflow is unpublished', async () => {
		let isClosed = false;
		const { recovery, calls } = recoverPages(() => isClosed);
		void recovery.work(NOW, NOW + SLICE_MS);
		await jest.advanceTimersByTimeAsync(SLICE_MS);
		isClosed = true;
		const read = calls.length;
		await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
		expect(calls).toHaveLength(read);
	});
});

describe('articles that are requested one by one, to compare them with the conditions', () => {
	const ids = Array.from({ length: 20 }, (_, index) => `art-${index}`);

	/** @param field has to exist in their items */
	function recoverArticles(field: string) {
		const published_at = new Date(NOW - 2 * MINUTE_MS).toISOString();
		const article = (id: string) => ({ id, slug: id, published_at });
		const conditions = [{ path: [field], operator: 'exists', value: '' }];
		const { calls, ...more } = startRecovery(
			{
				...{ provider: misarBlog[0], api: articles },
				settings: { events: ['article.published'], bounceType: 'any', conditions },
			},
			async ({ path }) => {
				if (path === ARTICLES) return { data: ids.map(article), total: ids.length };
				await new Promise((answer) => setTimeout(answer, 5_000));
				return article(path.slice(ARTICLES.length + 1));
			},
			{ areMissing: true },
		);
		const requested = () => calls.map(({ path }) => path).filter((path) => path !== ARTICLES);
		return { ...more, requested };
	}

	it('are requested until the tick is over, and each once', async () => {
		const { recovery, requested, started } = recoverArticles('event');
		const seconds = await tick(recovery, 4);
		// The last request of a tick may begin just before its end.
		for (const each of seconds) expect(each).toBeLessThan(SLICE_MS / 1_000 + 6);
		expect(seconds).toHaveLength(4);
		expect(started).toHaveLength(ids.length);
		expect(requested()).toEqual(ids.map((id) => `${ARTICLES}/${id}`));
	});

	it('are not requested again by the next look if they do not meet them', async () => {
		const { recovery, requested, started } = recoverArticles('none');
		await tick(recovery, 4);
		expect(requested()).toHaveLength(ids.length);
		recovery.request();
		await tick(recovery, 4);
		expect(requested()).toHaveLength(ids.length);
		expect(started).toEqual([]);
	});
});

describe('an article that cannot be requested', () => {
	const recoverTwo = (odd: number | Error) => {
		const published_at = new Date(NOW - 2 * MINUTE_MS).toISOString();
		const article = (id: string) => ({ id, slug: id, published_at });
		return startRecovery(
			{
				...{ provider: misarBlog[0], api: articles },
				settings: { events: ['article.published'], bounceType: 'any', conditions: [] },
			},
			({ path }) => {
				if (path === ARTICLES) return { data: ['odd', 'even'].map(article), total: 2 };
				const id = path.slice(ARTICLES.length + 1);
				return id === 'odd' ? odd : article(id);
			},
			{ areMissing: true },
		);
	};
	const sources = (items: readonly IDataObject[]) => items.map(({ source }) => source);
	const [LIST, ONE] = [`GET ${ARTICLES}`, `GET ${ARTICLES}/:id`];
	const tooLarge = Object.assign(new Error('too large'), { code: 'ERR_BODY_TOO_LARGE' });

	it.each([400, 403, 404, 410, 414, 422, tooLarge])(
		'runs as it was listed (%s), and the others run',
		async (odd) => {
			const { recovery, started } = recoverTwo(odd);
			await tick(recovery, 1);
			expect(sources(started).sort()).toEqual([LIST, ONE]);
		},
	);

	it.each([401, 429, 503, Object.assign(new Error('down'), { code: 'ECONNREFUSED' })])(
		'is waited for while the provider gives out nothing (%s)',
		async (odd) => {
			const { recovery, started } = recoverTwo(odd);
			await tick(recovery, 60);
			expect(started).toEqual([]);
		},
	);

	it.each([500, 501])(
		'runs as it was listed after three looks (%i), and the others run',
		async (odd) => {
			const { recovery, started } = recoverTwo(odd);
			await tick(recovery, 1);
			expect(started).toEqual([]);
			await tick(recovery, 20);
			expect(sources(started).sort()).toEqual([LIST, ONE]);
		},
	);
});

/** Short enough that 120 of them are over before a missed event counts as one that is still on its way. */
const GAP_MS = 400;

/** Bounces of some addresses, a little apart and the first one first, whose deliveries were lost. */
function recoverBounces(emails: readonly string[], refuses: (nth: number) => boolean) {
	const settings = { events: ['email.bounced'], bounceType: 'any', conditions: [] };
	const bounces = emails.map((email, index) => ({
		email,
		reason: 'hard_bounce',
		createdAt: new Date(NOW - 2 * MINUTE_MS + index * GAP_MS).toISOString(),
	}));
	return startRecovery(
		{ provider: metigan[0], api: metiganList, settings },
		() => ({ data: bounces.reverse(), pagination: { total: bounces.length } }),
		{ areMissing: true, refuses },
	);
}

describe('a run that n8n refuses', () => {
	const commandOf = (item: IDataObject = {}) => readCommand(item).command;
	const recipients = (items: readonly IDataObject[]) => items.map(({ recipient }) => recipient);

	it('leaves the end that it was to note to a later one', async () => {
		const emails = ['a1@example.com', 'a2@example.com'];
		const { recovery, started, refused } = recoverBounces(emails, (nth) => nth === 2);
		await tick(recovery, 2);
		const noted = { ended: expect.arrayContaining([expect.stringContaining('a1@')]) };
		expect(recipients(refused)).toEqual(['a2@example.com']);
		expect(commandOf(refused[0])).toMatchObject(noted);
		expect(recipients(started)).toEqual(emails);
		expect(commandOf(started[1])).toMatchObject(noted);
	});

	it('is started again before those of later events', async () => {
		const emails = ['b1@example.com', 'b2@example.com', 'b3@example.com', 'b4@example.com'];
		const { recovery, started, refused } = recoverBounces(emails, (nth) => nth === 1);
		await tick(recovery, 2);
		expect(recipients(refused)).toEqual(emails.slice(0, 1));
		const again = recipients(started).indexOf('b1@example.com');
		expect(recipients(started).slice(again)).toEqual([
			'b1@example.com',
			...emails.slice(1 + again),
		]);
		expect(started).toHaveLength(4);
		expect(again).toBeLessThan(3);
	});
});

it('the cursor stays before every event that has not run, although most are still to be asked about', async () => {
	const emails = Array.from({ length: 120 }, (_, index) => `c${index}@example.com`);
	const cursors: number[] = [];
	const { recovery, started, state } = recoverBounces(emails, () => {
		cursors.push(state.recovery.until);
		return false;
	});
	await tick(recovery, 2);
	expect(started).toHaveLength(emails.length);
	const first = NOW - 2 * MINUTE_MS;
	const missed = cursors.filter((until, index) => until >= first + index * GAP_MS);
	expect(missed).toEqual([]);
});
