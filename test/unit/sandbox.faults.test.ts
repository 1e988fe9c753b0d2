import { describe, expect, test } from '@jest/globals';
import type { FaultKind, Sandbox } from '../../sandbox';
import { bearer, call } from './sandboxSupport';
import { useSandbox } from './useSandbox';

const V1 = '/mail/v1/webhooks';

let sandbox: Sandbox;
useSandbox((started) => ({ sandbox } = started));

async function list(provider: 'misar.mail' | 'metigan' = 'misar.mail') {
	return provider === 'metigan'
		? await call(sandbox, 'GET', '/api/webhooks', {
				headers: { 'x-api-key': sandbox.keys.metigan },
			})
		: await call(sandbox, 'GET', V1, { headers: bearer(sandbox.keys['misar.mail']) });
}

async function create() {
	return await call(sandbox, 'POST', V1, {
		headers: bearer(sandbox.keys['misar.mail']),
		body: { url: 'https://n8n.example.test/x', events: ['email.sent'] },
	});
}

describe('a fault of the sandbox', () => {
	test('answers with the status that was set', async () => {
		sandbox.fault({ kind: 'status', status: 503, headers: { 'Retry-After': '7' } });
		const answer = await list();
		expect(answer.status).toBe(503);
		expect(answer.headers.get('retry-after')).toBe('7');
		expect(answer.json).toEqual({ success: false, error: 'Request failed with status 503' });
	});

	test('answers with a body that was set', async () => {
		sandbox.fault({ kind: 'status', body: { hello: 1 } });
		expect(await list()).toMatchObject({ status: 500, json: { hello: 1 } });
		sandbox.fault({ kind: 'status', status: 418, body: 'plain' });
		expect(await list()).toMatchObject({ status: 418, text: 'plain' });
	});

	test.each(['drop', 'truncate'] as const)('%s ends the connection', async (kind) => {
		for (const when of ['before', 'after'] as const) {
			sandbox.fault({ kind, when });
			await expect(list()).rejects.toThrow();
		}
	});

	test('truncate sends the beginning of the true answer', async () => {
		sandbox.fault({ kind: 'truncate', when: 'after' });
		const response = await fetch(`${sandbox.url}${V1}`, {
			headers: bearer(sandbox.keys['misar.mail']),
		});
		expect(response.status).toBe(200);
		await expect(response.text()).rejects.toThrow();
	});

	test('answers with a web page', async () => {
		sandbox.fault({ kind: 'html' });
		const answer = await list();
		expect(answer.status).toBe(502);
		expect(answer.headers.get('content-type')).toContain('text/html');
		expect(answer.text).toContain('<h1>');
		sandbox.fault({ kind: 'html', status: 200 });
		expect((await list()).status).toBe(200);
	});

	test('answers without a body', async () => {
		sandbox.fault({ kind: 'empty' });
		expect(await list()).toMatchObject({ status: 200, text: '' });
	});

	test('hang gives no answer', async () => {
		sandbox.fault({ kind: 'hang' });
		const request = fetch(`${sandbox.url}${V1}`, {
			headers: bearer(sandbox.keys['misar.mail']),
			signal: AbortSignal.timeout(300),
		});
		await expect(request).rejects.toThrow(/timeout/);
	});

	test('answers late', async () => {
		sandbox.fault({ kind: 'delay', delayMs: 120 });
		const startedAt = performance.now();
		expect(await list()).toMatchObject({ status: 200, json: { data: [], total: 0 } });
		expect(performance.now() - startedAt).toBeGreaterThan(110);
	});

	test('refuses in the words of each provider', async () => {
		const answers: Record<string, unknown> = {};
		for (const provider of ['misar.mail', 'metigan'] as const) {
			for (const kind of ['planRefusal', 'rateLimit', 'scopeRefusal'] satisfies FaultKind[]) {
				sandbox.fault({ kind, provider });
				const { status, json } = await list(provider);
				answers[`${provider} ${kind}`] = [status, json];
			}
		}
		expect(answers).toEqual({
			'misar.mail planRefusal': [403, expect.objectContaining({ code: 'plan_limit_exceeded' })],
			'misar.mail rateLimit': [
				429,
				{ success: false, error: 'Too many requests. Please slow down.', retryAfter: 1 },
			],
			'misar.mail scopeRefusal': [403, { success: false, error: expect.stringContaining('scope') }],
			'metigan planRefusal': [402, expect.objectContaining({ error: 'insufficient_quota' })],
			'metigan rateLimit': [
				429,
				expect.objectContaining({ error: 'RATE_LIMIT_EXCEEDED', retryAfter: 1 }),
			],
			'metigan scopeRefusal': [403, expect.objectContaining({ error: 'FORBIDDEN' })],
		});
	});

	test('refuses for the plan with each status, and for the rate limit with a time to wait', async () => {
		for (const status of [402, 403, 429]) {
			sandbox.fault({ kind: 'planRefusal', status });
			expect((await list()).status).toBe(status);
		}
		sandbox.fault({ kind: 'rateLimit', headers: { 'Retry-After': '3' }, provider: 'metigan' });
		const limited = await list('metigan');
		expect(limited.headers.get('retry-after')).toBe('3');
		expect(limited.headers.get('x-ratelimit-remaining')).toBe('0');
		expect(limited.json).toMatchObject({ retryAfter: 3 });
	});
});

