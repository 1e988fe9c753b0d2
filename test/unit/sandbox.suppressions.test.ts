import { describe, expect, test } from '@jest/globals';
import type { Sandbox } from '../../sandbox';
import { call } from './sandboxSupport';
import { useSandbox } from './useSandbox';

/** Metigan's suppression list is as strict as its JavaScript SDK 2.5 says. */

const PATH = '/api/suppressions';

let sandbox: Sandbox;
useSandbox((started) => ({ sandbox } = started));

const ask = async (method: string, path: string, body?: unknown) => {
	const headers = { 'x-api-key': sandbox.keys.metigan };
	const { status, json } = await call(sandbox, method, `${PATH}${path}`, { headers, body });
	return { status, json };
};
const add = async (body: object) => await ask('POST', '', body);
const happen = async (event: string, more: object = {}) =>
	await sandbox.fire({
		provider: 'metigan',
		event,
		data: { recipient: 'Ana@example.com', email: 'Ana@example.com' },
		...more,
	});
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `r${at}@example.com`);

describe('adding addresses', () => {
	test('reports each address, and leaves those that are on the list unchanged', async () => {
		await happen('email.complained');
		const emails = ['bob@example.com', 'ANA@example.com', 'nobody'];
		expect(await add({ emails, reason: 'unsubscribe' })).toEqual({
			status: 201,
			json: {
				success: true,
				data: {
					added: ['bob@example.com'],
					alreadySuppressed: { 'ana@example.com': 'complaint' },
					invalid: ['nobody'],
				},
			},
		});
		expect((await ask('GET', '/ana%40example.com')).json).toMatchObject({
			data: { suppression: { reason: 'complaint' }, history: [{ actor: 'system' }] },
		});
	});

	test.each([
		[{}, 'emails: Required'],
		[{ emails: [] }, 'emails: must name at least one address'],
		[{ emails: numbered(1001) }, 'emails: must name at most 1,000 addresses'],
		[{ emails: ['a@example.com'], reason: 'complaint' }, 'reason: Invalid enum value'],
		[{ emails: ['a@example.com'], note: 'x'.repeat(501) }, 'note: must have at most 500'],
		[{ emails: ['a@example.com'], consent: true }, 'consent: unknown field'],
	])('is refused: %j', async (body, reason) => {
		expect(await add(body)).toMatchObject({
			status: 400,
			json: { error: 'VALIDATION_ERROR', message: expect.stringContaining(reason) },
		});
		expect((await ask('GET', '')).json).toMatchObject({ pagination: { total: 0 } });
	});

	test('is possible for 1,000 addresses at once, with a note of 500 characters', async () => {
		const body = { emails: numbered(1000), note: 'x'.repeat(500) };
		expect((await add(body)).status).toBe(201);
		expect((await ask('GET', '')).json).toMatchObject({ summary: { byReason: { manual: 1000 } } });
	});
});

describe('an address', () => {
	test('is found whether it is on the list or not', async () => {
		expect(await ask('GET', '/ana%40example.com')).toEqual({
			status: 200,
			json: { success: true, data: { email: 'ana@example.com', suppressed: false, history: [] } },
		});
		await happen('email.bounced');
		expect((await ask('GET', '/ana%40example.com')).json).toMatchObject({
			data: { suppressed: true, suppression: { email: 'Ana@example.com', policy: 'allowed' } },
		});
	});

	test('that bounced softly is on the list for 30 days', async () => {
		const days = (count: number) => Date.now() - count * 86_400_000;
		const data = { recipient: 'ana@example.com', bounceType: 'soft' };
		for (const [age, suppressed] of [
			[31, false],
			[29, true],
		] as const) {
			sandbox.reset();
			await happen('email.bounced', { data, timestampMs: days(age) });
			expect((await ask('GET', '/ana@example.com')).json).toMatchObject({ data: { suppressed } });
		}
	});
});

describe('removing an address', () => {
	const remove = async (query = '') => await ask('DELETE', `/ana%40example.com${query}`);

	test.each([
		['email.bounced', '', 200, undefined],
		['email.unsubscribed', '?consent=true', 200, undefined],
		['email.unsubscribed', '', 409, 'consent_required'],
		['email.complained', '?consent=true', 403, 'support_only'],
	])('after %s%s is answered %i', async (event, query, status, code) => {
		await happen(event);
		const answer = await remove(query);
		expect(answer.status).toBe(status);
		expect(answer.json).toMatchObject(
			code === undefined
				? { success: true, data: { email: 'Ana@example.com' } }
				: { success: false, code, error: expect.any(String) },
		);
		expect((await ask('GET', '/ana@example.com')).json).toMatchObject({
			data: { suppressed: code !== undefined },
		});
	});

	test('keeps the note and the consent in the history', async () => {
		await happen('email.unsubscribed');
		await remove('?consent=true&note=opted+in');
		expect((await ask('GET', '/ana@example.com')).json).toMatchObject({
			data: {
				history: [{ action: 'added' }, { action: 'removed', consent: true, note: 'opted in' }],
			},
		});
	});

	test('is answered with 404 if the address is not on the list', async () => {
		expect((await remove()).status).toBe(404);
	});
});
