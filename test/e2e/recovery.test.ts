import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';

import { startSandbox, type FireInput, type Sandbox } from '../../sandbox';
import { chain, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE, SECRET } from '../../testkit/publishTrigger';
import { metigan, misarBlog, type TriggerCase } from '../../testkit/triggers';
import { printFigures } from '../figures';

/** Events that were missed run once, whatever else happens to n8n and to their deliveries. */

const WAIT_MS = 400_000;
/** Events of each provider. */
const EVENTS = 150;
const BACKLOG = 5_000;
/** Runs of one recovery that a kill can catch. */
const RUNS_AT_A_TIME = 5;
/** The documented page is 200 entries; a page of the Free plan's minute is one call. */
const MAX_GROWTH_MB = 400;

let n8n: N8nHost;
let sandbox: Sandbox;
/** A second account, with a long backlog. */
let backlog: Sandbox;
let collector: Server;
/** How often each event has run, by the address or the article it is about. */
const ran = new Map<string, number>();

beforeAll(async () => {
	const tarball = packedPackage();
	sandbox = await startSandbox({ retryTimeScale: 0 });
	backlog = await startSandbox({ retryTimeScale: 0 });
	sandbox.setBehaviour('misarBlog', { callsPerMinute: 6_000 });
	collector = createServer((request, response) => {
		void json(request).then((body) => {
			const { about } = z.object({ about: z.string() }).parse(body);
			ran.set(about, (ran.get(about) ?? 0) + 1);
			response.end('{}');
		});
	});
	await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
	// The default engine lends an isolate to each run: here thousands of runs are counted, not timed.
	const env = { N8N_EXPRESSION_ENGINE: 'legacy' };
	n8n = await startN8n({ tarball, webhookUrl: ORIGIN, env });
	for (const one of [sandbox, backlog]) one.setRoute(ORIGIN, n8n.url);
}, 600_000);

afterAll(async () => {
	await n8n?.stop();
	await sandbox?.close();
	await backlog?.close();
	collector?.close();
}, 60_000);

function residentMegabytes(pid: number): number {
	const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return Number(kilobytes) / 1024;
}

/** A published workflow that tells the collector of each event. @returns its id and webhook URL */
async function publish(trigger: TriggerCase, account: Sandbox, events: readonly string[]) {
	const webhookId = crypto.randomUUID();
	const { port } = collector.address() as AddressInfo;
	const credential = await n8n.createCredential(trigger.title, trigger.credential, {
		baseUrl: account.url,
		apiKey: account.keys[trigger.provider],
		signingSecret: SECRET,
	});
	const { id } = await n8n.createWorkflow({
		name: trigger.title,
		nodes: [
			{
				name: 'Trigger',
				type: `${PACKAGE}.${trigger.node}`,
				webhookId,
				parameters: {
					registration: 'manual',
					events: [...events],
					options: { recoverMissed: true, checkInterval: 1, toleranceSeconds: 0 },
				},
				credentials: { [trigger.credential]: { id: credential, name: trigger.title } },
			},
			{
				name: 'Count',
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: {
					method: 'POST',
					url: `http://127.0.0.1:${port}`,
					sendBody: true,
					bodyParameters: {
						parameters: [
							{ name: 'about', value: '={{ $json.recipient ?? $json.data.article.id }}' },
						],
					},
				},
			},
		],
		connections: chain('Trigger', 'Count'),
	});
	await n8n.publish(id);
	return { id, url: `${ORIGIN}/webhook/${webhookId}/${trigger.path}` };
}

const KINDS = ['delivered', 'duplicated', 'refused', 'unreachable', 'unknown', 'late'] as const;

interface Event {
	readonly about: string;
	readonly kind: (typeof KINDS)[number];
	readonly input: FireInput;
}

/** The events of one provider, of every kind in turn. */
function eventsOf(provider: 'metigan' | 'misarBlog', url: string): Event[] {
	const names = ['email.bounced', 'email.complained', 'email.unsubscribed'];
	return Array.from({ length: EVENTS }, (_, index) => {
		const about = provider === 'metigan' ? `${index}@example.com` : `art-${index}`;
		const event = provider === 'metigan' ? (names[index % 3] ?? '') : 'article.published';
		const data =
			event === 'email.unsubscribed' ? { email: about } : { recipient: about, bounceType: 'hard' };
		const input: FireInput = {
			...{ provider, event, url, secret: SECRET, id: provider === 'metigan' ? `m${index}` : about },
			...(provider === 'metigan' ? { data } : {}),
		};
		return { about, kind: KINDS[Math.floor(index / 3) % KINDS.length] ?? 'late', input };
	});
}

