import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN } from '../../testkit/publishTrigger';
import { metigan, misarBlog } from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import { EMAIL_EVENTS, letHappen, mixedEvents, RunCounter } from '../recoveryBed';

/** Deliveries whose runs a kill of n8n cuts short are recovered, and no others. */

const WAIT_MS = 400_000;
/** Events of each provider before the kill, and as many in whose runs it happens. */
const EVENTS = 6;
/** Events from before the first activation, and how many of the newest are wanted. */
const BEFORE = 3;
const NEWEST = 2;

const counter = new RunCounter();
const { ran } = counter;
let n8n: N8nHost;
let sandbox: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), {
	sandbox: { retryTimeScale: 0 },
	env: LAZY_ISOLATES,
});

beforeAll(async () => {
	sandbox.setBehaviour('misarBlog', { callsPerMinute: 6_000 });
	await counter.start();
});

afterAll(() => counter.stop());

it(
	'only the events of runs that a kill cuts short run again',
	async () => {
		for (let hours = BEFORE; hours > 0; hours--) {
			await sandbox.fire({
				provider: 'metigan',
				event: 'email.bounced',
				data: { recipient: `before-${hours}@example.com`, bounceType: 'hard' },
				timestampMs: Date.now() - hours * 3_600_000,
			});
		}
		const begin = { recoverNewest: NEWEST };
		const mail = await counter.publish(n8n, ORIGIN, metigan, sandbox, EMAIL_EVENTS, begin);
		const blog = await counter.publish(n8n, ORIGIN, misarBlog, sandbox, ['article.published']);
		const events = [
			...mixedEvents('metigan', mail, 2 * EVENTS),
			...mixedEvents('misarBlog', blog, 2 * EVENTS),
		].map((event) => ({ ...event, kind: 'delivered' as const }));
		const isFirst = (_: unknown, index: number) => index % 2 === 0;
		const ended = events.filter(isFirst);
		const cutShort = events.filter((event) => !ended.includes(event));

		await letHappen(sandbox, ended, 'delivered');
		const early = ended.length + NEWEST;
		await until('the first runs to end', WAIT_MS, async () => {
			const lists = counter.workflows.map(async (id) => await n8n.executions(id));
			const runs = (await Promise.all(lists)).flat();
			const areDone = runs.every(({ status }) => status === 'success');
			return (areDone && ran.size === early) || undefined;
		});
		counter.holdsAnswers = true;
		await letHappen(sandbox, cutShort, 'delivered');
		const all = events.length + NEWEST;
		await until('the other runs to begin', WAIT_MS, () => ran.size === all || undefined);
		await n8n.kill();
		counter.holdsAnswers = false;
		await n8n.restart();
		await until('those to run again', WAIT_MS, () =>
			cutShort.every(({ about }) => (ran.get(about) ?? 0) > 1) ? true : undefined,
		);
		// Two checks after that find nothing new.
		const calls = () => sandbox.requests().length;
		const seen = calls();
		await until('two more checks', WAIT_MS, () => calls() >= seen + 4 || undefined);
		expect(ended.map(({ about }) => ran.get(about))).toEqual(ended.map(() => 1));
		expect(cutShort.map(({ about }) => ran.get(about))).toEqual(cutShort.map(() => 2));
		const before = [...ran].filter(([about]) => about.startsWith('before-')).sort();
		expect(before).toEqual([
			['before-1@example.com', 1],
			['before-2@example.com', 1],
		]);
	},
	3 * WAIT_MS,
);
