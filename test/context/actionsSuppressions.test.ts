import { describe, expect, it } from '@jest/globals';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import { metigan, runAction, runAsTool, type ActionCall } from './actionHost';
import { useSandbox } from './useSandbox';

/** Suppressions of Metigan one by one: the rules of its JavaScript SDK 2.5, kept by the sandbox. */

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));

async function run(parameters: INodeParameters, more: Partial<ActionCall> = {}) {
	const call = { parameters: { resource: 'suppression', ...parameters }, ...more };
	const { outputs, error } = await runAction(sandbox, metigan, call);
	const items = outputs[0] ?? [];
	return { error, items, json: items[0]?.json };
}

const add = async (emails: INodeParameters[string], more: INodeParameters = {}) =>
	await run({ operation: 'add', emails, ...more });
const get = async (email: string) => await run({ operation: 'get', email });
const remove = async (email: string, more: INodeParameters = {}) =>
	await run({ operation: 'remove', email, ...more });

/** Puts an address on the list as an event does. */
async function happen(event: string, recipient: string): Promise<void> {
	const data = { recipient, email: recipient };
	await sandbox.fire({ provider: 'metigan', event, data });
}

const sent = () => sandbox.requests().map(({ method, path, body }) => ({ method, path, body }));
const numbered = (count: number) =>
	Array.from({ length: count }, (_, index) => `reader-${index}@example.com`);

describe('Add', () => {
	it('puts addresses on the list, with the given reason and note', async () => {
		const { json } = await add('ana@example.com, bob@example.com', {
			reason: 'unsubscribe',
			note: ' Opted out in the CRM ',
		});
		expect(json).toEqual({
			added: ['ana@example.com', 'bob@example.com'],
			alreadySuppressed: [],
			invalid: [],
		});
		const history = [{ action: 'added', reason: 'unsubscribe', note: 'Opted out in the CRM' }];
		expect((await get('ana@example.com')).json).toMatchObject({
			suppression: { reason: 'unsubscribe', source: 'api', policy: 'consent_required' },
			history,
		});
	});

	it('blocks an address permanently if no reason is chosen', async () => {
		await add('ana@example.com');
		expect(sent()).toEqual([
			{
				method: 'POST',
				path: '/api/suppressions',
				body: { emails: ['ana@example.com'], reason: 'manual' },
			},
		]);
	});

	it('leaves an address that is on the list unchanged, and says why it is there', async () => {
		await happen('email.complained', 'ana@example.com');
		await add('bob@example.com');
		const { json } = await add('ana@example.com bob@example.com', { reason: 'unsubscribe' });
		expect(json).toEqual({
			added: [],
			alreadySuppressed: [
				{ email: 'ana@example.com', reason: 'complaint' },
				{ email: 'bob@example.com', reason: 'manual' },
			],
			invalid: [],
		});
		expect((await get('bob@example.com')).json).toMatchObject({ history: [{ reason: 'manual' }] });
	});

	it.each([
		[1_000, [1_000]],
		[1_001, [1_000, 1]],
		[2_500, [1_000, 1_000, 500]],
	])('sends %i addresses in batches of %j, and combines the results', async (count, sizes) => {
		await happen('email.bounced', 'reader-0@example.com');
		const { json } = await add(`={{ ${JSON.stringify(numbered(count))} }}`);
		expect(sent().map(({ body }) => (body as { emails: string[] }).emails.length)).toEqual(sizes);
		expect(json).toMatchObject({ added: numbered(count).slice(1) });
		expect(json).toMatchObject({
			alreadySuppressed: [{ email: 'reader-0@example.com', reason: 'hard_bounce' }],
		});
	});

	it('says how many addresses were accepted before a batch was refused', async () => {
		sandbox.fault({ kind: 'delay', times: 1 });
		sandbox.fault({ kind: 'status', status: 500 });
		const { error } = await add(`={{ ${JSON.stringify(numbered(2_500))} }}`);
		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: 'Metigan is not available at the moment (HTTP 500)',
			description: expect.stringMatching(
				/^The first 1000 of 2500 addresses were added before this failed; adding them again does no harm — .*It may have taken effect/,
			),
		});
		expect(sent()).toHaveLength(2);
	});

	it.each([
		['commas', 'a@example.com,b@example.com'],
		['semicolons', 'a@example.com; b@example.com'],
		['lines', 'a@example.com\n\n b@example.com\n'],
		['a JSON array', '["a@example.com", "b@example.com"]'],
		['an expression', '={{ ["a@example.com", " b@example.com ", "", null] }}'],
		['an address twice', 'a@example.com b@example.com a@example.com'],
	])('accepts addresses as %s', async (_, emails) => {
		expect((await add(emails)).json).toMatchObject({ added: ['a@example.com', 'b@example.com'] });
		expect(sent()).toMatchObject([{ body: { emails: ['a@example.com', 'b@example.com'] } }]);
	});

	it('does not send what is not an address, and says so', async () => {
		const { json } = await add('ana@example.com, nobody, @example.com');
		expect(json).toMatchObject({ added: ['ana@example.com'], invalid: ['nobody', '@example.com'] });
		expect(sent()).toMatchObject([{ body: { emails: ['ana@example.com'] } }]);
	});

	it('passes on which addresses Metigan refuses', async () => {
		sandbox.fault({
			kind: 'rewrite',
			rewrite: () => ({
				success: true,
				data: { added: [], alreadySuppressed: {}, invalid: ['ana@example.com'] },
			}),
		});
		expect((await add('ana@example.com')).json).toMatchObject({ invalid: ['ana@example.com'] });
	});

	it('returns one item for each', async () => {
		const { items } = await run(
			{ operation: 'add', emails: '={{ $json.emails }}' },
			{
				items: [
					{ json: { emails: ['a@example.com', 'b@example.com'] } },
					{ json: { emails: 'a@example.com' } },
				],
			},
		);
		expect(items).toMatchObject([
			{ json: { added: ['a@example.com', 'b@example.com'] }, pairedItem: { item: 0 } },
			{
				json: { alreadySuppressed: [{ email: 'a@example.com', reason: 'manual' }] },
				pairedItem: { item: 1 },
			},
		]);
	});
});

