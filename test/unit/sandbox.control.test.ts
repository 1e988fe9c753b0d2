import http from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Sandbox } from '../../sandbox';
import { bearer, call, text, type Receiver } from './sandboxSupport';
import { useSandbox } from './useSandbox';

const ORIGIN = 'https://n8n.example.test';

let sandbox: Sandbox;
let receiver: Receiver;
useSandbox((started) => ({ sandbox, receiver } = started), { retryTimeScale: 0 });

const control = async (method: string, path: string, body?: unknown) =>
	await call(sandbox, method, `/_control${path}`, { body });

describe('the control API', () => {
	test('adds, changes and deletes endpoints', async () => {
		const made = await control('POST', '/endpoints', {
			provider: 'metigan',
			url: `${ORIGIN}/x`,
			events: ['email.sent'],
			secret: 's',
		});
		expect(made).toMatchObject({ status: 200, json: { provider: 'metigan', secret: 's' } });
		const id = text(made.json, 'id');
		expect((await control('GET', '/endpoints')).json).toEqual([made.json]);
		expect((await control('GET', '/endpoints?provider=misar.mail')).json).toEqual([]);
		const path = `/endpoints/metigan/${id}`;
		expect((await control('PATCH', path, { active: false })).json).toEqual({ ok: true });
		expect(sandbox.endpoints()[0]?.active).toBe(false);
		expect((await control('DELETE', path)).json).toEqual({ ok: true });
		expect(await control('DELETE', path)).toMatchObject({
			status: 400,
			json: { error: `metigan has no endpoint ${id}` },
		});
	});

	test('fires events, lists deliveries and sets routes', async () => {
		await control('POST', '/routes', { from: ORIGIN, to: receiver.origin });
		const fired = await control('POST', '/fire', {
			provider: 'misar.ai',
			event: 'deploy.failed',
			url: `${ORIGIN}/x`,
			secret: 's',
			data: { why: 'because' },
		});
		expect(fired.json).toEqual([expect.objectContaining({ state: 'delivered' })]);
		expect((await control('GET', '/deliveries')).json).toEqual(fired.json);
		expect(receiver.received[0]?.body.toString()).toContain('"data":{"why":"because"}');
	});

	test('lists requests, and sets faults, behaviour and limits', async () => {
		const list = async () =>
			await call(sandbox, 'GET', '/mail/v1/webhooks', {
				headers: bearer(sandbox.keys['misar.mail']),
			});
		await control('POST', '/faults', { kind: 'status', status: 503, pathPattern: 'webhooks$' });
		expect((await list()).status).toBe(503);
		await control('POST', '/faults', { kind: 'status', path: '/mail' });
		expect((await control('DELETE', '/faults')).json).toEqual({ ok: true });
		expect((await list()).status).toBe(200);
		await control('POST', '/behaviour', {
			provider: 'misar.mail',
			behaviour: { paths: 'unversioned' },
		});
		expect((await list()).status).toBe(404);
		expect((await control('GET', '/requests')).json).toEqual([
			expect.objectContaining({ status: 503 }),
			expect.objectContaining({ status: 200 }),
			expect.objectContaining({ status: 404 }),
		]);

		await control('POST', '/limits', { provider: 'misar.mail', limit: 0 });
		const create = async () =>
			await call(sandbox, 'POST', '/mail/webhooks', {
				headers: bearer(sandbox.keys['misar.mail']),
				body: { url: `${ORIGIN}/x`, events: ['email.sent'] },
			});
		expect((await create()).status).toBe(403);
		await control('POST', '/limits', { provider: 'misar.mail', limit: null });
		expect((await create()).status).toBe(201);
		expect((await control('POST', '/reset')).json).toEqual({ ok: true });
		expect(sandbox.endpoints()).toEqual([]);
	});

	test('issues keys and ends sessions', async () => {
		expect((await control('GET', '/keys')).json).toEqual({
			keys: sandbox.keys,
			limitedKeys: sandbox.limitedKeys,
			login: sandbox.login,
		});
		expect((await control('POST', '/expire-sessions')).json).toEqual({ ok: true });
	});

	test.each([
		['POST', '/endpoints', { provider: 'nobody', url: ORIGIN, events: [] }, 'must be one of'],
		['POST', '/endpoints', { provider: 'metigan', url: 'x', events: [] }, 'Invalid url'],
		['POST', '/endpoints', undefined, 'must be one of'],
		['PATCH', '/endpoints/metigan/x', { active: 1 }, 'Expected boolean'],
		['POST', '/fire', { provider: 'metigan', event: 'e', wrong: 1 }, 'unknown field'],
		['POST', '/fire', { provider: 'metigan', event: 'e', scheme: 'none' }, 'Unknown metigan'],
		['POST', '/faults', { kind: 'none' }, 'Invalid enum value'],
		['POST', '/faults', { kind: 'status', pathPattern: '(' }, 'Invalid regular expression'],
		['POST', '/behaviour', { provider: 'metigan', behaviour: { paths: 'v1' } }, 'unknown field'],
		['POST', '/limits', { provider: 'metigan', limit: -1 }, 'greater than or equal to 0'],
		['POST', '/routes', { from: 'x', to: ORIGIN }, 'Invalid url'],
		['GET', '/endpoints?provider=nobody', undefined, 'must be one of'],
	])('answers %s %s %j with 400 and a reason', async (method, path, body, reason) => {
		const answer = await control(method, path, body);
		expect(answer.status).toBe(400);
		expect(answer.text).toContain(reason);
	});

	test('answers broken JSON with 400 and an unknown control with 404', async () => {
		const response = await fetch(`${sandbox.url}/_control/fire`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{',
		});
		expect(response.status).toBe(400);
		expect((await control('GET', '/nothing')).status).toBe(404);
	});

	test('refuses a page of another site that uses a host name resolving to this machine', async () => {
		const status = await new Promise((resolve, reject) => {
			http
				.get(
					`${sandbox.url}/_control/keys`,
					{ headers: { host: 'evil.example.test' }, agent: false },
					(response) => {
						response.resume();
						resolve(response.statusCode);
					},
				)
				.on('error', reject);
		});
		expect(status).toBe(403);
	});
});
