import { describe, expect, test } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox';
import { bearer, call, field, statuses, text, type ApiCall, type Receiver } from './sandboxSupport';
import { useSandbox } from './useSandbox';

const HOOK = 'https://n8n.example.test/webhook/1';
const V1 = '/mail/v1/webhooks';
const UNVERSIONED = '/mail/webhooks';

let sandbox: Sandbox;
let receiver: Receiver;

useSandbox(
	(started) => ({ sandbox, receiver } = started),
	{ retryTimeScale: 0 },
	'https://n8n.example.test',
);

async function mail(method: string, path: string, { body, headers }: ApiCall = {}) {
	const auth = bearer(sandbox.keys['misar.mail']);
	return await call(sandbox, method, path, { body, headers: { ...auth, ...headers } });
}

async function create(more: object = {}) {
	return await mail('POST', V1, { body: { url: HOOK, events: ['email.delivered'], ...more } });
}

describe('the API of Misar Mail', () => {
	test.each<[string, () => Record<string, string>]>([
		['no key', () => ({})],
		['a wrong key', () => bearer('msk_wrong')],
		["another product's key", () => bearer(sandbox.keys.misarBlog)],
		['not the Bearer scheme', () => ({ authorization: `Basic ${sandbox.keys['misar.mail']}` })],
	])('answers %s with 401 before anything else', async (_, headers) => {
		for (const path of [V1, `${V1}/x`, '/mail/no/such/thing']) {
			const answer = await call(sandbox, 'POST', path, {
				headers: headers(),
				body: { nonsense: true },
			});
			expect([answer.status, answer.json]).toEqual([
				401,
				{
					success: false,
					error: 'Invalid or missing API key. Use: Authorization: Bearer msk_...',
				},
			]);
		}
	});

	test('answers a key without the scope with its own 403', async () => {
		const headers = bearer(sandbox.limitedKeys['misar.mail']);
		const answer = await mail('GET', V1, { headers });
		expect([answer.status, answer.json]).toEqual([
			403,
			{ success: false, error: "API key does not have 'write' scope" },
		]);
	});

	test('answers unknown routes with 404 in its error shape', async () => {
		const answer = await mail('PUT', `${V1}/x`);
		expect([answer.status, answer.json]).toEqual([404, { success: false, error: 'Not found' }]);
		const nobody = await mail('GET', '/elsewhere');
		expect(nobody.status).toBe(404);
	});

	test('has new keys and secrets at each start', async () => {
		const other = await startSandbox();
		await other.close();
		expect(other.keys['misar.mail']).not.toBe(sandbox.keys['misar.mail']);
		expect(other.keys['misar.mail']).toMatch(/^msk_[0-9a-f]{48}$/);
	});
});

