import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { startReceiver, statuses, type Receiver } from './sandboxSupport';

const ORIGIN = 'https://n8n.example.test';
const HOOK = `${ORIGIN}/webhook/1?x=y`;

let receiver: Receiver;
let sandbox: Sandbox;
let started: Sandbox[] = [];

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
	const one = await startSandbox({ routes: { [ORIGIN]: receiver.origin }, ...options });
	started.push(one);
	return one;
}

beforeAll(async () => {
	receiver = await startReceiver();
});
beforeEach(async () => {
	receiver.received = [];
	receiver.answer = statuses(200);
	sandbox = await start({ retryTimeScale: 0 });
});
afterEach(async () => {
	await Promise.all(started.map(async (one) => await one.close()));
	started = [];
});
afterAll(async () => await receiver.close());

function addMail(more: { events?: string[]; active?: boolean } = {}) {
	return sandbox.addEndpoint('misar.mail', { url: HOOK, events: ['email.opened'], ...more });
}

/** Fires what `addMail` subscribes to, and does not try again. @returns the only attempt */
async function tryOnce() {
	const event = { provider: 'misar.mail', event: 'email.opened', retry: false } as const;
	const [record] = await sandbox.fire(event);
	return record?.attempts[0];
}

describe('deliveries', () => {
	test('go to every active endpoint that is subscribed, signed with its own secret', async () => {
		const [one, two] = [addMail(), addMail()];
		addMail({ events: ['email.sent'] });
		addMail({ active: false });
		sandbox.addEndpoint('metigan', { url: HOOK, events: ['email.opened'] });
		const records = await sandbox.fire({ provider: 'misar.mail', event: 'email.opened' });
		expect(records.map(({ endpointId, state }) => [endpointId, state])).toEqual([
			[one.id, 'delivered'],
			[two.id, 'delivered'],
		]);
		const [first, second] = receiver.received;
		expect(first?.path).toBe('/webhook/1?x=y');
		expect(first?.headers.host).toBe('n8n.example.test');
		expect(first?.body).toEqual(second?.body);
		expect(first?.headers['x-misar-signature']).not.toBe(second?.headers['x-misar-signature']);
	});

	test('go nowhere if nobody is subscribed', async () => {
		expect(await sandbox.fire({ provider: 'misar.mail', event: 'email.opened' })).toEqual([]);
	});

	test('go to a chosen endpoint, whatever it is subscribed to', async () => {
		addMail();
		const { id } = addMail({ events: [], active: false });
		const records = await sandbox.fire({
			provider: 'misar.mail',
			event: 'email.opened',
			endpointId: id,
		});
		expect(records.map(({ endpointId }) => endpointId)).toEqual([id]);
	});

	test('go to a URL that was registered by hand', async () => {
		const [record] = await sandbox.fire({
			provider: 'misar.dev',
			event: 'plugin.installed',
			url: `${receiver.origin}/manual`,
			secret: 'pasted',
			id: 'evt_7',
		});
		expect(record).toEqual({
			id: 'evt_7',
			provider: 'misar.dev',
			event: 'plugin.installed',
			url: `${receiver.origin}/manual`,
			state: 'delivered',
			attempts: [
				{
					at: expect.any(Number),
					status: 200,
					responseBody: 'answer 1',
					durationMs: expect.any(Number),
				},
			],
		});
	});

	test('arrive at the same time and share the ID as copies', async () => {
		addMail();
		let waiting = 0;
		let release: () => void = () => {};
		const all = new Promise<void>((resolve) => (release = resolve));
		receiver.answer = (_, response) => {
			waiting += 1;
			if (waiting === 3) release();
			void all.then(() => response.end());
		};
		const records = await sandbox.fire({
			provider: 'misar.mail',
			event: 'email.opened',
			copies: 3,
		});
		expect(new Set(records.map(({ id }) => id)).size).toBe(1);
		expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(1);
	});

	test.each([
		[{ endpointId: 'wh_none' }, 'misar.mail has no endpoint wh_none'],
		[{ endpointId: 'wh_none', url: HOOK }, 'not at both'],
		[{ scheme: 'none' }, 'Unknown misar.mail signature scheme'],
	])('are refused with an error for %j', async (more, message) => {
		await expect(
			sandbox.fire({ provider: 'misar.mail', event: 'email.opened', ...more }),
		).rejects.toThrow(message);
	});

	test('leave a receiver ten seconds to answer', async () => {
		receiver.answer = () => {};
		addMail();
		const attempt = await tryOnce();
		expect(attempt?.error).toBe('no complete answer within 10 s');
		expect(attempt?.durationMs).toBeGreaterThanOrEqual(9_900);
	});
});

