import http from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { catalogue, startSandbox, type Sandbox } from '../../sandbox';
import { LONGEST_LOG } from '../../sandbox/page/feed';
import { until } from '../../testkit/n8n-host/poll';
import { call, startReceiver, statuses, text, type Receiver } from './sandboxSupport';
import { Stream } from './sandboxStream';

const WAIT_MS = 10_000;

let sandbox: Sandbox;
let receiver: Receiver;
let stream: Stream | undefined;

beforeEach(async () => {
	receiver = await startReceiver();
	sandbox = await startSandbox({ retryTimeScale: 0, allowHttp: true });
});

afterEach(async () => {
	stream?.close();
	stream = undefined;
	await Promise.all([sandbox.close(), receiver.close()]);
});

const control = async (method: string, path: string, body?: unknown) =>
	await call(sandbox, method, `/_control${path}`, { body });

const addEndpoint = () =>
	sandbox.addEndpoint('metigan', { url: `${receiver.origin}/x`, events: ['email.bounced'] });

/** A request as a browser sends it; fetch does not let a program choose these headers. */
async function asBrowser(
	method: string,
	path: string,
	headers: Record<string, string>,
): Promise<number | undefined> {
	return await new Promise((resolve, reject) => {
		const request = http.request(
			`${sandbox.url}${path}`,
			{ method, headers, agent: false },
			(response) => {
				response.resume();
				resolve(response.statusCode);
			},
		);
		request.on('error', reject);
		request.end();
	});
}