it('every event that can be recovered runs exactly once', async () => {
	const emails = ['email.bounced', 'email.complained', 'email.unsubscribed'];
	const mail = await publish(metigan, sandbox, emails);
	const blog = await publish(misarBlog, sandbox, ['article.published']);
	await publish(metigan, backlog, ['email.bounced']);
	const events = [...eventsOf('metigan', mail.url), ...eventsOf('misarBlog', blog.url)];
	/** Fires the events of some kinds, one after the other. */
	const fire = async (kinds: readonly string[], change: (event: Event) => FireInput) => {
		for (const event of events.filter(({ kind }) => kinds.includes(kind))) {
			await sandbox.fire(change(event));
		}
	};
	const happenedAt = new Map(events.map(({ about }) => [about, Date.now()]));
	const timed = ({ input, about }: Event): FireInput => {
		return { ...input, timestampMs: happenedAt.get(about) ?? 0 };
	};

	await fire(['delivered'], timed);
	await fire(['duplicated'], (event) => ({ ...timed(event), copies: 2 }));
	await fire(['refused'], (event) => ({ ...timed(event), secret: 'of the past', retry: false }));
	const arrived = events.filter(({ kind }) => kind === 'delivered' || kind === 'duplicated');
	// A killed run of a delivery would be gone, as with any trigger.
	await until('the deliveries to run', WAIT_MS, () => ran.size === arrived.length || undefined);
	await n8n.kill();
	await fire(['unreachable'], (event) => ({ ...timed(event), retry: false }));
	// Nobody is told: these have no receiver.
	await fire(['unknown', 'late'], (event): FireInput => {
		const { provider, event: name, id, data, timestampMs } = timed(event);
		return { provider, event: name, data, ...(id && { id }), ...(timestampMs && { timestampMs }) };
	});
	for (let index = 0; index < BACKLOG; index++) {
		const data = { recipient: `backlog-${index}@example.com`, bounceType: 'hard' };
		await backlog.fire({ provider: 'metigan', event: 'email.bounced', data });
	}

	const begun = Date.now();
	await n8n.restart();
	const before = residentMegabytes(n8n.pid);
	const wanted = events.length + BACKLOG;
	await until('the recovery to be under way', WAIT_MS, () => ran.size > 400 || undefined);
	await n8n.kill();
	await n8n.restart();
	let highest = 0;
	await until(
		() => `${wanted} events to run; there are ${ran.size}`,
		WAIT_MS,
		() => {
			highest = Math.max(highest, residentMegabytes(n8n.pid));
			return ran.size === wanted || undefined;
		},
	);
	const seconds = (Date.now() - begun) / 1000;
	await fire(['late'], timed);
	// A check after all that finds nothing new.
	const calls = () => sandbox.requests().filter(({ path }) => path.startsWith('/api/suppressions'));
	const seen = calls().length;
	await until('two more checks', WAIT_MS, () => calls().length >= seen + 2 || undefined);
	expect(ran.size).toBe(wanted);
	// What was under way at the kill may have done its work, and is run again.
	const twice = [...ran].filter(([, times]) => times !== 1);
	expect(twice.every(([, times]) => times === 2)).toBe(true);
	expect(twice.length).toBeLessThanOrEqual(3 * RUNS_AT_A_TIME);
	expect(n8n.log()).toMatch(/\d+ of \d+ missed events were recovered/);
	expect(highest - before).toBeLessThan(MAX_GROWTH_MB);
	const perMinute = backlog.requests().filter(({ at }) => at > begun && at < begun + 60_000);
	expect(perMinute.length).toBeLessThanOrEqual(60);
	printFigures('Recovery (real n8n, killed twice)', [
		['figure', 'value'],
		['events of two providers', `${events.length}`],
		['backlog of a third account', `${BACKLOG}`],
		['events that ran once', `${ran.size - twice.length}`],
		['run again because a kill caught their run', `${twice.length}`],
		['seconds from the start to the last one, a kill included', seconds.toFixed(0)],
		['resident MB at the start, at most', `${before.toFixed(0)}, ${highest.toFixed(0)}`],
	]);
}, 1_200_000);