describe('routes', () => {
	test('are required to deliver to any host but this machine', async () => {
		const [record] = await sandbox.fire({
			provider: 'misar.mail',
			event: 'email.opened',
			url: 'https://elsewhere.example.test/x',
			secret: 's',
			retry: false,
		});
		expect(record?.state).toBe('failed');
		expect(record?.attempts[0]?.error).toContain('no route for https://elsewhere.example.test');
	});

	test('lead to this machine only', async () => {
		sandbox.setRoute(ORIGIN, 'http://192.0.2.1:80');
		addMail();
		const attempt = await tryOnce();
		expect(attempt?.error).toContain('no route');
	});

	test('can be set later, and are forgotten by a reset', async () => {
		const other = await start({ routes: {}, retryTimeScale: 0 });
		other.setRoute(`${ORIGIN}/ignored/path`, receiver.origin);
		other.addEndpoint('misar.mail', { url: HOOK, events: ['email.opened'] });
		const fire = async () =>
			await other.fire({ provider: 'misar.mail', event: 'email.opened', retry: false });
		expect((await fire())[0]?.state).toBe('delivered');
		other.reset();
		other.addEndpoint('misar.mail', { url: HOOK, events: ['email.opened'] });
		expect((await fire())[0]?.state).toBe('failed');
	});
});

describe('retries', () => {
	test.each([
		['misar.mail', 'email.opened', 6],
		['misar.dev', 'plugin.updated', 8],
		['metigan', 'email.opened', 10],
		['misarBlog', 'article.updated', 1],
		['misar.reach', 'deal.won', 1],
		['misar.post', 'post.failed', 1],
		['mailPanda', 'open', 1],
	] as const)('end as %s documents', async (provider, event, tries) => {
		receiver.answer = statuses(404);
		sandbox.addEndpoint(provider, { url: HOOK, events: [event] });
		const [record] = await sandbox.fire({ provider, event });
		expect(record?.state).toBe('failed');
		expect(record?.attempts.map(({ status }) => status)).toEqual(Array(tries).fill(404));
		expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(1);
	});

	test('end at a 2xx; redirects and 4xx count as failures', async () => {
		receiver.answer = statuses(302, 401, 503, 204);
		addMail();
		const [record] = await sandbox.fire({ provider: 'misar.mail', event: 'email.opened' });
		expect(record?.state).toBe('delivered');
		expect(record?.attempts.map(({ status }) => status)).toEqual([302, 401, 503, 204]);
	});

	test('go on while no receiver listens', async () => {
		const gone = await startReceiver();
		await gone.close();
		sandbox.setRoute(ORIGIN, gone.origin);
		addMail();
		const attempt = await tryOnce();
		expect(attempt?.error).toContain('ECONNREFUSED');
	});

	test('go on when the receiver drops the connection', async () => {
		receiver.answer = (_, response) => void response.socket?.destroy();
		addMail();
		const attempt = await tryOnce();
		expect(attempt).toMatchObject({ error: expect.stringMatching(/hang up|RESET/) });
	});

	test('do not happen for forged deliveries', async () => {
		receiver.answer = statuses(401);
		addMail();
		const [record] = await sandbox.fire({
			provider: 'misar.mail',
			event: 'email.opened',
			tamper: 'signature',
		});
		expect(record?.attempts).toHaveLength(1);
	});

	test('are signed anew unless the time is given', async () => {
		const slow = await start({ retryTimeScale: 0.005 });
		slow.addEndpoint('misar.mail', { url: HOOK, events: ['email.opened'] });
		const timestamps = () => receiver.received.map(({ headers }) => headers['x-misar-timestamp']);
		receiver.answer = statuses(500, 200);
		await slow.fire({ provider: 'misar.mail', event: 'email.opened' });
		// 253 s of the provider are 1.27 s here.
		expect(new Set(timestamps()).size).toBe(2);

		receiver.received = [];
		receiver.answer = statuses(500, 200);
		addMail();
		await sandbox.fire({ provider: 'misar.mail', event: 'email.opened', timestampMs: 5_000 });
		expect(timestamps()).toEqual(['5', '5']);
	});

	test('begin after an eighth of a second for Misar Mail by default', async () => {
		const normal = await startSandbox({ routes: { [ORIGIN]: receiver.origin } });
		started.push(normal);
		normal.addEndpoint('misar.mail', { url: HOOK, events: ['email.opened'] });
		receiver.answer = statuses(500, 200);
		const [record] = await normal.fire({ provider: 'misar.mail', event: 'email.opened' });
		const [first, second] = record?.attempts.map(({ at }) => at) ?? [];
		expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(120);
		expect((second ?? 0) - (first ?? 0)).toBeLessThan(1000);
	});

	test('do not go to a deleted endpoint', async () => {
		const { id } = addMail();
		receiver.answer = (_, response) => {
			sandbox.removeEndpoint('misar.mail', id);
			response.statusCode = 500;
			response.end();
		};
		const [record] = await sandbox.fire({ provider: 'misar.mail', event: 'email.opened' });
		expect([record?.state, record?.attempts.length]).toEqual(['failed', 1]);
	});
});