describe('a Misar Mail endpoint', () => {
	test.each([V1, UNVERSIONED])('can be managed with every call under %s', async (root) => {
		const created = await mail('POST', root, {
			body: { url: HOOK, events: ['email.delivered'], secret: 'whsec_mine' },
		});
		expect(created.status).toBe(201);
		const id = text(created.json, 'id');
		expect(created.json).toEqual({
			id,
			url: HOOK,
			events: ['email.delivered'],
			active: true,
			created_at: expect.stringMatching(/^\d{4}-.*Z$/),
		});
		expect(sandbox.endpoints('misar.mail')).toEqual([
			expect.objectContaining({ id, secret: 'whsec_mine', provider: 'misar.mail' }),
		]);

		expect((await mail('GET', root)).json).toEqual({ data: [created.json], total: 1 });
		expect((await mail('GET', `${root}/${id}`)).json).toEqual(created.json);

		const patched = await mail('PATCH', `${root}/${id}`, {
			body: { events: ['email.opened'], active: false },
		});
		expect(patched.json).toEqual(
			Object.assign({}, created.json, { events: ['email.opened'], active: false }),
		);

		const removed = await mail('DELETE', `${root}/${id}`);
		expect([removed.status, removed.text]).toEqual([204, '']);
		for (const [method, path] of [
			['GET', `${root}/${id}`],
			['PATCH', `${root}/${id}`],
			['DELETE', `${root}/${id}`],
			['POST', `${root}/${id}/test`],
			['GET', `${root}/${id}/events`],
		] as const) {
			const gone = await mail(method, path);
			expect([gone.status, gone.json]).toEqual([
				404,
				{ success: false, error: 'Webhook not found' },
			]);
		}
	});

	test('created without a secret gets one from the account, which the API never shows', async () => {
		const created = await create();
		expect(created.json).not.toHaveProperty('secret');
		expect(sandbox.endpoints()[0]?.secret).toMatch(/^whsec_[0-9a-f]{64}$/);
	});

	test('has its test delivery signed and reported, and every attempt logged', async () => {
		const id = text((await create()).json, 'id');
		receiver.answer = statuses(200, 500);
		expect((await mail('POST', `${V1}/${id}/test`)).json).toEqual({ success: true });
		expect((await mail('POST', `${V1}/${id}/test`, { body: {} })).json).toEqual({
			success: false,
		});
		expect(receiver.received).toHaveLength(2);
		expect(receiver.received[0]?.headers['x-misar-signature']).toMatch(/^[0-9a-f]{64}$/);

		const log = field((await mail('GET', `${V1}/${id}/events`)).json, 'data');
		expect(log).toHaveLength(2);
		expect(log).toEqual(
			expect.arrayContaining([
				expect.objectContaining({ status_code: 200, response_body: 'answer 1' }),
				expect.objectContaining({ status_code: 500, response_body: 'answer 2' }),
			]),
		);
	});
});

