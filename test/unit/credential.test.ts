import { describe, expect, it } from '@jest/globals';
import type {
	ICredentialDataDecryptedObject,
	ICredentialTestFunctions,
	IHookFunctions,
	IHttpRequestHelper,
	INode,
} from 'n8n-workflow';

import { MailPandaApi } from '../../credentials/MailPandaApi.credentials';
import { fringeWarning, readCredential, requireSecrets } from '../../nodes/shared/credential';
import type { Provider } from '../../nodes/shared/provider';
import { credentialTests, type TestableCredential } from '../../nodes/shared/credentialTest';

/** What a credential holds, as people and expressions fill it in. */

const BLANK = '__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6';
const SECRET = 'whsec_1a2b3c4d5e6f';

const provider = {
	credentialType: 'exampleApi',
	displayName: 'Example',
	baseUrl: 'https://api.example.com',
} as Provider;

function contextOf(data: ICredentialDataDecryptedObject) {
	const node = { name: 'Trigger' } as INode;
	return { getNode: () => node, getCredentials: async () => data } as never as IHookFunctions;
}
const read = async (data: ICredentialDataDecryptedObject) =>
	await readCredential(contextOf(data), provider);

describe('a credential', () => {
	it('without any fields has the provider’s default Base URL and no secrets', async () => {
		expect(await read({})).toMatchObject({
			...{ product: '', baseUrl: provider.baseUrl, apiSecret: '', apiSecretTyped: true },
			...{ signingSecret: '', previousSigningSecret: '', flawed: [] },
		});
	});

	it('is read without white space around its Base URL and API key, but with that around its secrets', async () => {
		const credential = await read({
			baseUrl: ' https://api.example.com\n',
			apiKey: ' msk_live_123 ',
			signingSecret: ` ${SECRET}`,
		});
		expect(credential).toMatchObject({
			...{ baseUrl: 'https://api.example.com', apiSecret: 'msk_live_123', apiSecretTyped: false },
			signingSecret: ` ${SECRET}`,
		});
	});

	it.each([BLANK, '', ' ', '""'])(
		'with %j as a secret counts as having none, without an error',
		async (text) => {
			const data = {
				apiKey: text,
				signingSecret: text,
				previousSigningSecret: text,
				password: text,
			};
			const credential = await read(data);
			expect(credential).toMatchObject({
				...{ signingSecret: '', previousSigningSecret: '', apiSecret: '', flawed: [] },
			});
			expect(() => requireSecrets(contextOf({}), credential)).not.toThrow();
		},
	);

	it.each([
		['signingSecret', 'Signing Secret'],
		['previousSigningSecret', 'Previous Signing Secret'],
		['apiKey', 'API Key'],
	])('with a masked or well-known %s is refused', async (field, title) => {
		for (const [text, what] of [
			['whsec_••••', 'masked'],
			['changeme', 'a placeholder'],
		]) {
			const credential = await read({ [field]: String(text) });
			expect(credential.flawed).toEqual([[title, text]]);
			expect(credential).toMatchObject({ signingSecret: '', previousSigningSecret: '' });
			expect(credential.apiSecret).toBe('');
			expect(() => requireSecrets(contextOf({}), credential)).toThrow(
				`The ${title} in the credential is ${what}`,
			);
		}
	});

	it('may have a password that looks masked', async () => {
		const credential = await read({ password: '****abcd****' });
		expect(credential).toMatchObject({ apiSecret: '****abcd****', apiSecretTyped: true });
		expect(credential.flawed).toEqual([]);
	});

	it('lists every text that must never be shown, with and without surrounding quotes', async () => {
		const { secrets } = await read({
			...{ apiKey: 'msk_live_123', password: 'correct horse', sessionToken: 'tok_123456' },
			...{ signingSecret: `"${SECRET}"`, previousSigningSecret: 'whsec_before_that' },
		});
		expect(secrets).toEqual(
			expect.arrayContaining([
				...['msk_live_123', 'correct horse', 'tok_123456', `"${SECRET}"`, SECRET],
				'whsec_before_that',
			]),
		);
	});

	it('with a field that is not text is refused', async () => {
		await expect(read({ signingSecret: 7 as never })).rejects.toThrow(
			'The Example credential has a field that is not text',
		);
	});

	it.each([
		[{ signingSecret: ` ${SECRET}` }, /^The Signing Secret in the credential begins or ends/],
		[{ previousSigningSecret: `${SECRET}"` }, /^The Previous Signing Secret in/],
		[{ apiKey: ' msk_live_123', signingSecret: SECRET }, undefined],
	])('warns of white space or quotes around its signing secrets: %j', async (data, expected) => {
		const warning = fringeWarning(await read(data));
		if (expected === undefined) expect(warning).toBeUndefined();
		else expect(warning).toMatch(expected);
	});
});