describe('endpoints that keep failing', () => {
	const fire = async (provider: 'metigan' | 'misar.dev', event: string) =>
		await sandbox.fire({ provider, event });

	test('are disabled by Metigan after ten failures in a row, over several deliveries', async () => {
		const { id } = sandbox.addEndpoint('metigan', { url: HOOK, events: ['email.sent'] });
		receiver.answer = statuses(...Array<number>(9).fill(500), 200, ...Array<number>(10).fill(500));
		expect((await fire('metigan', 'email.sent'))[0]?.state).toBe('delivered');
		expect(sandbox.endpoints()[0]).toMatchObject({ active: true, consecutiveFailures: 0 });
		expect((await fire('metigan', 'email.sent'))[0]?.attempts).toHaveLength(10);
		expect(sandbox.endpoints()[0]).toMatchObject({ active: false, consecutiveFailures: 10 });
		expect(await fire('metigan', 'email.sent')).toEqual([]);

		sandbox.changeEndpoint('metigan', id, { active: true });
		expect(sandbox.endpoints()[0]).toMatchObject({ active: true, consecutiveFailures: 0 });
	});

	test.each([
		[503, false],
		[404, true],
	])('stay active after three days of nothing but %d (platform): %s', async (status, active) => {
		sandbox.addEndpoint('misar.dev', { url: HOOK, events: ['plugin.updated'] });
		receiver.answer = statuses(status);
		await fire('misar.dev', 'plugin.updated');
		expect(sandbox.endpoints()[0]?.active).toBe(active);
	});
});

describe('the sandbox', () => {
	test('waits for pending deliveries in settled()', async () => {
		addMail();
		receiver.answer = statuses(500, 500, 200);
		let done = false;
		const fired = sandbox
			.fire({ provider: 'misar.mail', event: 'email.opened' })
			.then(() => (done = true));
		expect(sandbox.deliveries()[0]?.state).toBe('pending');
		await sandbox.settled();
		expect(sandbox.deliveries()[0]?.state).toBe('delivered');
		await fired;
		expect(done).toBe(true);
		await sandbox.settled();
	});

	test('fails and forgets pending deliveries at a reset', async () => {
		addMail();
		receiver.answer = () => sandbox.reset();
		const [record] = await sandbox.fire({ provider: 'misar.mail', event: 'email.opened' });
		expect(record).toMatchObject({
			state: 'failed',
			attempts: [{ error: 'the stand-in was reset or closed' }],
		});
		expect(sandbox.deliveries()).toEqual([]);
	});

	test('lets its process exit once it is closed', async () => {
		const probe = spawn(
			process.execPath,
			['--import', 'tsx', path.join(__dirname, 'sandboxCloseProbe.ts')],
			{ stdio: ['ignore', 'pipe', 'inherit'] },
		);
		let output = '';
		probe.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
		const [code] = await once(probe, 'close', { signal: AbortSignal.timeout(30_000) });
		expect([code, output]).toEqual([0, '["failed","failed"]']);
	});

	test('frees its port at the end, and fails to start on a port in use', async () => {
		const port = Number(new URL(sandbox.url).port);
		await expect(startSandbox({ port })).rejects.toThrow('EADDRINUSE');
		await sandbox.close();
		const again = await start({ port });
		expect(again.url).toBe(sandbox.url);
	});
});
