import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { buildDelivery, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { START_PAGE } from '../../testkit/n8n-host/startPage';
import { accountOf, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import { readCaddyfile } from '../../testkit/queue/compose';
import { startCaddy, startNginx, type ReverseProxy } from '../../testkit/reverseProxies';
import { misarMail as trigger } from '../../testkit/triggers';
import { printFigures } from '../figures';
import { useN8n } from '../useN8n';
import { storedRuns, untilIdle } from './loadRuns';
import { startStream, tally } from './loadTraffic';

/**
 * What senders that never try again are answered while n8n starts: behind the proxies of docs/reverse-proxy.md and of
 * deploy/, and behind one that does not ask whether n8n is ready. All stand in front of the same n8n.
 */

const PAGE = readFileSync(join(__dirname, '..', '..', 'docs', 'reverse-proxy.md'), 'utf8');
const SENDERS = 2;
/** An accepted event costs n8n a run; what is turned away costs next to nothing. */
const PAUSE_MS = { accepted: 200, refused: 20 };
const ANSWERED_MS = 120_000;

const UNGATED = 'Caddy, reverse_proxy alone';
const ENTRANCES: ReadonlyArray<
	readonly [name: string, start: (n8n: string) => Promise<ReverseProxy>]
> = [
	[
		UNGATED,
		async (n8n) =>
			await startCaddy('n8n.example.com {\n\treverse_proxy n8n:5678\n}', { 'n8n:5678': n8n }),
	],
	[
		'deploy/, Caddy',
		async (n8n) => await startCaddy(readCaddyfile(), { 'n8n(-webhook-[12])?:5678': n8n }),
	],
	['docs, Caddy', async (n8n) => await startCaddy(linesIn('caddyfile'), { 'n8n:5678': n8n })],
	['docs, nginx', async (n8n) => await startNginx(linesIn('nginx'), { 'n8n:5678': n8n })],
];

const GATED = ENTRANCES.map(([name]) => name).filter((name) => name !== UNGATED);

/** The code of a language in the page. */
function linesIn(language: string): string {
	const [, lines] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(PAGE) ?? [];
	if (lines === undefined) throw new Error(`docs/reverse-proxy.md has no lines for ${language}`);
	return lines;
}

interface Answer {
	readonly id: string;
	/** During which start of n8n. */
	readonly start: string;
	readonly status: number | 'no answer';
	readonly text: string;
}

const answers = new Map<string, Answer[]>(ENTRANCES.map(([name]) => [name, []]));
const answersAt = (entrance: string) => answers.get(entrance) ?? [];
const isSuccess = ({ status }: Answer) => status !== 'no answer' && status >= 200 && status < 300;
const isPage = ({ text }: Answer) => text === START_PAGE;
const isUnknown = ({ status }: Answer) => status === 404;
const isAccepted = (answer: Answer) => isSuccess(answer) && !isPage(answer);
/** The provider was told that it had been delivered, and n8n has no run of it. */
const isLost = (answer: Answer) => isSuccess(answer) && !stored.has(answer.id);

const proxies = new Map<string, ReverseProxy>();
/** Ids of the deliveries that n8n has stored a run for. */
let stored: ReadonlySet<string | undefined>;
let sandbox: Sandbox;
let n8n: N8nHost;
let path: string;

afterAll(async () => {
	for (const proxy of proxies.values()) await proxy.stop();
}, 60_000);

useN8n((bed) => ({ n8n, sandbox } = bed), { pin: '1.x', env: LAZY_ISOLATES });

beforeAll(async () => {
	const account = accountOf(trigger, 'manual', sandbox);
	const { webhookUrl } = await publishTrigger({ n8n, sandbox }, trigger, 'manual', account);
	path = new URL(webhookUrl).pathname;
	for (const [name, start] of ENTRANCES) proxies.set(name, await start(`127.0.0.1:${n8n.port}`));

	// n8n 1.x answers a delivery before it stores the run: nothing is sent while one ends.
	await n8n.kill();
	await sendDuring('n8n 1.x starts', async () => await n8n.restart());
	await untilIdle(n8n.userFolder);
	await n8n.kill();
	await sendDuring('2.x migrates', async () => await n8n.restart({ pin: 'newest' }));
	for (const end of ['stop', 'stop', 'kill']) {
		await sendDuring('2.x restarts', async () => {
			await allAccept();
			if (end === 'kill') await n8n.kill();
			await n8n.restart();
		});
	}
	await untilIdle(n8n.userFolder);
	stored = new Set((await storedRuns(n8n.userFolder)).map(({ deliveryId }) => deliveryId));
}, 900_000);

/** Sends to all entrances meanwhile, and until n8n has accepted something from each after that. */
async function sendDuring(start: string, restart: () => Promise<void>): Promise<void> {
	const streams = [...proxies].map(([name, { url }]) =>
		startStream(SENDERS, async () => await send(name, start, url)),
	);
	await restart();
	await allAccept();
	for (const stream of streams) await stream.stop();
}

async function allAccept(): Promise<void> {
	const before = new Map([...answers].map(([name, { length }]) => [name, length]));
	await until('every proxy to let deliveries through', ANSWERED_MS, () => {
		const since = [...answers].map(([name, all]) => all.slice(before.get(name)));
		return since.every((all) => all.some(isAccepted)) || undefined;
	});
}

async function send(entrance: string, start: string, url: string): Promise<void> {
	const { provider, events, scheme } = trigger;
	const id = `evt_${randomUUID()}`;
	const delivery = buildDelivery({ provider, event: events[0], id, scheme, secret: SECRET });
	const answer = await post(`${url}${path}`, delivery);
	answersAt(entrance).push({ id, start, ...answer });
	await sleep(answer.status === 200 ? PAUSE_MS.accepted : PAUSE_MS.refused);
}

async function post(
	url: string,
	delivery: Pick<RequestInit, 'headers' | 'body'>,
): Promise<Pick<Answer, 'status' | 'text'>> {
	try {
		const answer = await fetchOnNewConnection(url, { method: 'POST', ...delivery });
		return { status: answer.status, text: await answer.text() };
	} catch {
		return { status: 'no answer', text: '' };
	}
}

it('without a readiness check n8n answers 200 with its start-up page, and stores nothing', () => {
	const ungated = answersAt(UNGATED);
	const pages = ungated.filter(isPage);
	expect(pages.filter(({ start }) => start === '2.x migrates').length).toBeGreaterThan(0);
	expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200]));
	expect(ungated.filter(isLost)).toEqual(pages);
	expect(ungated.filter(isUnknown).length).toBeGreaterThan(0);
});

it.each(GATED)('%s lets no start-up page and no 404 through, and loses nothing', (entrance) => {
	const all = answersAt(entrance);
	expect(all.filter(isPage)).toEqual([]);
	expect(all.filter(isUnknown)).toEqual([]);
	expect(all.filter(isLost)).toEqual([]);
});

it('the answers to the senders are printed', () => {
	const starts = [...new Set(answersAt(UNGATED).map(({ start }) => start))];
	const rows = ENTRANCES.flatMap(([name]) =>
		starts.map((start) => {
			const all = answersAt(name).filter((answer) => answer.start === start);
			const counts = [isPage, isUnknown, isAccepted, isLost].map((is) => all.filter(is).length);
			return [name, start, ...counts.map(String), tally(all.map(({ status }) => status))];
		}),
	);
	printFigures('Senders that never try again, while n8n starts', [
		['proxy', 'while', 'start-up pages', '404', 'accepted', '2xx, not stored', 'answers'],
		...rows,
	]);
});