describe('Misar Mail', () => {
	/** docs.misar.io/mail/api-reference/errors */
	const invalid = (fieldErrors: object, formErrors: readonly string[] = []) => ({
		success: false,
		error: 'Validation failed',
		details: { fieldErrors, formErrors },
	});

	test.each([
		[{ url: 'http://n8n.example.test/x' }, 'url', 'must be an https URL'],
		[{ url: 'nonsense' }, 'url', 'must be a valid URL'],
		[{ url: 'ftp://n8n.example.test/x' }, 'url', 'must be a valid URL'],
		[{ url: `https://n8n.example.test/${'x'.repeat(2048)}` }, 'url', 'must not be longer'],
		[{ url: 7 }, 'url', 'Expected string'],
		[{ events: [] }, 'events', 'must name at least one event'],
		[{ events: 'email.delivered' }, 'events', 'Expected array'],
		[{ events: ['email.delivered', 'email.exploded'] }, 'events', 'unknown event "email.exploded"'],
		[{ events: ['*'] }, 'events', 'unknown event "*"'],
		[{ secret: '' }, 'secret', 'must not be empty'],
		[{ description: 'x' }, 'description', 'unknown field'],
	])('refuses a create with %j', async (wrong, name, message) => {
		const answer = await create(wrong);
		expect(answer.status).toBe(400);
		expect(answer.json).toEqual(invalid({ [name]: [expect.stringContaining(message)] }));
		expect(sandbox.endpoints()).toEqual([]);
	});

	test.each([
		'localhost',
		'localhost.',
		'app.localhost',
		'n8n.local',
		'metadata.google.internal',
		'127.0.0.1',
		'10.1.2.3',
		'172.20.0.1',
		'192.168.1.1',
		'169.254.169.254',
		'100.64.0.1',
		'0.0.0.0',
		'2130706433',
		'[::1]',
		'[::]',
		'[fd00::1]',
		'[fe80::1]',
		'[::ffff:10.0.0.1]',
	])('refuses the private host %s', async (host) => {
		const answer = await create({ url: `https://${host}/x` });
		expect(answer.json).toEqual(
			invalid({ url: ['must be publicly reachable, not a private address'] }),
		);
	});

	test.each(['8.8.8.8', '172.32.0.1', '[2606:4700::1111]', 'localhost.example.com'])(
		'accepts the public host %s',
		async (host) => expect((await create({ url: `https://${host}/x` })).status).toBe(201),
	);

	test.each([
		[{ secret: 'new' }, 'secret', 'unknown field'],
		[{ events: [] }, 'events', 'must name at least one event'],
		[{ active: 'yes' }, 'active', 'Expected boolean'],
		[{ url: 'http://n8n.example.test' }, 'url', 'must be an https URL'],
	])('refuses an update with %j', async (wrong, name, message) => {
		const id = text((await create()).json, 'id');
		const before = sandbox.endpoints();
		const answer = await mail('PATCH', `${V1}/${id}`, { body: wrong });
		expect(answer.status).toBe(400);
		expect(answer.json).toEqual(invalid({ [name]: [expect.stringContaining(message)] }));
		expect(sandbox.endpoints()).toEqual(before);
	});

	test('refuses a body that is not JSON, or not declared as JSON', async () => {
		for (const contentType of ['application/json', 'text/plain']) {
			const response = await fetch(`${sandbox.url}${V1}`, {
				method: 'POST',
				headers: { ...bearer(sandbox.keys['misar.mail']), 'content-type': contentType },
				body: contentType === 'text/plain' ? JSON.stringify({ url: HOOK, events: ['x'] }) : '{',
			});
			expect(response.status).toBe(400);
			expect(await response.json()).toEqual(
				invalid({}, ['the body must be JSON (application/json)']),
			);
		}
	});

	test('refuses a create without a body', async () => {
		const answer = await mail('POST', V1);
		expect([answer.status, answer.json]).toEqual([400, invalid({}, ['Required'])]);
	});

	test('refuses more endpoints than the account may have, whatever the key', async () => {
		sandbox.setEndpointLimit('misar.mail', 1);
		expect((await create()).status).toBe(201);
		const refused = await create();
		expect(refused.status).toBe(403);
		expect(refused.json).toMatchObject({
			code: 'plan_limit_exceeded',
			upgrade: { feature: 'webhooks' },
		});
		sandbox.setEndpointLimit('misar.mail', undefined);
		expect((await create()).status).toBe(201);
	});

	test('accepts HTTP and private URLs if the sandbox was started that way', async () => {
		const open = await startSandbox({ allowHttp: true });
		try {
			const answer = await call(open, 'POST', V1, {
				headers: bearer(open.keys['misar.mail']),
				body: { url: 'http://localhost:5678/x', events: ['email.sent'] },
			});
			expect(answer.status).toBe(201);
		} finally {
			await open.close();
		}
	});
});

