import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startSandbox, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { NO_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN } from '../../testkit/publishTrigger';
import { metigan, misarBlog } from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import { printFigures } from '../figures';
import { BACKLOG } from '../nightly';
import { EMAIL_EVENTS, letHappen, mixedEvents, RunCounter, untold } from '../recoveryBed';

/** Events that were missed run once, whatever else happens to n8n and to their deliveries. */

const WAIT_MS = 400_000;
/** On a machine that other tests keep busy. */
const BACKLOG_MS = 1_200_000;
/** Events of each provider. */
const EVENTS = 150;
/** Runs of one recovery that a kill can catch. */
const RUNS_AT_A_TIME = 5;
/**
 * Node lets its heap grow to its limit before it collects garbage, so a bound on the growth would
 * depend on the machine. With this limit n8n would crash if the backlog accumulated in memory.
 */
const HEAP_MB = 512;
const MAX_RESIDENT_MB = 1_000;

const counter = new RunCounter();
const { ran } = counter;
let n8n: N8nHost;
let sandbox: Sandbox;
/** A second account, with a long backlog. */
let backlog: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), {
	sandbox: { retryTimeScale: 0 },
	env: { ...NO_ISOLATES, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
});

beforeAll(async () => {
	backlog = await startSandbox({ retryTimeScale: 0 });
	backlog.setRoute(ORIGIN, n8n.url);
	sandbox.setBehaviour('misarBlog', { callsPerMinute: 6_000 });
	await counter.start();
});

afterAll(async () => {
	await backlog?.close();
	counter.stop();
});

function residentMegabytes(pid: number): number {
	const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return Number(kilobytes) / 1024;
}

it(
	'every event that can be recovered runs exactly once',
	async () => {
		const mail = await counter.publish(n8n, ORIGIN, metigan, sandbox, EMAIL_EVENTS);
		const blog = await counter.publish(n8n, ORIGIN, misarBlog, sandbox, ['article.published']);
		await counter.publish(n8n, ORIGIN, metigan, backlog, ['email.bounced']);
		const events = [
			...mixedEvents('metigan', mail, EVENTS),
			...mixedEvents('misarBlog', blog, EVENTS),
		];

		await letHappen(sandbox, events, 'delivered', 'duplicated', 'refused');
		const arrived = events.filter(({ kind }) => kind === 'delivered' || kind === 'duplicated');
		// A killed run of a delivery would be gone, as with any trigger.
		await until('the deliveries to run', WAIT_MS, () => ran.size === arrived.length || undefined);
		await n8n.kill();
		await letHappen(sandbox, events, 'unreachable');
		await letHappen(sandbox, untold(events), 'unknown', 'late');
		for (let index = 0; index < BACKLOG; index++) {
			const data = { recipient: `backlog-${index}@example.com`, bounceType: 'hard' };
			await backlog.fire({ provider: 'metigan', event: 'email.bounced', data });
		}

		const begun = Date.now();
		await n8n.restart();
		const wanted = events.length + BACKLOG;
		await until('the recovery to be under way', WAIT_MS, () => ran.size > 400 || undefined);
		await n8n.kill();
		await n8n.restart();
		let highest = 0;
		await until(
			() => `${wanted} events to run; there are ${ran.size}`,
			BACKLOG_MS,
			() => {
				highest = Math.max(highest, residentMegabytes(n8n.pid));
				return ran.size === wanted || undefined;
			},
		);
		const seconds = (Date.now() - begun) / 1000;
		await letHappen(sandbox, events, 'late');
		// One more check finds nothing new.
		const calls = () =>
			sandbox.requests().filter(({ path }) => path.startsWith('/api/suppressions'));
		const seen = calls().length;
		await until('another check', WAIT_MS, () => calls().length > seen || undefined);
		expect(ran.size).toBe(wanted);
		// What was under way at the kill may have done its work, and is run again.
		const twice = [...ran].filter(([, times]) => times !== 1);
		expect(twice.every(([, times]) => times === 2)).toBe(true);
		expect(twice.length).toBeLessThanOrEqual(3 * RUNS_AT_A_TIME);
		expect(n8n.log()).toMatch(/\d+ of \d+ missed events were recovered/);
		expect(highest).toBeLessThan(MAX_RESIDENT_MB);
		const perMinute = backlog.requests().filter(({ at }) => at > begun && at < begun + 60_000);
		expect(perMinute.length).toBeLessThanOrEqual(60);
		printFigures('Recovery (real n8n, killed twice)', [
			['figure', 'value'],
			['events of two providers', `${events.length}`],
			['backlog of a third account', `${BACKLOG}`],
			['events that ran once', `${ran.size - twice.length}`],
			['run again because a kill caught their run', `${twice.length}`],
			['seconds from the start to the last one, a kill included', seconds.toFixed(0)],
			['resident MB, at most', highest.toFixed(0)],
		]);
	},
	2 * BACKLOG_MS,
);
