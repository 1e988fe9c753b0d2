import { createServer, type IncomingMessage, type Server } from 'node:http';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { listen, originOf, stop } from '../../testkit/loopback';
import { providerNamed } from '../unit/allProviders';
import { testCredential } from './credentialHost';
import { mailPanda, misarMail, triggersUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * The test of a credential in n8n-core's real context for it, as n8n calls the node that the
 * credential is tested by.
 */

const KEY = 'key_of_the_user_0123456789';
/** The first trigger of each credential. */
const credentials = triggersUnderTest.filter(
	({ credential }, at) =>
		triggersUnderTest.findIndex((other) => other.credential === credential) === at,
);

let sandbox: Sandbox;
let elsewhere: Server;
let redirecting: Server;
let redirectStatus = 302;
let received: IncomingMessage[] = [];
let redirected = 0;

useSandbox((started) => (sandbox = started));
beforeAll(async () => {
	elsewhere = createServer((request, response) => {
		received.push(request);
		response.setHeader('content-type', 'application/json');
		response.end('{}');
	});
	await listen(elsewhere);
	redirecting = createServer((_request, response) => {
		redirected += 1;
		response.writeHead(redirectStatus, { location: `${originOf(elsewhere)}/taken` }).end();
	});
	await listen(redirecting);
});
beforeEach(() => {
	received = [];
	redirected = 0;
});
afterAll(async () => {
	for (const server of [elsewhere, redirecting]) await stop(server);
});

const OK = { status: 'OK', message: 'Connection successful!' };
const failed = (message: unknown) => ({ status: 'Error', message });

describe.each(credentials)('the credential of $title', (trigger) => {
	it('passes at the API, and fails with a message if the key is wrong', async () => {
		const { provider } = trigger;
		const baseUrl = `${sandbox.url}/`;
		expect(await testCredential(trigger, { baseUrl, apiKey: sandbox.keys[provider] })).toEqual(OK);
		expect(await testCredential(trigger, { baseUrl, apiKey: KEY })).toEqual(
			failed(expect.stringMatching(/did not accept/)),
		);
		// A path that the provider's documents show after the host.
		const [printed = ''] = providerNamed(trigger.title).apiRoots ?? [];
		const written = { baseUrl: `${sandbox.url}${printed}`, apiKey: sandbox.keys[provider] };
		expect(await testCredential(trigger, written)).toEqual(OK);
	});

	it('passes without an API key, and calls nobody', async () => {
		const baseUrl = originOf(elsewhere);
		expect(await testCredential(trigger, { baseUrl, signingSecret: 'whsec_copied' })).toEqual({
			status: 'OK',
			message: 'No API key: only the signing secret is used.',
		});
		expect(received).toEqual([]);
	});

	it.each([
		['a port where nothing listens', 'http://127.0.0.1:1', 'ECONNREFUSED'],
		['a host that does not exist', 'https://api.misar.invalid', 'ENOTFOUND'],
		['a Base URL without https://', 'api.misar.invalid', 'ENOTFOUND'],
		['a Base URL that is one word', 'misar', 'ERR_INVALID_URL'],
		['a Base URL that is no address', 'https://', 'ERR_INVALID_URL'],
	])('gives a clear message if %s does not answer', async (_, baseUrl, code) => {
		const { status, message } = await testCredential(trigger, { baseUrl, apiKey: KEY });
		expect(status).toBe('Error');
		expect(message).toMatch(
			/^No server answers at this Base URL. Check the spelling; it starts with https:\/\/ /,
		);
		// Some networks answer for every name.
		if (code !== 'ENOTFOUND') expect(message).toContain(`(${code})`);
	});

	it('gives a clear message if a web page answers or the provider has a problem', async () => {
		const { provider } = trigger;
		const fields = { baseUrl: sandbox.url, apiKey: sandbox.keys[provider] };
		sandbox.fault({ kind: 'status', status: 200, body: '<html></html>' });
		expect(await testCredential(trigger, fields)).toEqual(
			failed('A web page answers at this Base URL, not the API. Check the address.'),
		);
		sandbox.fault({ kind: 'status', status: 503 });
		expect(await testCredential(trigger, fields)).toEqual(
			failed(expect.stringContaining('does not answer at the moment (HTTP 503)')),
		);
	});

	it.each([301, 302, 303, 307, 308])(
		'does not hand the key to the host that a %i names, and says what to do',
		async (status) => {
			redirectStatus = status;
			const baseUrl = originOf(redirecting);
			expect(await testCredential(trigger, { baseUrl, apiKey: KEY })).toEqual(
				failed(
					'The Base URL redirects to another address, where the key is not sent. Enter the final address.',
				),
			);
			expect(redirected).toBe(1);
			expect(received).toEqual([]);
		},
	);
});

it.each(['dev', 'ai', 'ink'])(
	'a key of misar %s is not tested, as no call is known',
	async (product) => {
		const fields = { product, baseUrl: originOf(elsewhere), apiKey: KEY };
		expect(await testCredential(misarMail, fields)).toMatchObject({ status: 'OK' });
		expect(received).toEqual([]);
	},
);

it('Mail Panda is tested by signing in with email and password', async () => {
	const fields = { authentication: 'session', baseUrl: sandbox.url, ...sandbox.login };
	expect(await testCredential(mailPanda, fields)).toEqual(OK);
	expect(await testCredential(mailPanda, { ...fields, password: 'wrong' })).toEqual(
		failed(expect.stringMatching(/did not accept/)),
	);
});

it('the session of Mail Panda is not handed to another host either', async () => {
	redirectStatus = 307;
	const fields = { authentication: 'session', sessionToken: KEY, ...sandbox.login };
	const baseUrl = originOf(redirecting);
	expect(await testCredential(mailPanda, { baseUrl, ...fields })).toEqual(
		failed(expect.stringMatching(/redirects/)),
	);
	expect(received).toEqual([]);
});
