import { describe, expect, test } from '@jest/globals';
import type { Sandbox } from '../../sandbox';
import { bearer, call, field, statuses, text, type ApiCall, type Receiver } from './sandboxSupport';
import { useSandbox } from './useSandbox';

const HOOK = 'https://n8n.example.test/webhook/1';

let sandbox: Sandbox;
let receiver: Receiver;
useSandbox(
	(started) => ({ sandbox, receiver } = started),
	{ retryTimeScale: 0 },
	'https://n8n.example.test',
);

describe('metigan', () => {
	const ROOT = '/api/webhooks';
	const metigan = async (method: string, path: string, { body, headers }: ApiCall = {}) =>
		await call(sandbox, method, path, {
			body,
			headers: { 'x-api-key': sandbox.keys.metigan, ...headers },
		});
	const create = async (more: object = {}) =>
		await metigan('POST', ROOT, { body: { url: HOOK, events: ['email.opened'], ...more } });

	test('authenticates by its own header, not by a Bearer key', async () => {
		for (const headers of [{}, bearer(sandbox.keys.metigan), { 'x-api-key': 'mtg_live_wrong' }]) {
			const answer = await call(sandbox, 'GET', ROOT, { headers });
			expect([answer.status, answer.json]).toEqual([
				401,
				{ success: false, error: 'UNAUTHORIZED', message: 'Invalid or missing API key' },
			]);
		}
		const sending = { 'x-api-key': sandbox.limitedKeys.metigan };
		const refused = await metigan('POST', ROOT, { headers: sending, body: {} });
		expect(refused).toMatchObject({ status: 403, json: { error: 'FORBIDDEN' } });
		expect((await metigan('GET', '/api/templates', { headers: sending })).status).toBe(200);
	});

	test('creates an endpoint and shows its key once', async () => {
		const created = await create({ secret: 'ignored today' });
		expect(created.status).toBe(201);
		const id = text(created.json, '_id');
		const key = text(created.json, 'signatureKey');
		expect(key).toMatch(/^whsec_[0-9a-f]{64}$/);
		expect(sandbox.endpoints('metigan')[0]?.secret).toBe(key);

		const shown = await metigan('GET', `${ROOT}/${id}`);
		expect(shown.json).toEqual({
			_id: id,
			url: HOOK,
			events: ['email.opened'],
			active: true,
			createdAt: expect.any(String),
		});
		expect((await metigan('PUT', `${ROOT}/${id}`, { body: { active: false } })).status).toBe(404);
		const patched = await metigan('PATCH', `${ROOT}/${id}`, { body: { active: false } });
		expect(patched.json).toMatchObject({ active: false });
		expect(patched.text).not.toContain(key);
		expect((await metigan('DELETE', `${ROOT}/${id}`)).json).toMatchObject({ success: true });
		for (const method of ['GET', 'PATCH', 'DELETE']) {
			const gone = await metigan(method, `${ROOT}/${id}`, method === 'PATCH' ? { body: {} } : {});
			expect(gone).toMatchObject({ status: 404, json: { success: false, error: 'NOT_FOUND' } });
		}
	});

	test('lists endpoints page by page', async () => {
		for (let index = 0; index < 25; index += 1) {
			sandbox.addEndpoint('metigan', { url: `${HOOK}${index}`, events: [] });
		}
		const urls = async (query: string) => {
			const { json } = await metigan('GET', `${ROOT}${query}`);
			const hooks = field(json, 'webhooks');
			return [Array.isArray(hooks) ? hooks.length : -1, field(json, 'pagination')];
		};
		expect(await urls('')).toEqual([20, { page: 1, limit: 20, total: 25, totalPages: 2 }]);
		expect(await urls('?page=3&limit=10')).toEqual([
			5,
			{ page: 3, limit: 10, total: 25, totalPages: 3 },
		]);
		expect((await metigan('GET', `${ROOT}?page=0`)).status).toBe(400);
		expect((await metigan('GET', `${ROOT}?limit=101`)).status).toBe(400);
	});

	test('names the fields that it refuses', async () => {
		const answer = await create({ url: 'http://n8n.example.test', events: ['email.exploded'] });
		expect(answer.status).toBe(400);
		expect(answer.json).toEqual({
			success: false,
			error: 'VALIDATION_ERROR',
			message: 'url: must be an https URL; events: unknown event "email.exploded"',
			validationErrors: [
				{ field: 'url', message: 'must be an https URL' },
				{ field: 'events', message: 'unknown event "email.exploded"' },
			],
		});
		sandbox.setEndpointLimit('metigan', 0);
		expect(await create()).toMatchObject({ status: 402, json: { error: 'insufficient_quota' } });
	});

	test('can answer in each documented shape', async () => {
		sandbox.setBehaviour('metigan', {
			createShape: 'successData',
			createStatus: 200,
			deleteStatus: 204,
			updateMethods: 'PUT',
			invalidStatus: 422,
		});
		const created = await create();
		expect(created).toMatchObject({ status: 200, json: { success: true } });
		const id = text(field(created.json, 'data'), '_id');
		expect(text(field(created.json, 'data'), 'signatureKey')).toMatch(/^whsec_/);
		expect((await metigan('PATCH', `${ROOT}/${id}`, { body: {} })).status).toBe(404);
		expect((await metigan('PUT', `${ROOT}/${id}`, { body: {} })).status).toBe(200);
		expect((await metigan('DELETE', `${ROOT}/${id}`)).status).toBe(204);
		expect((await create({ events: [] })).status).toBe(422);

		sandbox.setBehaviour('metigan', { createShape: 'secretField' });
		const { json } = await create();
		expect(text(json, 'secret')).toMatch(/^whsec_/);
		expect(json).not.toHaveProperty('signatureKey');

		sandbox.setBehaviour('metigan', { createShape: 'bare', secretMode: 'accept' });
		const own = await create({ secret: 'whsec_mine' });
		expect(own.text).not.toContain('whsec_');
		expect(sandbox.endpoints('metigan').at(-1)?.secret).toBe('whsec_mine');
	});

	test('sends the ID of the delivery or of the endpoint in X-Webhook-Id', async () => {
		const { id } = sandbox.addEndpoint('metigan', { url: HOOK, events: ['email.opened'] });
		await sandbox.fire({ provider: 'metigan', event: 'email.opened' });
		sandbox.setBehaviour('metigan', { webhookIdHeader: 'endpoint' });
		await sandbox.fire({ provider: 'metigan', event: 'email.opened' });
		const ids = receiver.received.map(({ headers }) => headers['x-webhook-id']);
		expect(ids).toEqual([expect.stringMatching(/^whd_/), id]);
	});
});

