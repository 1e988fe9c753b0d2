import { createServer, type Server } from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NodeApiError, type INodeParameters } from 'n8n-workflow';

import type { Fault, Sandbox } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { listen, originOf, stop } from '../../testkit/loopback';
import { metigan, misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** The messages for wrong settings and for wrong answers of a provider. */

let sandbox: Sandbox;

useSandbox((started) => (sandbox = started));

const SIGNING_SECRET = 'signing secret of the user';

interface Case {
	readonly credential?: Record<string, string>;
	readonly parameters?: INodeParameters;
	readonly origin?: string;
}

/** Publishes and returns the error a user would see, checked for secrets. */
async function publishError(trigger: TriggerUnderTest, change: Case): Promise<Error> {
	const credential = {
		baseUrl: sandbox.url,
		apiKey: sandbox.keys[trigger.provider],
		signingSecret: SIGNING_SECRET,
		...change.credential,
	};
	const host = new ContextHost({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential,
		webhookOrigin: change.origin ?? 'https://n8n.example.com',
		parameters: {
			...trigger.parameters,
			registration: 'automatic',
			events: [...trigger.events],
			...change.parameters,
		},
	});
	const error: unknown = await host.publish().then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof Error)) throw new Error('publishing did not fail');

	const shown = JSON.stringify([error, error.message, error.stack, Object.entries(error)]);
	for (const secret of [credential.apiKey, credential.signingSecret]) {
		if (secret !== '') expect(shown).not.toContain(secret);
	}
	expect(sandbox.endpoints(trigger.provider)).toEqual([]);
	return error;
}

/** What n8n shows of an error when publishing fails: n8n 1.x shows the description of a NodeApiError only. */
function shownWhenPublishing(error: Error): string[] {
	return [error.message, ...(error instanceof NodeApiError ? [error.description ?? ''] : [])];
}

describe.each([
	['Misar Mail', misarMail],
	['Metigan', metigan],
])('publishing a trigger of %s', (name, trigger) => {
	it.each<[string, Case, string, RegExp]>([
		[
			'a wrong key',
			{ credential: { apiKey: 'wrong-key-of-the-user' } },
			`${name} did not accept the API key (HTTP 401)`,
			/Check the API key in the credential/,
		],
		[
			'no key',
			{ credential: { apiKey: '' } },
			'The API key is missing',
			/set Registration to Manual/,
		],
		[
			'a base URL that is none',
			{ credential: { baseUrl: 'misar' } },
			'The Base URL "misar" is not a web address',
			/Enter one such as/,
		],
		[
			'an unknown host',
			{ credential: { baseUrl: 'http://no-such-host.invalid' } },
			`${name} could not be reached (the host name is unknown)`,
			/Check the Base URL/,
		],
		[
			'an address where nothing listens',
			{ credential: { baseUrl: 'http://127.0.0.1:9' } },
			`${name} could not be reached (nothing listens at this address)`,
			/Check the Base URL/,
		],
		[
			'an http:// production URL',
			{ credential: { baseUrl: 'https://api.example.com' }, origin: 'http://n8n.example.com' },
			`${name} cannot deliver to this webhook URL: http://n8n.example.com does not use HTTPS`,
			/N8N_WEBHOOK_URL/,
		],
		[
			'a localhost production URL',
			{ credential: { baseUrl: 'https://api.example.com' }, origin: 'http://localhost:5678' },
			`${name} cannot deliver to this webhook URL: http://localhost:5678 can only be reached from this machine or its network`,
			/N8N_WEBHOOK_URL/,
		],
		[
			'an http:// URL that the provider refuses itself',
			{ origin: 'http://n8n.example.com' },
			`${name} did not accept the request (HTTP 4`,
			/answered: .*[Hh][Tt][Tt][Pp][Ss]/,
		],
		[
			'no events',
			{ parameters: { events: [] } },
			'No event is selected',
			/Choose at least one event/,
		],
		[
			'an event the provider does not know',
			{ parameters: { options: { customEvents: 'no.such.event' } } },
			`${name} did not accept the request (HTTP 4`,
			/no\.such\.event/,
		],
		[
			'an API path that does not exist',
			{ parameters: { options: { apiPath: '/no/such/path' } } },
			`${name} has no webhook API at this address (HTTP 404)`,
			/API Path/,
		],
		[
			'an option of the wrong type',
			{ parameters: { options: { toleranceSeconds: 'many' } } },
			'The option "toleranceSeconds" cannot be used',
			/correct it under Options/,
		],
		[
			'manual registration without a signing secret',
			{ parameters: { registration: 'manual' }, credential: { signingSecret: '' } },
			'The signing secret is missing',
			/Signing Secret of .* in the credential/,
		],
	])('with %s says so and what to do', async (_what, change, message, advice) => {
		const error = await publishError(trigger, change);
		expect(error.message).toContain(message);
		for (const shown of shownWhenPublishing(error)) expect(shown).toMatch(advice);
	});

	it('with a key that may not manage webhooks says so, and what to do', async () => {
		const error = await publishError(trigger, {
			credential: { apiKey: sandbox.limitedKeys[trigger.provider] },
		});
		expect(error.message).toContain(`This API key may not manage ${name} webhooks (HTTP 403) — `);
		for (const shown of shownWhenPublishing(error)) expect(shown).toMatch(/Registration to Manual/);
	});

	it.each([402, 403, 429] as const)(
		'beyond the plan (HTTP %i) says so after a single call',
		async (planStatus) => {
			sandbox.fault({
				provider: trigger.provider,
				method: 'POST',
				kind: 'planRefusal',
				status: planStatus,
			});
			const error = await publishError(trigger, {});
			expect(error.message).toContain(
				`The ${name} plan does not allow this (HTTP ${planStatus}) — `,
			);
			for (const shown of shownWhenPublishing(error)) {
				expect(shown).toMatch(/Remove an endpoint|upgrade/);
			}
			expect(sandbox.requests().filter(({ method }) => method === 'POST')).toHaveLength(1);
		},
	);

	it.each<[string, Fault, string]>([
		[
			'limits the rate for long',
			{ kind: 'rateLimit', headers: { 'retry-after': '3600' } },
			`${name} limits how often its API may be called (HTTP 429)`,
		],
		[
			'stays down',
			{ kind: 'status', status: 503, times: 20 },
			`${name} is not available at the moment (HTTP 503)`,
		],
		[
			'answers with a web page',
			{ kind: 'html', status: 200 },
			`${name} answered with something that is not`,
		],
		['answers with nothing', { kind: 'empty' }, `${name} answered with something that is not`],
		[
			'answers with other JSON',
			{ kind: 'status', status: 200, body: { hello: 'world' } },
			`${name} answered with something that is not a list of webhook endpoints`,
		],
		[
			'drops every connection',
			{ kind: 'drop', times: 20 },
			`${name} could not be reached (the connection was closed before the answer)`,
		],
		[
			'redirects elsewhere',
			{ kind: 'status', status: 302, headers: { location: 'https://elsewhere.example.com/' } },
			`${name} refused the request (HTTP 302)`,
		],
	])('says so when the provider %s', async (_what, fault, message) => {
		sandbox.fault({ provider: trigger.provider, method: 'GET', ...fault });
		const error = await publishError(trigger, {});
		expect(error).toBeInstanceOf(NodeApiError);
		expect(error.message).toContain(message);
		expect((error as NodeApiError).description).toContain(`GET ${sandbox.url}${trigger.api?.path}`);
	});

	it('shows no secret that the provider repeats in its answer', async () => {
		const body = { error: `bad secret ${SIGNING_SECRET} of ${sandbox.keys[trigger.provider]}` };
		sandbox.fault({
			provider: trigger.provider,
			method: 'POST',
			kind: 'status',
			status: 422,
			body,
		});
		const error = await publishError(trigger, {});
		expect((error as NodeApiError).description).toContain('bad secret *** of ***');
	});
});