describe('Get', () => {
	it('says why an address gets no more emails, and shows its history', async () => {
		await happen('email.bounced', 'ana+list@example.com');
		const { json, items } = await get(' ana+list@example.com ');
		expect(json).toMatchObject({
			email: 'ana+list@example.com',
			suppressed: true,
			suppression: { reason: 'hard_bounce', bounceCode: '5.1.1', policy: 'allowed' },
			history: [{ action: 'added', reason: 'hard_bounce', source: 'bounce_handler' }],
		});
		expect(items[0]?.pairedItem).toEqual({ item: 0 });
		expect(sent()).toMatchObject([{ path: '/api/suppressions/ana%2Blist%40example.com' }]);
	});

	it('returns a result for an address that is not on the list as well', async () => {
		expect((await get('ana@example.com')).json).toEqual({
			email: 'ana@example.com',
			suppressed: false,
			history: [],
		});
	});
});

describe('Remove', () => {
	it.each([
		['email.bounced', 'hard_bounce'],
		['manual', 'manual'],
	])('takes an address off the list freely (%s)', async (event, reason) => {
		if (event === 'manual') await add('ana@example.com');
		else await happen(event, 'ana@example.com');
		expect((await remove('ana@example.com', { note: 'Works again' })).json).toMatchObject({
			email: 'ana@example.com',
			reason,
		});
		expect((await get('ana@example.com')).json).toMatchObject({
			suppressed: false,
			history: [{ action: 'added' }, { action: 'removed', reason, note: 'Works again' }],
		});
	});

	it('needs the consent of a person who has unsubscribed', async () => {
		await happen('email.unsubscribed', 'ana@example.com');
		const { error } = await remove('ana@example.com');
		expect(error?.message).toBe(
			'ana@example.com has unsubscribed, and Metigan sends to it again only with the consent of the recipient. Switch on Consent if the recipient has opted in again.',
		);
		const { json } = await remove('ana@example.com', { consent: true, note: 'Signed up again' });
		expect(json).toMatchObject({ email: 'ana@example.com', reason: 'unsubscribe' });
		expect((await get('ana@example.com')).json).toMatchObject({
			history: [{}, { action: 'removed', consent: true, note: 'Signed up again' }],
		});
	});

	it('is left to Metigan’s support after a spam complaint', async () => {
		await happen('email.complained', 'ana@example.com');
		const { error } = await remove('ana@example.com', { consent: true });
		expect(error?.message).toBe(
			'ana@example.com has complained about spam, and only Metigan can remove it. Ask Metigan’s support.',
		);
		expect((await get('ana@example.com')).json).toMatchObject({ suppressed: true });
	});

	it('says so for an address that is not on the list', async () => {
		expect((await remove('ana@example.com')).error?.message).toBe(
			'Metigan does not suppress ana@example.com. It may have been removed before: see Suppression → Get.',
		);
	});
});