describe('misar.reach', () => {
	const ROOT = '/reach/api/webhooks/endpoints';
	const reach = async (method: string, path: string, { body, headers }: ApiCall = {}) =>
		await call(sandbox, method, path, {
			body,
			headers: { ...bearer(sandbox.keys['misar.reach']), ...headers },
		});
	const create = async (more: object = {}) =>
		await reach('POST', ROOT, {
			body: { url: HOOK, events: ['deal.won'], description: 'mine', ...more },
		});

	test('creates and lists endpoints, and shows the secret once', async () => {
		const created = await create();
		expect(created.status).toBe(201);
		expect(created.json).toEqual({
			ok: true,
			endpoint: expect.objectContaining({ url: HOOK, events: ['deal.won'], description: 'mine' }),
			secret: sandbox.endpoints('misar.reach')[0]?.secret,
			secret_notice: expect.any(String),
		});
		const id = text(field(created.json, 'endpoint'), 'id');
		await sandbox.fire({ provider: 'misar.reach', event: 'deal.won' });
		const listed = await reach('GET', ROOT);
		expect(listed.json).toEqual({
			ok: true,
			endpoints: [expect.objectContaining({ id, health: { delivered: 1, failed: 0 } })],
		});
		expect(listed.text).not.toContain(text(created.json, 'secret'));
	});

	test.each([404, 405] as const)('answers a delete with %d unless offered', async (status) => {
		const id = text(field((await create()).json, 'endpoint'), 'id');
		sandbox.setBehaviour('misar.reach', { deleteMissingStatus: status });
		expect((await reach('DELETE', `${ROOT}/${id}`)).status).toBe(status);
		expect(sandbox.endpoints('misar.reach')).toHaveLength(1);
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		expect((await reach('DELETE', `${ROOT}/${id}`)).status).toBe(204);
		expect((await reach('DELETE', `${ROOT}/${id}`)).status).toBe(404);
	});

	test.each([
		{ url: 'http://n8n.example.test' },
		{ url: 'https://10.0.0.1/x' },
		{ events: [] },
		{ events: ['lead.found'] },
		{ secret: 'mine' },
	])('refuses %j with 422', async (wrong) => {
		const [name = ''] = Object.keys(wrong);
		// docs.misar.io/reach/api-reference/errors
		expect(await create(wrong)).toMatchObject({
			status: 422,
			json: { error: { fieldErrors: { [name]: [expect.any(String)] }, formErrors: [] } },
		});
	});

	test('can accept the event names of the platform page', async () => {
		sandbox.setBehaviour('misar.reach', { knownEvents: 'union' });
		expect((await create({ events: ['lead.found'] })).status).toBe(201);
	});

	test('refuses for plan and scope, and answers the test of a credential', async () => {
		const limited = bearer(sandbox.limitedKeys['misar.reach']);
		expect((await reach('GET', '/reach/api/plan', { headers: limited })).status).toBe(200);
		expect((await reach('GET', ROOT, { headers: limited })).status).toBe(403);
		expect((await reach('GET', '/reach/api/plan', { headers: bearer('mrk_x') })).status).toBe(401);
		sandbox.setEndpointLimit('misar.reach', 0);
		expect(await create()).toMatchObject({ status: 402, json: { upgrade: true } });
	});
});