describe('a publish', () => {
	it('names the products when an expression returns an unknown one', async () => {
		const error = await publishError(misarMail, { parameters: { product: 'pigeon' } });
		expect(error.message).toMatch(/^There is no product "pigeon"/);
		expect(error.message).toMatch(/mail/);
	});

	it.each(['automatic', 'manual'])(
		'refuses a credential of another product, with %s registration',
		async (registration) => {
			const error = await publishError(misarMail, {
				credential: { product: 'ink' },
				parameters: { registration },
			});
			expect(error.message).toBe(
				'This credential is for Misar.Ink, but this trigger is for Misar Mail. Choose a Misar Mail credential.',
			);
			expect(sandbox.requests()).toEqual([]);
		},
	);

	it.each([
		['http://me@corp.com:pass word@127.0.0.1:9', /could not be reached/],
		['http://me@corp.com:pass/word@127.0.0.1:9', /The Base URL "http:\/\/127\.0\.0\.1:9" is not/],
	])('reveals nothing of the login in the Base URL %s', async (baseUrl, message) => {
		const error = await publishError(misarMail, { credential: { baseUrl } });
		expect(error.message).toMatch(message);
		expect(JSON.stringify([error, error.stack, shownWhenPublishing(error)])).not.toMatch(
			/corp|pass|word/,
		);
	});

	it('removes an endpoint whose signing secret the API issues and did not return', async () => {
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		const withoutSecret = (name: string, value: unknown) => (name === 'secret' ? undefined : value);
		sandbox.fault({
			provider: 'misar.reach',
			method: 'POST',
			kind: 'rewrite',
			rewrite: (answer) => JSON.parse(JSON.stringify(answer), withoutSecret),
		});
		const error = await publishError(misarReach, { credential: { signingSecret: '' } });
		expect(error.message).toMatch(
			/^Misar Reach created the endpoint without returning its signing secret/,
		);
		expect(sandbox.endpoints('misar.reach')).toEqual([]);
	});
});

describe('a provider that never answers', () => {
	let silent: Server;
	beforeAll(async () => {
		silent = createServer(() => {});
		await listen(silent);
	});
	afterAll(async () => await stop(silent));

	it('is given up at the deadline, with a message', async () => {
		const error = await publishError(misarMail, { credential: { baseUrl: originOf(silent) } });
		expect(error.message).toContain('Misar Mail could not be reached (no answer in time)');
	});
});
