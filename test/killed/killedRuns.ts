import { beforeAll, describe, expect, it } from '@jest/globals';

import { until } from '../../testkit/n8n-host/poll';
import { tally } from '../faults/loadTraffic';
import { printFigures } from '../figures';
import { KILLS } from '../nightly';
import { killedBed, type Place, type Work } from './bed';
import { storedRuns, untilIdle, type StoredRun } from './runs';

/** n8n is killed during runs: what happens to them, with the template that runs them again and without it. */

/** Accepted events between two kills, and runs that each kill cuts short at least. */
const [EVENTS_PER_KILL, RUNS_PER_KILL] = [20, 4];
const WAIT_MS = 300_000;

/** What a run that was started in the editor works on. */
const BY_HAND = 'by-hand';

/** The events of the runs with a status. */
function eventsOf(runs: readonly StoredRun[], status: string): Set<string | undefined> {
	return new Set(runs.filter((run) => run.status === status).map(({ event }) => event));
}

/** @param database - its name, for people */
export function killedRuns(database: string, openPlace: () => Promise<Place>): void {
	const bed = killedBed(openPlace);
	const runsOf = async ({ id }: Work) => await storedRuns(bed().place.query, id);

	it(
		`runs every accepted event to its end, however often n8n on ${database} is killed`,
		async () => {
			const { other, place, n8n, chat } = bed();
			const work = await bed().publishWork();
			const { accepted } = work.senders;
			const withoutSuccess = (runs: readonly StoredRun[]) => {
				const succeeded = eventsOf(runs, 'success');
				return [...accepted].filter((event) => !succeeded.has(event));
			};
			let underWay = 0;
			other.keepWaiting(RUNS_PER_KILL);
			const sending = work.senders.start();
			for (let kill = 1; kill <= KILLS; kill += 1) {
				await until('the events before a kill', WAIT_MS, () => {
					const enough = accepted.size >= kill * EVENTS_PER_KILL;
					return enough && other.atWork().length === RUNS_PER_KILL ? true : undefined;
				});
				underWay += await bed().killAndRestart(work);
			}
			await sending.stop();
			other.keepWaiting(0);
			await untilIdle(place.query, work.id);
			const before = await runsOf(work);

			// Once more while the template runs one of them again.
			other.keepWaiting(1);
			const template = await bed().importTemplate({ maxAttempts: 4 });
			await bed().publishQuick(template);
			await until('a crashed run to be started again', WAIT_MS, () =>
				other.atWork().length > 0 ? true : undefined,
			);
			await bed().killAndRestart(work);
			other.keepWaiting(0);
			const crashed = before.filter(({ status }) => status === 'crashed');
			const retriesIn = (runs: readonly StoredRun[]) =>
				runs.filter(({ status, retryOf }) => status === 'success' && retryOf !== null);
			await until('the crashed runs to succeed', WAIT_MS + KILLS * 60_000, async () =>
				retriesIn(await runsOf(work)).length >= crashed.length ? true : undefined,
			);
			await n8n.unpublish(template.id);
			await untilIdle(place.query, work.id);
			const after = await runsOf(work);

			const left = withoutSuccess(before);
			const again = retriesIn(after);
			printFigures(`Killed in the middle of runs (n8n on ${database})`, [
				['figure', 'value'],
				['kills without the template, then one with it', String(KILLS)],
				['events accepted', String(accepted.size)],
				['runs under way at the kills', String(underWay)],
				['executions before the template is published', tally(before.map(({ status }) => status))],
				['accepted events that had no successful run', String(left.length)],
				['executions in the end', tally(after.map(({ status }) => status))],
				['crashed runs that ran again and succeeded', String(again.length)],
				['accepted events lost', String(withoutSuccess(after).length)],
			]);
			// Without the template a kill leaves the runs that were under way, all of them, as crashed.
			expect(underWay).toBeGreaterThanOrEqual(KILLS * RUNS_PER_KILL);
			expect(crashed).toHaveLength(underWay);
			expect(left).not.toEqual([]);
			expect(left.filter((event) => !eventsOf(before, 'crashed').has(event))).toEqual([]);
			// With it each of them has run again, successfully once, and no event is lost.
			expect(withoutSuccess(after)).toEqual([]);
			expect(again.map(({ retryOf }) => retryOf).sort()).toEqual(
				crashed.map(({ id }) => id).sort(),
			);
			expect([...other.done.keys()].sort()).toEqual([...accepted].sort());
			expect(chat.requests).toEqual([]);
		},
		900_000 + KILLS * 120_000,
	);

	describe(`a run that was cut short (n8n on ${database})`, () => {
		const works = new Map<string, Work>();
		const work = (name: string) => {
			const found = works.get(name);
			if (found === undefined) throw new Error(`There is no workflow ${name}`);
			return found;
		};
		const eventOf = (name: string) => [...work(name).senders.accepted][0] ?? '';
		const statusesOf = async (name: string) =>
			(await runsOf(work(name))).map(({ status }) => status);

		beforeAll(async () => {
			const { other } = bed();
			const kept = { saveDataErrorExecution: 'all' };
			works.set(
				'unsaved by its setting',
				await bed().publishWork({ saveDataErrorExecution: 'none' }),
			);
			works.set('unsaved by default', await bed().publishWork());
			works.set('failing', await bed().publishWork(kept));
			works.set('slow', await bed().publishWork(kept));
			works.set('by hand', await bed().publishWork(kept));
			works.set('waiting', await bed().publishWork(kept, 'wait'));
			works.set('brief', await bed().publishWork({ ...kept, saveDataSuccessExecution: 'none' }));
			other.keepWaiting(works.size + 1);
			for (const { senders } of works.values()) await senders.send();
			await bed().runByHand(BY_HAND);
			await until('the runs to be under way', WAIT_MS, () =>
				other.atWork().length === works.size + 1 ? true : undefined,
			);
			await bed().killAndRestart(work('slow'), { env: { EXECUTIONS_DATA_SAVE_ON_ERROR: 'none' } });
		}, 600_000);

		it.each(['unsaved by its setting', 'unsaved by default'])(
			'is lost if n8n saves no failed executions: %s',
			async (name) => {
				expect(await statusesOf(name)).toEqual([]);
				expect(await statusesOf('slow')).toEqual(['crashed']);
			},
		);

		it('is given up, with one message, after it has failed as often as allowed', async () => {
			const { other, chat, n8n } = bed();
			const event = eventOf('failing');
			other.keepWaiting(0);
			other.refused.add(event);
			const template = await bed().importTemplate({ maxAttempts: 2 }, work('failing'));
			await bed().pass(template);
			expect(await statusesOf('failing')).toEqual(['crashed', 'error']);
			await bed().pass(template);
			expect(await statusesOf('failing')).toEqual(['crashed', 'error', 'error']);
			expect(chat.requests).toEqual([]);

			// The chat is down for all the tries of a pass.
			chat.statuses = Array.from({ length: 5 }, () => 500);
			await bed().pass(template);
			expect(chat.requests).toHaveLength(5);
			await bed().pass(template);
			const [crashed] = await runsOf(work('failing'));
			const executionId = crashed?.id ?? '';
			const workflowId = work('failing').id;
			const address = `${n8n.url}/workflow/${workflowId}/executions/${executionId}`;
			expect(chat.requests.slice(5)).toMatchObject([
				{
					path: '/hook',
					body: {
						executionId,
						workflowId,
						text: expect.stringMatching(
							/^A crashed run was started again 2 times and has not succeeded\. Last error: The service .+ Look at it in /,
						),
					},
				},
			]);
			expect(JSON.stringify(chat.requests[5]?.body)).toContain(address);
			expect(await bed().notes(work('failing'))).toMatchObject([
				{ execution_id: executionId, attempts: 2, state: 'given up' },
			]);

			await bed().pass(template);
			expect(chat.requests).toHaveLength(6);
			expect(await statusesOf('failing')).toEqual(['crashed', 'error', 'error']);
			// The template was set to ignore the others.
			expect(await statusesOf('slow')).toEqual(['crashed']);
		}, 300_000);

		it('is left alone if it is older than the template is set to', async () => {
			const template = await bed().importTemplate({ hours: 0 }, work('slow'));
			await bed().pass(template);
			expect(await statusesOf('slow')).toEqual(['crashed']);
		}, 60_000);

		it('is not started again while it runs again, nor after that', async () => {
			const { other, n8n } = bed();
			const template = await bed().importTemplate(
				{},
				work('slow'),
				work('by hand'),
				work('waiting'),
			);
			other.keepWaiting(2);
			const [crashed] = await runsOf(work('by hand'));
			const byHand = n8n.retry(crashed?.id ?? '');
			await until('the run that a person has started', WAIT_MS, () =>
				other.atWork().length === 1 ? true : undefined,
			);
			const first = bed().pass(template);
			await until('the run that the template has started', WAIT_MS, () =>
				other.atWork().length === 2 ? true : undefined,
			);
			// The other run is the next of the pass that goes on, not of a second one.
			await bed().pass(template);
			expect(other.atWork()).toEqual([eventOf('by hand'), eventOf('slow')]);
			other.keepWaiting(0);
			await Promise.all([first, byHand]);
			expect(await statusesOf('waiting')).toEqual(['crashed', 'waiting']);
			await bed().pass(template);
			expect(other.asked.get(eventOf('waiting'))).toBe(2);
			for (const name of ['slow', 'by hand']) {
				expect(await statusesOf(name)).toEqual(['crashed', 'success']);
				expect(other.asked.get(eventOf(name))).toBe(2);
			}
		}, 300_000);

		it('is not started again if n8n saves no successful executions', async () => {
			const { other } = bed();
			// For all workflows: only this one and the manual run are left.
			const template = await bed().importTemplate({});
			await bed().pass(template);
			expect(other.done.get(eventOf('brief'))).toBe(1);
			await bed().pass(template);
			expect(await statusesOf('brief')).toEqual(['crashed']);
			expect(other.asked.get(eventOf('brief'))).toBe(2);
			expect(other.asked.get(BY_HAND)).toBe(1);
		}, 300_000);
	});
}