describe('misar.post', () => {
	const ROOT = '/post/webhooks';
	const post = async (method: string, path: string, { body, headers }: ApiCall = {}) =>
		await call(sandbox, method, path, {
			body,
			headers: { ...bearer(sandbox.keys['misar.post']), ...headers },
		});
	const create = async (more: object = {}) =>
		await post('POST', ROOT, { body: { url: HOOK, events: ['post.failed'], ...more } });

	test('sends a signed ping before it answers a create', async () => {
		let answered = false;
		receiver.answer = (_, response) => {
			expect(answered).toBe(false);
			response.end();
		};
		const created = await create();
		answered = true;
		expect(created.status).toBe(201);
		expect(text(created.json, 'secret')).toBe(sandbox.endpoints('misar.post')[0]?.secret);
		const [ping] = receiver.received;
		expect(ping?.headers['x-misar-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
		expect(JSON.parse(ping?.body.toString() ?? '')).toEqual({
			event: 'ping',
			timestamp: expect.any(String),
			data: {},
		});
		const listed = await post('GET', ROOT);
		expect(listed.json).toEqual({ webhooks: [expect.objectContaining({ url: HOOK })] });
		expect(listed.text).not.toContain(text(created.json, 'secret'));
	});

	test('creates nothing if its ping is not answered with 2xx', async () => {
		receiver.answer = statuses(503);
		expect(await create()).toMatchObject({
			status: 400,
			json: { error: { fieldErrors: { url: [expect.stringContaining('ping')] }, formErrors: [] } },
		});
		expect(sandbox.endpoints('misar.post')).toEqual([]);
		expect(receiver.received).toHaveLength(1);
		sandbox.setBehaviour('misar.post', { pingOnCreate: false });
		expect((await create()).status).toBe(201);
		expect(receiver.received).toHaveLength(1);
	});

	test('updates only what is passed, and can be set to offer no update', async () => {
		const created = await create();
		const path = `${ROOT}/${text(created.json, 'id')}`;
		const paused = await post('PATCH', path, { body: { active: false } });
		expect(paused.status).toBe(200);
		expect(paused.json).toMatchObject({ url: HOOK, events: ['post.failed'], active: false });
		expect(paused.json).not.toHaveProperty('secret');
		await post('PATCH', path, { body: { url: `${HOOK}/2`, events: ['post.published'] } });
		expect(sandbox.endpoints('misar.post')).toMatchObject([
			{ url: `${HOOK}/2`, events: ['post.published'], active: false },
		]);
		expect((await post('PATCH', path, { body: { secret: 'mine' } })).status).toBe(400);
		expect((await post('PATCH', `${ROOT}/x`, { body: {} })).status).toBe(404);
		expect((await post('GET', path)).status).toBe(404);
		sandbox.setBehaviour('misar.post', { updateMethods: 'none' });
		expect((await post('PATCH', path, { body: { active: true } })).status).toBe(404);
	});

	test('deletes an endpoint, and can be set to offer no delete', async () => {
		const id = text((await create()).json, 'id');
		sandbox.setBehaviour('misar.post', { deleteOffered: false, deleteMissingStatus: 405 });
		expect((await post('DELETE', `${ROOT}/${id}`)).status).toBe(405);
		sandbox.setBehaviour('misar.post', { deleteOffered: true });
		expect((await post('DELETE', `${ROOT}/${id}`)).status).toBe(204);
		expect((await post('DELETE', `${ROOT}/${id}`)).status).toBe(404);
	});

	test('refuses unknown events, a limited key and an endpoint too many', async () => {
		expect((await create({ events: ['post.exploded'] })).status).toBe(400);
		expect((await create({ events: ['post.approved'] })).status).toBe(400);
		sandbox.setBehaviour('misar.post', { knownEvents: 'union' });
		expect((await create({ events: ['post.approved'] })).status).toBe(201);
		const limited = bearer(sandbox.limitedKeys['misar.post']);
		expect(await post('GET', ROOT, { headers: limited })).toMatchObject({
			status: 403,
			json: { code: 'insufficient_scope' },
		});
		sandbox.setEndpointLimit('misar.post', 0);
		expect(await create()).toMatchObject({ json: { code: 'plan_limit_exceeded' } });
	});
});

describe('misarBlog', () => {
	test('has no webhook routes, and a profile to test a key with', async () => {
		const headers = bearer(sandbox.keys.misarBlog);
		expect((await call(sandbox, 'POST', '/blog/v1/webhooks', { headers, body: {} })).status).toBe(
			404,
		);
		expect((await call(sandbox, 'GET', '/blog/v1/me', { headers })).json).toHaveProperty(
			'username',
		);
		expect((await call(sandbox, 'GET', '/blog/v1/me')).status).toBe(401);
	});

	test('sends every event to the URL of the dashboard, with the secret of the platform', async () => {
		const one = sandbox.addEndpoint('misarBlog', { url: HOOK, events: [] });
		const two = sandbox.addEndpoint('misarBlog', { url: HOOK, events: [] });
		expect(one.secret).toBe(two.secret);
		await sandbox.fire({ provider: 'misarBlog', event: 'article.published' });
		expect(receiver.received.map(({ headers }) => headers['x-webhook-secret'])).toEqual([
			one.secret,
			one.secret,
		]);
	});

	test('shows no secret in a delivery signed as the platform page says', async () => {
		sandbox.addEndpoint('misarBlog', { url: HOOK, events: [] });
		await sandbox.fire({ provider: 'misarBlog', event: 'comment.created', scheme: 'platform' });
		const headers = receiver.received[0]?.headers;
		expect(headers?.['x-misar-signature']).toMatch(/^sha256=/);
		expect(headers?.['x-webhook-event']).toBe('comment.created');
		expect(headers).not.toHaveProperty('x-webhook-secret');
	});
});

describe('mailPanda', () => {
	const ROOT = '/api/webhooks/manage';
	const panda = async (method: string, path: string, { body, headers }: ApiCall = {}) =>
		await call(sandbox, method, path, {
			body,
			headers: headers ?? bearer(sandbox.keys.mailPanda),
		});
	const create = async (more: object = {}) =>
		await panda('POST', ROOT, { body: { url: HOOK, events: 'open,click', ...more } });
	const signIn = async () => {
		const answer = await panda('POST', '/api/auth', {
			headers: {},
			body: { action: 'login', ...sandbox.login },
		});
		return { answer, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
	};

	test('creates and lists endpoints with comma-separated events and integer IDs', async () => {
		const created = await create({ secret: 'whsec_mine' });
		expect(created.json).toEqual({
			id: 1,
			url: HOOK,
			events: 'open,click',
			active: true,
			created_at: expect.stringMatching(/^[\d-]+T[\d:]+Z$/),
		});
		await create({ events: 'email.bounce, unsubscribe' });
		expect((await panda('GET', ROOT)).json).toEqual({
			webhooks: [created.json, expect.objectContaining({ id: 2 })],
		});
		expect(sandbox.endpoints('mailPanda').map(({ secret }) => secret)).toEqual([
			'whsec_mine',
			undefined,
		]);
	});

	test.each([
		[{ events: ['open'] }, 'events: Expected string'],
		[{ events: '' }, 'events: must name at least one event'],
		[{ events: 'open,' }, 'events: must name at least one event'],
		[{ events: 'open,sent' }, 'events: unknown event "sent"'],
		[{ url: 'http://n8n.example.test' }, 'url: must be an https URL'],
	])('refuses %j', async (wrong, message) => {
		const answer = await create(wrong);
		expect(answer.status).toBe(400);
		expect(text(answer.json, 'error')).toContain(message);
	});

	test('treats short and long names as one event, and signs nothing without a secret', async () => {
		await create({ secret: 'whsec_mine' });
		await create({ events: 'email.open' });
		await sandbox.fire({ provider: 'mailPanda', event: 'email.open' });
		await sandbox.fire({ provider: 'mailPanda', event: 'open' });
		const signed = receiver.received.map(
			({ headers }) => headers['x-webhook-signature'] !== undefined,
		);
		expect(signed.sort()).toEqual([false, false, true, true]);
	});

	test('accepts a session cookie until it expires', async () => {
		expect((await panda('GET', ROOT, { headers: {} })).status).toBe(401);
		const { answer, cookie } = await signIn();
		expect(answer.json).toEqual({
			success: true,
			user: { email: sandbox.login.email, name: null },
		});
		expect(answer.headers.get('set-cookie')).toMatch(
			/^admin_token=\w+; Path=\/; Max-Age=604800; HttpOnly/,
		);
		expect((await panda('GET', ROOT, { headers: { cookie: `a=b; ${cookie}` } })).status).toBe(200);
		sandbox.expireSessions();
		expect((await panda('GET', ROOT, { headers: { cookie } })).status).toBe(401);
		expect((await panda('GET', ROOT, { headers: { cookie: 'admin_token=' } })).status).toBe(401);
	});

	test('answers a wrong password with 401, and records no password', async () => {
		const body = { action: 'login', email: sandbox.login.email, password: 'wrong-one' };
		expect((await panda('POST', '/api/auth', { headers: {}, body })).status).toBe(401);
		await signIn();
		const log = JSON.stringify(sandbox.requests());
		expect(log).not.toContain('wrong-one');
		expect(log).not.toContain(sandbox.login.password);
	});

	test('can refuse API keys for webhooks', async () => {
		sandbox.setBehaviour('mailPanda', { bearerOnManage: false });
		expect((await panda('GET', ROOT)).status).toBe(401);
		expect((await panda('GET', '/api/keys')).status).toBe(200);
		const { cookie } = await signIn();
		expect((await panda('GET', ROOT, { headers: { cookie } })).status).toBe(200);
	});

	test('lists and makes API keys', async () => {
		const made = await panda('POST', '/api/keys', { body: { name: 'n8n' } });
		const key = text(made.json, 'key');
		expect((await panda('GET', ROOT, { headers: bearer(key) })).status).toBe(200);
		const listed = await panda('GET', '/api/keys');
		expect(listed.json).toEqual({
			keys: [
				expect.objectContaining({ id: 1 }),
				expect.objectContaining({ id: 2, name: 'n8n', last_used: null }),
			],
		});
		expect(listed.text).not.toContain(key);
		const limited = bearer(sandbox.limitedKeys.mailPanda);
		expect((await panda('GET', ROOT, { headers: limited })).status).toBe(403);
	});

	test.each([
		['query', `${ROOT}?id=1`, undefined],
		['body', ROOT, { id: 1 }],
		['path', `${ROOT}/1`, undefined],
	] as const)('updates and deletes by %s, and in no other way', async (style, path, body) => {
		await create();
		for (const other of (['query', 'body', 'path'] as const).filter((one) => one !== style)) {
			sandbox.setBehaviour('mailPanda', { manageStyle: other });
			for (const method of ['PUT', 'PATCH', 'DELETE']) {
				const answer = await panda(method, path, { body });
				expect([400, 404, 405]).toContain(answer.status);
			}
		}
		expect(sandbox.endpoints('mailPanda')).toHaveLength(1);

		sandbox.setBehaviour('mailPanda', { manageStyle: style });
		const update = { ...body, events: 'bounce', active: false };
		expect((await panda('PUT', path, { body: update })).json).toMatchObject({
			id: 1,
			events: 'bounce',
			active: false,
		});
		expect((await panda('DELETE', path, { body })).json).toEqual({ success: true });
		expect((await panda('DELETE', path, { body })).status).toBe(404);
	});

	test('answers an update only by the methods that are set', async () => {
		await create();
		const tried = async () => [
			(await panda('PUT', `${ROOT}?id=1`, { body: {} })).status,
			(await panda('PATCH', `${ROOT}?id=1`, { body: {} })).status,
		];
		expect(await tried()).toEqual([200, 200]);
		sandbox.setBehaviour('mailPanda', { updateMethods: 'PUT' });
		expect(await tried()).toEqual([200, 405]);
		sandbox.setBehaviour('mailPanda', { updateMethods: 'none' });
		expect(await tried()).toEqual([405, 405]);
	});

	test('takes inbound events, on a path that Metigan uses as well', async () => {
		const event = { type: 'email.bounced', email_id: 'msg_1', timestamp: '2026-03-03T08:15:00Z' };
		for (const headers of [{}, bearer(sandbox.keys.mailPanda)]) {
			const answer = await panda('POST', '/api/webhooks', { headers, body: event });
			expect([answer.status, answer.json]).toEqual([200, { received: true }]);
		}
		const missing = await panda('POST', '/api/webhooks', { body: { type: 'x' } });
		expect(missing).toMatchObject({ status: 400, json: { error: 'email_id: Required' } });
		const late = await panda('POST', '/api/webhooks', { body: { ...event, timestamp: 'today' } });
		expect(late.status).toBe(400);
		expect(sandbox.requests().every(({ provider }) => provider === 'mailPanda')).toBe(true);
	});
});

describe('Misar.Dev, Misar.ai, Misar.Ink', () => {
	test('have no API', async () => {
		for (const path of ['/dev/v1/webhooks', '/ai/v1/webhooks', '/ink/v1/webhooks']) {
			expect((await call(sandbox, 'GET', path)).status).toBe(404);
		}
	});

	test.each([
		['misar.dev', 'plugin.installed', 'dev'],
		['misar.ai', 'deploy.failed', 'ai'],
		['misar.ink', 'anything.happened', 'ink'],
	] as const)('deliver the envelope of the platform: %s', async (provider, event, product) => {
		sandbox.addEndpoint(provider, { url: HOOK, events: [event] });
		const [record] = await sandbox.fire({ provider, event });
		const [request] = receiver.received;
		expect(JSON.parse(request?.body.toString() ?? '')).toEqual({
			id: record?.id,
			type: event,
			product,
			timestamp: expect.stringMatching(/^[\d-]+T[\d:]+Z$/),
			api_version: 'v1',
			data: expect.anything(),
		});
		expect(request?.headers).toMatchObject({
			'x-misar-event': event,
			'x-misar-delivery': record?.id,
			'user-agent': 'Misar-Webhook/1.0',
		});
	});
});