describe.each([
	['Add', { operation: 'add', emails: 'ana@example.com' }],
	['Remove', { operation: 'remove', email: 'ana@example.com' }],
])('%s', (title, parameters) => {
	it.each(['drop', 'truncate', 'html'] as const)(
		'is sent once if its answer is lost: %s',
		async (kind) => {
			if (title === 'Remove') await happen('email.bounced', 'ana@example.com');
			sandbox.fault({ kind, when: 'after' });
			const { error } = await run(parameters);
			expect(error).toMatchObject({
				name: 'NodeApiError',
				description: expect.stringContaining('It may have taken effect'),
			});
			expect(sent()).toHaveLength(1);
			expect((await get('ana@example.com')).json).toMatchObject({ suppressed: title === 'Add' });
		},
	);

	it('says so if the key may not change the list', async () => {
		sandbox.fault({ kind: 'scopeRefusal' });
		expect((await run(parameters)).error).toMatchObject({
			message: 'This API key may not change the suppressions of Metigan (HTTP 403)',
			description: expect.stringContaining('Use a key with permission to change suppressions'),
		});
	});

	it('refuses a note of more than 500 characters', async () => {
		const { error } = await run({ ...parameters, note: 'x'.repeat(501) });
		expect(error?.message).toBe(
			'The note has 501 characters, but Metigan keeps at most 500. Shorten it.',
		);
		expect(sent()).toEqual([]);
	});
});

describe('an invalid address', () => {
	it.each([
		['add', { emails: ' , ' }, 'There is no email address. Enter one in Email Addresses.'],
		['add', { emails: '={{ [] }}' }, 'There is no email address.'],
		[
			'add',
			{ emails: 'nobody' },
			'"nobody" is not an email address. Enter an address such as ana@example.com.',
		],
		['add', { emails: '={{ 7 }}' }, 'The parameter "emails" cannot be used'],
		['get', { email: '={{ "" }}' }, 'The parameter "email" is empty'],
		['get', { email: 'ana' }, '"ana" is not an email address.'],
		['remove', { email: 'a@example.com, b@example.com' }, 'is not an email address.'],
	])('is refused before the call: %s %j', async (operation, parameters, message) => {
		const { error } = await run({ operation, ...parameters });
		expect(error?.message).toContain(message);
		expect(sent()).toEqual([]);
	});
});

describe('the operations on suppressions, as tools,', () => {
	const from = (key: string, type = 'string') => `={{ $fromAI('${key}', '', '${type}') }}`;
	const ask = async (parameters: INodeParameters, args: IDataObject) =>
		await runAsTool(sandbox, metigan, { resource: 'suppression', ...parameters }, async (tool) =>
			JSON.parse(String(await tool.invoke(args))),
		);

	it('include Add, which takes what a model gives', async () => {
		const parameters = {
			operation: 'add',
			emails: from('Email_Addresses'),
			reason: from('Reason'),
			note: from('Note'),
		};
		const given = { Email_Addresses: '["ana@example.com"]', Reason: 'unsubscribe', Note: '' };
		expect(await ask(parameters, given)).toMatchObject([{ added: ['ana@example.com'] }]);
		expect(await ask(parameters, { ...given, Reason: 'opt-out' })).toEqual([
			{ error: 'The reason "opt-out" is not one of manual, unsubscribe. Choose one of them.' },
		]);
	});

	it('include Get and Remove, which answer or say what to do', async () => {
		await happen('email.unsubscribed', 'ana@example.com');
		const args = { Email_Address: 'ana@example.com' };
		const email = from('Email_Address');
		expect(await ask({ operation: 'get', email }, args)).toMatchObject([{ suppressed: true }]);
		expect(await ask({ operation: 'remove', email }, args)).toEqual([
			{ error: expect.stringContaining('Switch on Consent') },
		]);
		const consent = from('Consent', 'boolean');
		const agreed = { ...args, Consent: true };
		expect(await ask({ operation: 'remove', email, consent }, agreed)).toMatchObject([
			{ email: 'ana@example.com' },
		]);
	});

	it('are described to a model', async () => {
		const { function: made } = await runAsTool(
			sandbox,
			metigan,
			{ resource: 'suppression', operation: 'add', emails: from('Email_Addresses') },
			async (tool) => convertToOpenAITool(tool),
		);
		expect(made.description).toBe('Add suppressions in Metigan');
	});
});