describe('the behaviour of a provider', () => {
	test('can be set to serve only one of the two paths', async () => {
		sandbox.setBehaviour('misar.mail', { paths: 'v1' });
		expect((await mail('GET', V1)).status).toBe(200);
		expect((await mail('GET', UNVERSIONED)).status).toBe(404);
		sandbox.setBehaviour('misar.mail', { paths: 'unversioned' });
		expect((await mail('GET', V1)).status).toBe(404);
		expect((await mail('GET', UNVERSIONED)).status).toBe(200);
	});

	test('has the answer shapes and statuses that are set', async () => {
		sandbox.setBehaviour('misar.mail', {
			listShape: 'successData',
			createShape: 'successData',
			createStatus: 200,
			deleteStatus: 200,
			invalidStatus: 422,
			planStatus: 402,
		});
		const created = await create();
		expect(created.status).toBe(200);
		expect(created.json).toEqual({ success: true, data: expect.objectContaining({ url: HOOK }) });
		const id = text(field(created.json, 'data'), 'id');
		expect((await mail('GET', V1)).json).toEqual({
			success: true,
			data: [field(created.json, 'data')],
		});
		expect((await create({ events: [] })).status).toBe(422);
		sandbox.setEndpointLimit('misar.mail', 0);
		expect((await create()).status).toBe(402);
		const removed = await mail('DELETE', `${V1}/${id}`);
		expect([removed.status, removed.json]).toEqual([200, { success: true }]);
	});

	test('can be set to ignore the secret sent and to show its own once', async () => {
		sandbox.setBehaviour('misar.mail', { secretMode: 'issue' });
		const created = await create({ secret: 'whsec_mine' });
		const secret = text(created.json, 'secret');
		expect(secret).toMatch(/^whsec_[0-9a-f]{64}$/);
		expect(sandbox.endpoints()[0]?.secret).toBe(secret);
		const shown = await mail('GET', `${V1}/${text(created.json, 'id')}`);
		expect(shown.text).not.toContain(secret);
	});

	test('can be set to know further event names', async () => {
		sandbox.setBehaviour('misar.mail', { extraEvents: ['automation.triggered'] });
		expect((await create({ events: ['automation.triggered'] })).status).toBe(201);
	});

	test('cannot be set to a point or value that the provider does not have', () => {
		expect(() => sandbox.setBehaviour('misar.mail', { pingOnCreate: true })).toThrow(
			'pingOnCreate: unknown field',
		);
		expect(() => sandbox.setBehaviour('misar.mail', { createShape: 'secretField' })).toThrow(
			'createShape',
		);
		expect(() => sandbox.setBehaviour('misar.dev', {})).toThrow('has no API');
	});

	test('is reset together with everything else', async () => {
		sandbox.setBehaviour('misar.mail', { paths: 'v1' });
		sandbox.setEndpointLimit('misar.mail', 0);
		sandbox.addEndpoint('misar.mail', { url: HOOK, events: [] });
		sandbox.fault({ kind: 'status' });
		sandbox.reset();
		expect(sandbox.endpoints()).toEqual([]);
		expect(sandbox.requests()).toEqual([]);
		expect((await mail('GET', UNVERSIONED)).status).toBe(200);
		expect((await create()).status).toBe(201);
	});
});

describe('the sandbox', () => {
	test('records requests without their credentials', async () => {
		const answered = await create({ secret: 'whsec_mine' });
		await mail('GET', `${V1}?a=b`);
		const [first, second] = sandbox.requests();
		expect(first).toEqual({
			at: expect.any(Number),
			provider: 'misar.mail',
			method: 'POST',
			path: V1,
			body: { url: HOOK, events: ['email.delivered'], secret: 'whsec_mine' },
			status: 201,
			responseBody: answered.text,
			durationMs: expect.any(Number),
		});
		expect(second).toMatchObject({ method: 'GET', path: `${V1}?a=b`, status: 200 });
		expect(JSON.stringify(sandbox.requests())).not.toContain(sandbox.keys['misar.mail']);
	});

	test('adds, changes and deletes endpoints without the API', async () => {
		const { id } = sandbox.addEndpoint('misar.mail', { url: HOOK, events: ['email.sent'] });
		sandbox.changeEndpoint('misar.mail', id, { url: `${HOOK}2`, events: [], active: false });
		expect((await mail('GET', `${V1}/${id}`)).json).toMatchObject({
			url: `${HOOK}2`,
			events: [],
			active: false,
		});
		sandbox.removeEndpoint('misar.mail', id);
		expect((await mail('GET', V1)).json).toEqual({ data: [], total: 0 });
		expect(() => sandbox.removeEndpoint('misar.mail', id)).toThrow(`no endpoint ${id}`);
	});

	test('hands out copies, so that a caller cannot change its state', () => {
		const made = sandbox.addEndpoint('misar.mail', { url: HOOK, events: ['email.sent'] });
		made.events.push('more');
		sandbox.endpoints()[0]?.events.push('more');
		expect(sandbox.endpoints()[0]?.events).toEqual(['email.sent']);
	});
});