describe('the page', () => {
	test('comes with its modules, styles and libraries, all from the sandbox', async () => {
		const loaded = new Set<string>();
		const waiting = ['/_page'];
		for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
			if (loaded.has(path)) continue;
			loaded.add(path);
			const answer = await call(sandbox, 'GET', path);
			expect(answer).toMatchObject({ status: 200 });
			expect(answer.text).not.toMatch(/(?:src|href|from|url\()\s*[=(]?\s*["']?(?:https?:)?\/\//);
			waiting.push(
				...[...answer.text.matchAll(/"(\/_page\/[^"]+)"/g)].map(([, found = '']) => found),
				...[...answer.text.matchAll(/from '\.\/(\w+\.js)'/g)].map(([, name]) => `/_page/${name}`),
			);
		}
		expect([...loaded]).toEqual(
			expect.arrayContaining(['/_page/page.css', '/_page/main.js', '/_page/library/preact.js']),
		);
		expect(loaded.size).toBeGreaterThan(10);
	});

	test('may neither load anything from elsewhere nor be shown in a frame', async () => {
		const policy = (await call(sandbox, 'GET', '/_page')).headers.get('content-security-policy');
		expect(policy).toContain("default-src 'none'");
		expect(policy).toContain("frame-ancestors 'none'");
		expect(policy).not.toMatch(/https?:|\*|unsafe/);
	});

	test.each(['/_page/nothing.js', '/_page/tsconfig.json', '/_page/..%2Frouter.js', '/_page/x'])(
		'does not serve %s',
		async (path) => {
			expect(await call(sandbox, 'GET', path)).toMatchObject({ status: 404 });
		},
	);
});

describe('a web page', () => {
	const own = () => ({ host: new URL(sandbox.url).host, origin: sandbox.url });

	test('of the sandbox itself may change something', async () => {
		const { origin } = own();
		expect(await asBrowser('POST', '/_control/reset', { origin })).toBe(200);
		const site = { 'sec-fetch-site': 'same-origin' };
		expect(await asBrowser('POST', '/_control/reset', { origin, ...site })).toBe(200);
		const address = { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' };
		expect(await asBrowser('GET', '/_page', address)).toBe(200);
	});

	test.each<[string, Record<string, string>]>([
		['of another host', { origin: 'https://evil.example.test' }],
		['of another port of this machine', { origin: 'http://127.0.0.1:5678' }],
		['in a frame without an origin', { origin: 'null' }],
		['that sends no origin', { 'sec-fetch-site': 'cross-site' }],
		['of the same site', { 'sec-fetch-site': 'same-site' }],
		['whose name leads here', { host: 'evil.example.test', origin: 'http://evil.example.test' }],
	])('%s can neither change nor read anything', async (_, headers) => {
		const endpoint = addEndpoint();
		const path = `/_control/endpoints/metigan/${endpoint.id}`;
		expect(await asBrowser('DELETE', path, headers)).toBe(403);
		expect(await asBrowser('POST', '/_control/reset', headers)).toBe(403);
		expect(await asBrowser('POST', '/api/webhooks', headers)).toBe(403);
		expect(await asBrowser('GET', '/_control/stream', headers)).toBe(403);
		expect(sandbox.endpoints()).toEqual([endpoint]);
		expect(sandbox.requests()).toEqual([]);
	});

	test('of another host may link to the page, but not trigger a change', async () => {
		const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' };
		expect(await asBrowser('GET', '/_page', link)).toBe(200);
		expect(await asBrowser('POST', '/_control/reset', link)).toBe(403);
		expect(await asBrowser('GET', '/_page', { host: 'evil.example.test' })).toBe(403);
	});
});

describe('the stream', () => {
	test('begins with the whole state, and goes on with changes', async () => {
		const first = addEndpoint();
		stream = await Stream.open(sandbox);
		expect(stream.account).toEqual({ keys: sandbox.keys, endpoints: [first], faults: [] });

		const second = addEndpoint();
		await stream.shows('the new endpoint', () => stream?.account?.endpoints.length === 2);
		sandbox.changeEndpoint('metigan', first.id, { active: false });
		await stream.shows('the switch', () => stream?.account?.endpoints[0]?.active === false);
		sandbox.removeEndpoint('metigan', second.id);
		await stream.shows('the removal', () => stream?.account?.endpoints.length === 1);
		sandbox.fault({ kind: 'html', provider: 'metigan', times: 2 });
		await stream.shows('the fault', () => stream?.account?.faults[0]?.times === 2);
		const key = sandbox.replaceKey('metigan');
		await stream.shows('the key', () => stream?.account?.keys.metigan === key);
		expect(stream.states).toBe(1);
	});

	test('shows each delivery attempt with request, answer and scheduled retries', async () => {
		const { id, secret } = addEndpoint();
		receiver.answer = statuses(503, 200);
		stream = await Stream.open(sandbox);
		const [delivery] = await sandbox.fire({ provider: 'metigan', event: 'email.bounced' });
		await stream.shows('both tries', () => stream?.entries.size === 2);
		await stream.shows('the answer', () => stream?.has('answer 2') ?? false);
		const [failed, delivered] = stream.entries.values();
		expect(failed).toMatchObject({
			kind: 'attempt',
			provider: 'metigan',
			event: 'email.bounced',
			endpointId: id,
			deliveryId: delivery?.id,
			number: 1,
			body: receiver.received[0]?.body.toString(),
			result: { status: 503, body: 'answer 1' },
		});
		expect(failed).not.toHaveProperty('retry');
		expect(delivered).toMatchObject({ number: 2, result: { status: 200, body: 'answer 2' } });
		const sent = receiver.received[1]?.headers['x-webhook-signature'];
		expect(delivered).toMatchObject({ headers: { 'X-Webhook-Signature': sent } });
		expect(JSON.stringify([failed, delivered])).not.toContain(secret);
	});

	test('says when the next retry is scheduled', async () => {
		const slow = await startSandbox({ retryTimeScale: 1, allowHttp: true });
		try {
			receiver.answer = statuses(500);
			stream = await Stream.open(slow);
			const url = `${receiver.origin}/x`;
			const fired = slow.fire({ provider: 'metigan', event: 'email.bounced', url, secret: 's' });
			await stream.shows('the retry', () => stream?.has('"retry"') ?? false);
			const [entry] = stream.entries.values();
			const left = expect.any(Number);
			expect(entry).toMatchObject({
				result: { status: 500 },
				retry: { at: expect.any(Number), left },
			});
			slow.reset();
			expect(await fired).toMatchObject([{ state: 'failed' }]);
		} finally {
			await slow.close();
		}
	});

	test('shows each API call without its credentials', async () => {
		stream = await Stream.open(sandbox);
		const created = await call(sandbox, 'POST', '/api/webhooks', {
			headers: { 'x-api-key': sandbox.keys.metigan },
			body: { url: `${receiver.origin}/x`, events: ['email.bounced'] },
		});
		const login = await call(sandbox, 'POST', '/api/auth', {
			body: { action: 'login', ...sandbox.login },
		});
		await stream.shows('both calls', () => stream?.entries.size === 2);
		const entries = [...stream.entries.values()];
		expect(entries).toMatchObject([
			{ kind: 'call', provider: 'metigan', method: 'POST', path: '/api/webhooks' },
			{ kind: 'call', provider: 'mailPanda', method: 'POST', path: '/api/auth' },
		]);
		const durationMs = expect.any(Number);
		expect(entries).toMatchObject([
			{ result: { status: 201, body: created.text, durationMs } },
			{ result: { status: 200, body: login.text, durationMs } },
		]);
		expect(JSON.stringify(entries)).not.toContain(sandbox.keys.metigan);
		expect(JSON.stringify(entries)).not.toContain(sandbox.login.password);
		expect(stream.account?.endpoints).toHaveLength(1);
	});

	test('shows as much of an answer as was sent, and only the beginning of a long one', async () => {
		stream = await Stream.open(sandbox);
		const list = async () => await call(sandbox, 'GET', '/api/webhooks').catch(() => undefined);
		sandbox.fault({ kind: 'status', body: 'x'.repeat(20_000) });
		await list();
		sandbox.fault({ kind: 'truncate', body: 'half and half' });
		await list();
		sandbox.fault({ kind: 'empty' });
		await list();
		sandbox.fault({ kind: 'drop' });
		await list();
		const open = stream;
		await open.shows('the end of the last call', () => open.entries.get(4)?.result !== undefined);
		expect([...open.entries.values()].map(({ result }) => result)).toEqual([
			{ status: 500, body: 'x'.repeat(10_000), durationMs: expect.any(Number) },
			{ status: 200, body: 'half an', durationMs: expect.any(Number) },
			{ status: 200, durationMs: expect.any(Number) },
			{ durationMs: expect.any(Number) },
		]);
	});

	test('says how long a call takes, and shows no answer for one that hangs', async () => {
		stream = await Stream.open(sandbox);
		sandbox.fault({ kind: 'delay', delayMs: 30 });
		await call(sandbox, 'GET', '/api/webhooks');
		sandbox.fault({ kind: 'hang' });
		const abort = new AbortController();
		const hanging = fetch(`${sandbox.url}/api/webhooks`, { signal: abort.signal });
		const open = stream;
		await open.shows('the call that hangs', () => open.entries.size === 2);
		const [slow, hung] = open.entries.values();
		expect(slow?.result?.durationMs).toBeGreaterThanOrEqual(29);
		expect(hung).not.toHaveProperty('result');
		abort.abort();
		await expect(hanging).rejects.toThrow('aborted');
	});

	test('is up to date for a page that connects after changes that nobody saw', async () => {
		const { id } = addEndpoint();
		stream = await Stream.open(sandbox);
		sandbox.changeEndpoint('metigan', id, { active: false });
		await stream.shows('the switch', () => stream?.account?.endpoints[0]?.active === false);
		stream.close();
		sandbox.changeEndpoint('metigan', id, { active: true });
		stream = await Stream.open(sandbox);
		expect(stream.account?.endpoints[0]?.active).toBe(true);
		sandbox.changeEndpoint('metigan', id, { active: false });
		await stream.shows('the switch', () => stream?.account?.endpoints[0]?.active === false);
	});

	test('begins anew after a reset', async () => {
		addEndpoint();
		await sandbox.fire({ provider: 'metigan', event: 'email.bounced' });
		stream = await Stream.open(sandbox);
		expect(stream.entries.size).toBe(1);
		sandbox.reset();
		await stream.shows('the reset', () => stream?.states === 2);
		expect(stream.entries.size).toBe(0);
		expect(stream.account?.endpoints).toEqual([]);
	});
});

describe('a burst', () => {
	test('is sent in a few messages, and leaves only the newest entries in the log', async () => {
		addEndpoint();
		stream = await Stream.open(sandbox);
		const events = LONGEST_LOG + 100;
		const fired = await control('POST', '/fire', {
			provider: 'metigan',
			event: 'email.bounced',
			times: events,
			perSecond: 1000,
		});
		expect(fired.json).toHaveLength(events);
		expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(events);
		await stream.shows('the last event', () => stream?.entries.has(events) ?? false);
		expect(stream.changes).toBeLessThan(events / 4);

		const { json } = await control('GET', '/log');
		const { entries } = json as { entries: Array<{ key: number }> };
		expect(entries.map(({ key }) => key)).toEqual(
			Array.from({ length: LONGEST_LOG }, (_, index) => index + 101),
		);
	});

	test('ends when it is stopped, while deliveries under way go on', async () => {
		addEndpoint();
		let release: () => void = () => {};
		receiver.answer = (_, response) => void (release = () => response.end());
		const input = { provider: 'metigan', event: 'email.bounced' } as const;
		const fired = sandbox.fireRepeatedly(input, { times: 10_000, perSecond: 1 });
		await until('the first event', WAIT_MS, () => receiver.received[0]);
		expect(await control('DELETE', '/fire')).toMatchObject({ status: 200 });
		release();
		expect(await fired.ended).toMatchObject([{ state: 'delivered' }]);
	});

	test('ends when the sandbox is reset, or closed', async () => {
		addEndpoint();
		const burst = { times: 10_000, perSecond: 50 };
		const input = { provider: 'metigan', event: 'email.bounced' } as const;
		const first = sandbox.fireRepeatedly(input, burst);
		sandbox.reset();
		expect(await first.ended).toHaveLength(1);
		addEndpoint();
		const second = sandbox.fireRepeatedly(input, burst);
		await sandbox.close();
		expect(await second.ended).toHaveLength(1);
	});

	test('is answered with the number of its receivers when nobody waits for it', async () => {
		addEndpoint();
		addEndpoint();
		const fire = async (event: string) =>
			await control('POST', '/fire', { provider: 'metigan', event, wait: false });
		expect((await fire('email.bounced')).json).toEqual({ receivers: 2 });
		expect((await fire('email.sent')).json).toEqual({ receivers: 0 });
		await sandbox.settled();
		expect(receiver.received).toHaveLength(2);
	});
});

describe('new secrets and keys', () => {
	test('include a signing secret that signs from then on', async () => {
		const endpoint = addEndpoint();
		const path = `/endpoints/metigan/${endpoint.id}/secret`;
		const { json } = await control('POST', path);
		expect(text(json, 'secret')).not.toBe(endpoint.secret);
		expect(sandbox.endpoints()[0]?.secret).toBe(text(json, 'secret'));
		expect(await control('POST', '/endpoints/metigan/none/secret')).toMatchObject({ status: 400 });
	});

	test('include one of Misar.Blog that applies to every endpoint, the next one included', async () => {
		const add = () => sandbox.addEndpoint('misarBlog', { url: receiver.origin, events: [] });
		const { id, secret } = add();
		add();
		const fresh = sandbox.rotateSecret('misarBlog', id);
		add();
		expect(fresh).not.toBe(secret);
		expect(sandbox.endpoints('misarBlog').map((endpoint) => endpoint.secret)).toEqual([
			fresh,
			fresh,
			fresh,
		]);
	});

	test('include an API key that replaces the old one', async () => {
		const old = sandbox.keys.metigan;
		const list = async (key: string) =>
			(await call(sandbox, 'GET', '/api/webhooks', { headers: { 'x-api-key': key } })).status;
		const { json } = await control('POST', '/keys/metigan');
		expect(await list(old)).toBe(401);
		expect(await list(text(json, 'key'))).toBe(200);
	});
});

describe('the catalogue of what can be fired', () => {
	test('has a title for each provider', async () => {
		const { json } = await control('GET', '/catalogue');
		expect(json).toHaveLength(catalogue.length);
		expect(json).toContainEqual(expect.objectContaining({ provider: 'metigan', title: 'Metigan' }));
	});

	test('has a sample of each event, which can be fired as it is', async () => {
		const { json } = await control('GET', '/sample?provider=metigan&event=email.bounced');
		expect(json).toMatchObject({ data: { recipient: 'ada@example.com', bounceType: 'hard' } });
		expect(await control('GET', '/sample?provider=nobody&event=x')).toMatchObject({ status: 400 });
	});
});
