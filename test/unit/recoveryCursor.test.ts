import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';

import { metigan } from '../../nodes/Metigan/provider';
import { recovery as suppressions } from '../../nodes/Metigan/recovery';
import { Recovery } from '../../nodes/shared/recovery/recovery';
import type { RecoveryDeps } from '../../nodes/shared/recovery/round';

/** How far a recovery says that it got, which is where the next one begins if n8n is killed. */

const NOW = Date.parse('2036-03-01T12:00:00Z');
const MINUTE_MS = 60_000;
const SLICE_MS = 45_000;
/** More than are looked up at once. */
const COUNT = 101;
/** Of the event with this index; they are a second apart. */
const timeOf = (index: number) => NOW - 4 * MINUTE_MS + index * 1_000;

beforeEach(() => {
	jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
	jest.useRealTimers();
});

type Look = (events: readonly unknown[]) => Promise<{ missing: number[] }>;
type Run = (index: number) => Promise<void>;

const allMissing: Look = async (events) => ({ missing: [...events.keys()] });
const ends: Run = async () => {};
const refuseFirst: Run = async (index) => {
	if (index === 0) throw new Error('n8n starts no run at the moment');
};
const never = async () => await new Promise<never>(() => {});

/**
 * A recovery of missed bounces, a tick each minute.
 * @param query answers which of them have not run
 * @param run the run of one of them, to its end
 * @param slices how long each tick may start runs, in milliseconds
 * @returns what it has saved: up to when all have run, and when the first happened that had not at that moment
 */
async function recover(query: Look, run: Run, slices = [SLICE_MS]) {
	const open = new Set(Array.from({ length: COUNT }, (_, index) => index));
	const data = [...open].map((index) => ({
		email: `${index}@example.com`,
		reason: 'hard_bounce',
		createdAt: new Date(timeOf(index)).toISOString(),
	}));
	const owner = { workflowId: 'wf', nodeId: 'node' };
	const state = { recovery: { ...owner, from: 0, until: 0 } };
	const saved: Array<{ until: number; firstOpen: number }> = [];
	const recovery = new Recovery({
		context: {
			helpers: {
				httpRequestWithAuthentication: async () => ({
					statusCode: 200,
					headers: {},
					body: { data, pagination: { total: COUNT } },
				}),
			},
			getNode: () => ({ name: 'Trigger' }),
			getWorkflow: () => ({ id: owner.workflowId }),
			getCredentials: async () => ({ baseUrl: 'https://api.example.com', apiKey: 'mtg_live_1' }),
			logger: { warn: () => {}, info: () => {} },
		},
		owner,
		provider: metigan[0],
		api: suppressions,
		settings: { events: ['email.bounced'], bounceType: 'any', conditions: [] },
		runs: {
			query,
			toEnd: async ({ recipient }: { recipient: string }) => {
				const index = Number.parseInt(recipient);
				await run(index);
				open.delete(index);
			},
		},
		store: {
			state,
			change: (change: object) => Object.assign(state, change),
			commit: async () =>
				void saved.push({ until: state.recovery.until, firstOpen: timeOf(Math.min(...open)) }),
		},
		isClosed: () => false,
	} as never as RecoveryDeps);
	for (const slice of slices) {
		const now = Date.now();
		void recovery.work(now, now + slice);
		await jest.advanceTimersByTimeAsync(MINUTE_MS);
	}
	return saved;
}

it.each<[string, Look, Run, number[]?]>([
	['whose run is under way', allMissing, async (index) => (index === 0 ? never() : ends(index))],
	[
		'that the tick has no time left to start',
		async (events) => {
			jest.setSystemTime(Date.now() + SLICE_MS);
			return await allMissing(events);
		},
		ends,
	],
	['whose run n8n refused to start', allMissing, refuseFirst, [SLICE_MS, 0]],
	[
		'that is not looked up yet',
		async (events) => (events.length === 1 ? never() : await allMissing(events)),
		ends,
	],
])(
	'what counts as recovered ends before an event %s',
	async (_, query, run, slices = [SLICE_MS]) => {
		const saved = await recover(query, run, slices);
		expect(saved.length).toBeGreaterThan(0);
		for (const { until, firstOpen } of saved) expect(until).toBeLessThan(firstOpen);
	},
);

it('what counts as recovered ends with the last event once all have run', async () => {
	const saved = await recover(allMissing, ends);
	expect(saved.at(-1)?.until).toBe(timeOf(COUNT - 1));
});