describe('a fault', () => {
	test('happens once, or as often as set, in the order in which faults were set', async () => {
		sandbox.fault({ kind: 'status', status: 500, times: 2 });
		sandbox.fault({ kind: 'status', status: 502 });
		const seen = [];
		for (let index = 0; index < 4; index += 1) seen.push((await list()).status);
		expect(seen).toEqual([500, 500, 502, 200]);
	});

	test('can be limited to a provider, a method and a path', async () => {
		sandbox.fault({ kind: 'status', provider: 'metigan' });
		sandbox.fault({ kind: 'status', method: 'delete' });
		sandbox.fault({ kind: 'status', path: '/mail/v1/webhooks/wh' });
		sandbox.fault({ kind: 'status', path: /webhooks\/.+/g });
		expect((await list()).status).toBe(200);
		expect((await list('metigan')).status).toBe(500);
		sandbox.clearFaults();
		sandbox.fault({ kind: 'status', path: V1, times: 2 });
		expect((await list()).status).toBe(500);
		const below = await call(sandbox, 'GET', `${V1}/wh_1`, {
			headers: bearer(sandbox.keys['misar.mail']),
		});
		expect(below.status).toBe(500);
		sandbox.fault({ kind: 'status', path: /^\/mail\/v1\/webhooks$/g, times: 2 });
		expect([(await list()).status, (await list()).status]).toEqual([500, 500]);
		expect((await list()).status).toBe(200);
	});

	test('can be cleared', async () => {
		sandbox.fault({ kind: 'status' });
		sandbox.clearFaults();
		expect((await list()).status).toBe(200);
	});
});

describe('a fault of a call', () => {
	test('creates nothing when it comes before the effect', async () => {
		sandbox.fault({ kind: 'status', method: 'POST' });
		expect((await create()).status).toBe(500);
		expect(sandbox.endpoints()).toHaveLength(0);
	});

	test.each(['status', 'truncate', 'drop', 'html', 'empty'] as const)(
		'leaves the endpoint created when it comes after the effect: %s',
		async (kind) => {
			sandbox.fault({ kind, method: 'POST', when: 'after' });
			await create().catch(() => undefined);
			expect(sandbox.endpoints()).toHaveLength(1);
		},
	);

	test('is logged with the status that the caller saw, or none for a dropped connection', async () => {
		sandbox.fault({ kind: 'status', status: 503, when: 'after' });
		sandbox.fault({ kind: 'drop' });
		await create();
		await create().catch(() => undefined);
		expect(sandbox.requests().map(({ status }) => status)).toEqual([503, undefined]);
	});
});