describe('the test of a credential', () => {
	const type = {
		name: 'exampleApi',
		displayName: 'Example',
		properties: [],
		check: { path: { mail: '/mail', reach: '/reach' }, messages: { 401: 'The key is wrong.' } },
		authenticate: async (_: ICredentialDataDecryptedObject, request: object) => request,
	} as never as TestableCredential;
	const fields = { product: 'mail', baseUrl: ' https://api.example.com/ ', apiKey: 'msk_live_123' };

	async function test(
		data: ICredentialDataDecryptedObject,
		statusCode = 200,
		body: unknown = {},
	): Promise<{ status: string; message: string; called: string[] }> {
		const called: string[] = [];
		const request = async ({ uri }: { uri: string }) => {
			called.push(uri);
			return { statusCode, headers: {}, body };
		};
		const context = { helpers: { request } } as never as ICredentialTestFunctions;
		const { exampleTest } = credentialTests('exampleTest', type, [provider]).credentialTest;
		const credential = { id: '1', name: 'c', type: 'exampleApi', data };
		return { ...(await exampleTest?.call(context, credential)), called } as never;
	}

	it.each([
		[200, {}, 'OK', 'Connection successful!'],
		[200, '<html></html>', 'Error', 'A web page answers at this Base URL'],
		[302, {}, 'Error', 'redirects to another address'],
		[401, {}, 'Error', 'The key is wrong.'],
		[404, {}, 'Error', 'refused the request (HTTP 404)'],
		[429, {}, 'Error', 'does not answer at the moment (HTTP 429)'],
		[500, {}, 'Error', 'does not answer at the moment (HTTP 500)'],
	])('that is answered with %i %j ends with %s', async (statusCode, body, status, message) => {
		const verdict = await test(fields, statusCode, body);
		expect(verdict).toMatchObject({ status, called: ['https://api.example.com/mail'] });
		expect(verdict.message).toContain(message);
	});

	it.each([
		['no key', { ...fields, apiKey: '' }],
		['the text that n8n shows in place of one', { ...fields, apiKey: BLANK }],
		['a product without a known call', { ...fields, product: 'ink' }],
	])('calls nobody with %s', async (_what, data) => {
		expect(await test(data)).toMatchObject({ status: 'OK', called: [] });
	});

	it('signs in with the password where there is no API key', async () => {
		const { called } = await test({ ...fields, apiKey: '', password: 'correct horse' });
		expect(called).toHaveLength(1);
	});

	it.each(['signingSecret', 'previousSigningSecret', 'apiKey'])(
		'calls nobody where %s is masked or well known',
		async (field) => {
			for (const text of ['••••••••', 'your-secret-here']) {
				const verdict = await test({ ...fields, [field]: text });
				expect(verdict).toMatchObject({ status: 'Error', called: [] });
				expect(verdict.message).toMatch(/ is (?:masked|a placeholder)\. .*\.$/);
			}
		},
	);

	it('calls nobody when the Base URL is not a web address', async () => {
		const verdict = await test({ ...fields, baseUrl: 'ftp://api.example.com' });
		expect(verdict).toMatchObject({ status: 'Error', called: [] });
	});
});

describe('a login at Mail Panda', () => {
	const signIn = async (statusCode: number, cookies: readonly string[]) => {
		const httpRequest = async () => ({
			statusCode,
			headers: { 'set-cookie': cookies },
			body: { error: 'no' },
		});
		const self = { helpers: { httpRequest } } as never as IHttpRequestHelper;
		return await new MailPandaApi().preAuthentication.call(self, {
			...{ authentication: 'session', baseUrl: 'https://www.mailpanda.io' },
			...{ email: 'ada@example.com', password: 'correct horse' },
		});
	};

	it('gives the value of the session’s cookie alone', async () => {
		const cookies = ['theme=dark; Path=/', 'admin_token=tok_1; Path=/; HttpOnly'];
		expect(await signIn(200, cookies)).toEqual({ sessionToken: 'tok_1' });
	});

	it('fails with the answer if it is refused', async () => {
		const refusal = { response: { status: 401, data: { error: 'no' } } };
		await expect(signIn(401, [])).rejects.toMatchObject(refusal);
	});
});

it.each(['', '/', '//'])(
	'n8n’s own nodes sign in to Mail Panda where its Base URL ends with %j',
	async (ending) => {
		// They pass it on as it was entered.
		const credential = {
			...{ authentication: 'session', email: 'ada@example.com', password: 'correct horse' },
			baseUrl: `https://panda.example.com${ending}`,
		};
		const called: string[] = [];
		const httpRequest = async ({ url }: { url: string }) => {
			called.push(url);
			const headers = { 'set-cookie': ['admin_token=of-this-session; Path=/'] };
			return { statusCode: 200, headers, body: {} };
		};
		const context = { helpers: { httpRequest } } as never as IHttpRequestHelper;
		const fetched = await new MailPandaApi().preAuthentication.call(context, credential);
		expect(fetched).toEqual({ sessionToken: 'of-this-session' });
		expect(called).toEqual(['https://panda.example.com/api/auth']);
	},
);
