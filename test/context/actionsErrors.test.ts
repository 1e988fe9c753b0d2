import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import type { Fault, Sandbox } from '../../sandbox';
import { providerNamed } from '../unit/allProviders';
import {
	casesWithApi,
	mailPanda,
	metigan,
	misarBlog,
	misarMail,
	nodesUnderTest,
	runAction,
	type ActionNodeCase,
	type StoredError,
} from './actionHost';
import { useSandbox } from './useSandbox';

/**
 * How a run ends when the API fails: the error that n8n stores, the number of requests,
 * and that the error contains no secret. Each row is a read (Get Many) and a write (Create) of
 * endpoints, and the reads of other lists.
 */

const SIGNING_SECRET = 'whsec_of_the_credential';
const NEW_SECRET = 'whsec_of_the_new_endpoint';
const URL_OF = 'https://app.example.com/hooks';
/** Attempts at a call that may be repeated. */
const ALL_ATTEMPTS = 4;

const OPERATIONS = {
	read: { method: 'GET', parameters: { operation: 'getAll' } },
	write: {
		method: 'POST',
		parameters: {
			operation: 'create',
			url: URL_OF,
			events: ['*'],
			options: { signingSecret: '={{ $json.secret }}', includeSecret: true },
		},
	},
} as const satisfies Record<string, { method: string; parameters: INodeParameters }>;
type OperationName = keyof typeof OPERATIONS;
const operations = Object.keys(OPERATIONS) as OperationName[];

/** An operation of a node, and the call behind it. */
interface Tried {
	readonly title: string;
	readonly action: ActionNodeCase;
	readonly name: OperationName;
	readonly method: string;
	readonly path: string;
	readonly parameters: INodeParameters;
	/** What it reads, if that is not endpoints. */
	readonly things?: string;
}

const endpointCalls = nodesUnderTest.flatMap((action) =>
	operations.map((name): Tried => {
		const { method, parameters } = OPERATIONS[name];
		return {
			title: `${action.title}, ${name}`,
			...{ action, name, method, path: action.path },
			parameters: { resource: 'endpoint', ...parameters },
		};
	}),
);

function listCall(
	action: ActionNodeCase,
	things: string,
	path: string,
	parameters: INodeParameters,
): Tried {
	return {
		title: `${action.title}, ${String(parameters['operation'])} of ${things}`,
		...{ action, things, path, parameters },
		...{ name: 'read', method: 'GET' },
	};
}
const suppressions = listCall(metigan, 'suppressions', '/api/suppressions', {
	resource: 'suppression',
	operation: 'getAll',
});
const articles = listCall(misarBlog, 'articles', '/blog/v1/articles', {
	resource: 'article',
	operation: 'getAll',
});
const oneArticle = listCall(misarBlog, 'articles', '/blog/v1/articles/art-1', {
	resource: 'article',
	operation: 'get',
	article: { __rl: true, mode: 'id', value: 'art-1' },
});
const allCalls = [...endpointCalls, suppressions, articles, oneArticle];

interface Expected {
	/** After the provider's name, and the HTTP status it ends with. */
	readonly message: RegExp;
	readonly description: RegExp;
	readonly httpCode: string | null;
	/** Number of requests. */
	readonly requests: number | Readonly<Record<OperationName, number>>;
	/** The different texts for calls that are not about endpoints. */
	readonly ofLists?: { readonly message?: RegExp; readonly description?: RegExp };
}

const ARTICLE = { article: { id: 'art-1', slug: 'first', title: 'First' } };

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));
beforeEach(async () => {
	await sandbox.fire({ provider: 'misarBlog', event: 'article.published', data: ARTICLE });
});

const requestsOf = ({ action, method, path }: Tried) =>
	sandbox
		.requests()
		.filter(
			(request) =>
				request.provider === action.provider &&
				request.method === method &&
				request.path.split('?')[0] === path,
		).length;

/** Runs the operation. */
async function run({ action, parameters }: Tried, credential: { baseUrl?: string } = {}) {
	return await runAction(sandbox, action, {
		parameters,
		credential: { signingSecret: SIGNING_SECRET, ...credential },
		items: [{ json: { secret: NEW_SECRET } }],
	});
}

/** Runs the operation with the fault set. */
async function meet(
	tried: Tried,
	fault: Fault,
): Promise<{ error: StoredError | undefined; stored: string; requests: number }> {
	const { action, method } = tried;
	const path = new RegExp(`^${tried.path}$`);
	sandbox.fault({ times: 10, ...fault, provider: action.provider, method, path });
	const before = requestsOf(tried);
	const { error, stored } = await run(tried);
	return { error, stored, requests: requestsOf(tried) - before };
}

function expectNoSecret(action: ActionNodeCase, error: StoredError | undefined) {
	const { message, description, stack, context } = error ?? { context: {} };
	const everything = JSON.stringify([message, description, stack, context, error]);
	for (const secret of [sandbox.keys[action.provider], SIGNING_SECRET, NEW_SECRET]) {
		expect(everything).not.toContain(secret);
		expect(everything).not.toContain(encodeURIComponent(secret));
	}
}

async function check(tried: Tried, fault: Fault, { ofLists, ...forEndpoints }: Expected) {
	const { title, action, name, method, path, things } = tried;
	const expected = { ...forEndpoints, ...(things === undefined ? {} : ofLists) };
	const { error, requests } = await meet(tried, fault);
	expect(error).toMatchObject({
		name: 'NodeApiError',
		httpCode: expected.httpCode,
		context: { itemIndex: 0 },
	});
	expect(error?.message).toContain(action.title);
	expect(error?.message).toMatch(expected.message);
	if (expected.httpCode !== null) expect(error?.message).toContain(`HTTP ${expected.httpCode}`);
	expect(error?.description).toMatch(expected.description);
	expect(error?.description).toContain(`${method} ${sandbox.url}${path}`);
	expect(error?.description).not.toMatch(/publish/);
	if (things !== undefined) {
		expect(`${error?.message} ${error?.description}`).not.toMatch(/webhook|endpoint|API Path/i);
	}
	const count = typeof expected.requests === 'number' ? expected.requests : expected.requests[name];
	expect({ title, requests }).toEqual({ title, requests: count });
	expectNoSecret(action, error);
}

/** An answer in the provider's own words that repeats every secret it was sent. */
function indiscreet(status: number, { action, name }: Tried): Fault {
	const takesSecret = providerNamed(action.title).api?.sendsSecret === 'always';
	const sent = name === 'write' && takesSecret ? NEW_SECRET : 'that';
	const error = `Refused ${sent} for key ${sandbox.keys[action.provider]} (${SIGNING_SECRET})`;
	return { kind: 'status', status, body: { error, message: error } };
}

const status = (code: number, more: Partial<Fault> = {}): Fault => ({
	kind: 'status',
	status: code,
	...more,
});
const TRY_LATER = /try again/;
const CHECK_ADDRESS = /Base URL in the credential and Options → API Path/;
const CHECK_BASE_URL = { description: /Check the Base URL in the credential/ };
const UPGRADE = { description: /Upgrade the plan/ };
const SOMETHING_ELSE: Expected = {
	message: /answered with something that is not a/,
	description: CHECK_ADDRESS,
	httpCode: '200',
	requests: 1,
	ofLists: CHECK_BASE_URL,
};
const CLOSED: Expected = {
	message: /could not be reached \(the connection was closed before the answer\)/,
	description: TRY_LATER,
	httpCode: null,
	requests: { read: ALL_ATTEMPTS, write: 1 },
};
const limited = { message: /limits how often its API may be called/, httpCode: '429' };

/** The code by which an API says that the plan does not allow a call, where one is documented. */
function planRefusal({ action }: Tried): IDataObject {
	const [code] = providerNamed(action.title).planRefusals ?? [];
	return code === undefined ? { upgrade: true } : { code };
}

const rows: ReadonlyArray<readonly [string, Fault | ((tried: Tried) => Fault), Expected]> = [
	[
		'400',
		status(400, { body: { error: 'url: must be an https URL' } }),
		{
			message: /did not accept/,
			description: /answered: url: must be an https URL — Correct what the answer names/,
			httpCode: '400',
			requests: 1,
		},
	],
	[
		'401',
		status(401),
		{
			message: /did not accept the API key/,
			description: /Check the API key in the credential/,
			httpCode: '401',
			requests: 1,
		},
	],
	[
		'402 without a word',
		status(402, { body: {} }),
		{
			message: /plan does not allow this/,
			description: /upgrade the plan/,
			httpCode: '402',
			requests: 1,
			ofLists: UPGRADE,
		},
	],
	[
		'402 with an address to upgrade at',
		status(402, {
			body: { error: 'Too many', upgrade: true, upgrade_url: 'https://app.example.com/pricing' },
		}),
		{
			message: /plan does not allow this/,
			description: /upgrade the plan at https:\/\/app\.example\.com\/pricing/,
			httpCode: '402',
			requests: 1,
			ofLists: { description: /Upgrade the plan at https:\/\/app\.example\.com\/pricing/ },
		},
	],
	[
		'403 of the plan',
		(tried) => status(403, { body: { ...planRefusal(tried), message: 'Your plan ends here' } }),
		{
			message: /plan does not allow this/,
			description: /answered: Your plan ends here — Remove an endpoint/,
			httpCode: '403',
			requests: 1,
			ofLists: { description: /answered: Your plan ends here — Upgrade the plan/ },
		},
	],
	[
		'429 of the plan',
		(tried) => status(429, { body: planRefusal(tried), headers: { 'retry-after': '0' } }),
		{
			message: /plan does not allow this/,
			description: /upgrade the plan/,
			httpCode: '429',
			requests: 1,
			ofLists: UPGRADE,
		},
	],
	[
		'403 of the key’s scope',
		{ kind: 'scopeRefusal' },
		{
			message: /API key may not manage/,
			description: /Use a key with permission/,
			httpCode: '403',
			requests: 1,
			ofLists: {
				message: /API key may not read the (articles|suppressions) of/,
				description: /Use a key with permission to read (articles|suppressions)/,
			},
		},
	],
	[
		'409',
		status(409, { body: { error: { code: 'conflict', message: 'This URL is registered' } } }),
		{
			message: /did not accept/,
			description: /answered: This URL is registered/,
			httpCode: '409',
			requests: 1,
		},
	],
	[
		'422 with field errors',
		status(422, {
			body: {
				success: false,
				error: 'VALIDATION_ERROR',
				message: 'The request is not valid',
				validationErrors: [
					{ field: 'url', message: 'must be public' },
					{ field: 'events.0', message: 'is unknown' },
				],
			},
		}),
		{
			message: /did not accept/,
			description:
				/The request is not valid \(url: must be public; events\.0: is unknown\) — Correct what the answer names/,
			httpCode: '422',
			requests: 1,
		},
	],
	[
		'422 with field errors by another name',
		status(422, {
			body: { message: 'Invalid request', issues: [{ field: 'url', message: 'must be public' }] },
		}),
		{
			message: /did not accept/,
			description: /answered: Invalid request \(url: must be public\) — Correct what/,
			httpCode: '422',
			requests: 1,
		},
	],
	[
		'400 with messages by field below details',
		status(400, {
			body: {
				success: false,
				error: 'Validation failed',
				details: { fieldErrors: { url: ['Required'], events: ['a', 'b'] }, formErrors: [] },
			},
		}),
		{
			message: /did not accept/,
			description: /answered: Validation failed \(url: Required; events: a, b\) — Correct what/,
			httpCode: '400',
			requests: 1,
		},
	],
	[
		'422 with messages by field as its error',
		status(422, {
			body: { error: { fieldErrors: { url: ['Required'] }, formErrors: ['Too long', 7] } },
		}),
		{
			message: /did not accept/,
			description: /answered: Too long; url: Required — Correct what/,
			httpCode: '422',
			requests: 1,
		},
	],
	[
		'429 without Retry-After',
		status(429),
		{ ...limited, description: /Wait a minute, then try again/, requests: ALL_ATTEMPTS },
	],
	[
		'429 with Retry-After',
		status(429, { headers: { 'retry-after': '1' } }),
		{ ...limited, description: /Wait 1 second, then try again/, requests: ALL_ATTEMPTS },
	],
	[
		'429 with a Retry-After that is too long to wait',
		status(429, { headers: { 'retry-after': '90' } }),
		{ ...limited, description: /Wait 90 seconds, then try again/, requests: 1 },
	],
	[
		'500',
		status(500),
		{
			message: /not available at the moment/,
			description: TRY_LATER,
			httpCode: '500',
			requests: 1,
		},
	],
	[
		'503',
		status(503),
		{
			message: /not available at the moment/,
			description: TRY_LATER,
			httpCode: '503',
			requests: { read: ALL_ATTEMPTS, write: 1 },
		},
	],
	[
		'a gateway’s page',
		{ kind: 'html' },
		{
			message: /not available at the moment/,
			description: TRY_LATER,
			httpCode: '502',
			requests: { read: ALL_ATTEMPTS, write: 1 },
		},
	],
	['HTML instead of JSON', { kind: 'html', status: 200 }, SOMETHING_ELSE],
	['an empty body', { kind: 'empty' }, SOMETHING_ELSE],
	['truncated JSON', { kind: 'truncate', when: 'after' }, CLOSED],
	['JSON that ends early', status(200, { body: '{"data":[{"id":' }), SOMETHING_ELSE],
	['a connection reset', { kind: 'drop' }, CLOSED],
	[
		// Inside the budget of 15 s for all attempts, 10 s each.
		'a timeout',
		{ kind: 'hang' },
		{
			message: /could not be reached \(no answer in time\)/,
			description: TRY_LATER,
			httpCode: null,
			requests: { read: 2, write: 1 },
		},
	],
];

/** At the same time, because some rows wait. */
async function checkAll(calls: readonly Tried[], one: (tried: Tried) => Promise<void>) {
	const runs = calls.map(async (tried) => await one(tried));
	// None may still be running in the next test.
	await Promise.allSettled(runs);
	await Promise.all(runs);
}

describe('Get Many and Create of each node, and the other lists', () => {
	it.each(rows)('end with a clear error for %s', async (_, fault, expected) => {
		await checkAll(
			allCalls,
			async (tried) =>
				await check(tried, typeof fault === 'function' ? fault(tried) : fault, expected),
		);
	});

	it.each([404, 405])('end with %i after the last documented path', async (code) => {
		await checkAll([...endpointCalls, suppressions, articles], async (tried) => {
			const { action, things } = tried;
			sandbox.fault({ times: 20, ...indiscreet(code, tried), provider: action.provider });
			const { error } = await run(tried);
			const missing = things === undefined ? 'webhook API' : `list of ${things}`;
			expect(error).toMatchObject({
				name: 'NodeApiError',
				message: `${action.title} has no ${missing} at this address (HTTP ${code})`,
				description: expect.stringMatching(
					things === undefined ? CHECK_ADDRESS : CHECK_BASE_URL.description,
				),
				httpCode: String(code),
				context: { itemIndex: 0 },
			});
			expectNoSecret(action, error);
		});
	});

	it.each([404, 405])('say that there is no such article for %i', async (code) => {
		const { error, stored } = await meet(oneArticle, indiscreet(code, oneArticle));
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message:
				'There is no published article "art-1". Check the ID or the slug; drafts cannot be retrieved.',
			context: { itemIndex: 0 },
		});
		expectNoSecret(oneArticle.action, error);
		expect(stored).not.toContain(sandbox.keys.misarBlog);
	});

	it.each([400, 401, 402, 403, 409, 422, 429, 500, 503])(
		'reveal no secret that an answer with %i repeats',
		async (code) => {
			await checkAll(allCalls, async (tried) => {
				const { error, stored } = await meet(tried, indiscreet(code, tried));
				expect(error?.description).toMatch(/answered: Refused|API key in the credential/);
				expectNoSecret(tried.action, error);
				expect(stored).not.toContain(sandbox.keys[tried.action.provider]);
				expect(stored).not.toContain(SIGNING_SECRET);
			});
		},
	);

	it('reveal no part of a secret where a long answer is cut', async () => {
		await checkAll(allCalls, async (tried) => {
			const key = sandbox.keys[tried.action.provider];
			for (const length of [480, 490, 495]) {
				const error = `${'x'.repeat(length)}${key}`;
				const met = await meet(tried, { ...status(400), times: 1, body: { error } });
				expect(met.error?.description).toContain('x'.repeat(length));
				expect(met.error?.description).not.toContain(key.slice(0, 5));
			}
		});
	});

	it('say when nothing listens at the base URL', async () => {
		await checkAll(allCalls, async (tried) => {
			// Nothing listens on port 1.
			const { error } = await run(tried, { baseUrl: 'http://127.0.0.1:1' });
			expect(error?.message).toBe(
				`${tried.action.title} could not be reached (nothing listens at this address)`,
			);
			expect(error).toMatchObject({ name: 'NodeApiError', context: { itemIndex: 0 } });
			expect(error?.description).toMatch(/Check the Base URL in the credential/);
		});
	});
});

describe.each([suppressions, articles, oneArticle])('$title', (tried) => {
	const { action, parameters } = tried;

	it('says how long to wait', async () => {
		const headers = { 'retry-after': '60' };
		const { error, requests } = await meet(tried, { kind: 'rateLimit', headers });
		expect(error).toMatchObject({
			message: `${action.title} limits how often its API may be called (HTTP 429)`,
			description: expect.stringMatching(/Wait 60 seconds, then try again/),
		});
		expect(requests).toBe(1);
	});

	it('reports an answer that is JSON of another shape', async () => {
		for (const body of ['[1]', '"text"', '7', 'null']) {
			const { error } = await meet(tried, { kind: 'status', status: 200, body, times: 1 });
			expect(error).toMatchObject({
				message: expect.stringMatching(/answered with something that is not an? (list|article)/),
				description: expect.stringMatching(CHECK_BASE_URL.description),
			});
		}
	});

	it('names the item that failed, and goes on with the others if set to', async () => {
		const { provider } = action;
		// Misar.Blog does not say how many articles there are: an empty page marks the end.
		sandbox.fault({ provider, kind: 'delay', times: tried === articles ? 2 : 1 });
		sandbox.fault({ provider, kind: 'status', status: 500, times: 1 });
		const items = [{ json: {} }, { json: {} }, { json: {} }];
		const { outputs, error } = await runAction(sandbox, action, {
			...{ parameters, items, onError: 'continueRegularOutput' },
		});
		expect(error).toBeUndefined();
		expect((outputs[0] ?? []).filter(({ json }) => 'error' in json)).toEqual([
			{
				json: {
					error: `${action.title} is not available at the moment (HTTP 500)`,
					details: expect.stringContaining('try again in a few minutes'),
					httpCode: '500',
				},
				pairedItem: { item: 1 },
			},
		]);
	});
});

it.each([suppressions, articles])('$title reports a wrong key', async (tried) => {
	const { error, stored } = await runAction(sandbox, tried.action, {
		parameters: tried.parameters,
		credential: { apiKey: 'key_that_nobody_has' },
	});
	expect(error).toMatchObject({
		httpCode: '401',
		message: `${tried.action.title} did not accept the API key (HTTP 401)`,
	});
	expect(stored).not.toContain('key_that_nobody_has');
});

describe.each(casesWithApi)('the refusals of $title', (action) => {
	const run = async (name: OperationName) =>
		(
			await runAction(sandbox, action, {
				parameters: { resource: 'endpoint', ...OPERATIONS[name].parameters },
				items: [{ json: { secret: NEW_SECRET } }],
			})
		).error;

	it('are explained', async () => {
		const { provider } = action;
		sandbox.setEndpointLimit(provider, 0);
		expect(await run('write')).toMatchObject(
			providerNamed(action.title).planRefusals === undefined
				? // It documents no code for that, so its own message is shown.
					{ description: expect.stringMatching(/answered: .*\bplan\b/) }
				: { message: expect.stringMatching(/plan does not allow this/) },
		);
		sandbox.fault({ provider, kind: 'rateLimit', times: 10, headers: { 'retry-after': '60' } });
		expect(await run('read')).toMatchObject({
			httpCode: '429',
			description: expect.stringMatching(/Wait 60 seconds/),
		});
	});

	it('name the refused field', async () => {
		const { error } = await runAction(sandbox, action, {
			parameters: {
				resource: 'endpoint',
				operation: 'create',
				url: 'https://10.0.0.1/',
				events: ['*'],
			},
		});
		expect(error?.description).toMatch(/answered: .*url: must be publicly reachable/);
	});

	it('say whether the key is wrong or lacks a permission', async () => {
		const { provider } = action;
		const withKey = async (apiKey: string) =>
			(
				await runAction(sandbox, action, {
					parameters: { resource: 'endpoint', operation: 'getAll' },
					credential: { apiKey },
				})
			).error;
		const wrong = await withKey('key_that_nobody_has');
		expect(wrong).toMatchObject({ httpCode: '401' });
		expect(JSON.stringify(wrong)).not.toContain('key_that_nobody_has');
		const limitedKey = sandbox.limitedKeys[provider];
		const limitedError = await withKey(limitedKey);
		expect(limitedError).toMatchObject({ httpCode: '403' });
		expect(JSON.stringify(limitedError)).not.toContain(limitedKey);
	});
});

it('a missing path is reported, not a wrong key, if the other path is for people who are signed in', async () => {
	sandbox.setBehaviour('misar.mail', { paths: 'unversioned' });
	const path = /^\/mail\/webhooks/;
	sandbox.fault({ provider: 'misar.mail', path, times: 4, kind: 'status', status: 401 });
	for (const { parameters } of Object.values(OPERATIONS)) {
		const { error } = await runAction(sandbox, misarMail, {
			parameters: { resource: 'endpoint', ...parameters },
			items: [{ json: { secret: NEW_SECRET } }],
		});
		expect(error).toMatchObject({
			message: 'Misar Mail has no webhook API at this address (HTTP 404)',
			description: expect.stringContaining(`${sandbox.url}/mail/v1/webhooks`),
		});
	}
});

it('an error names the item that failed', async () => {
	const [action] = nodesUnderTest;
	if (action === undefined) throw new Error('no node');
	const { error } = await runAction(sandbox, action, {
		parameters: {
			resource: 'endpoint',
			operation: 'create',
			url: '={{ $json.url }}',
			events: ['*'],
		},
		items: [`${URL_OF}/0`, `${URL_OF}/1`, 'http://10.0.0.1/', `${URL_OF}/3`].map((url) => ({
			json: { url },
		})),
	});
	expect(error).toMatchObject({ name: 'NodeApiError', context: { itemIndex: 2 } });
	expect(sandbox.endpoints(action.provider)).toHaveLength(2);
});

it('no password is revealed if Mail Panda refuses the sign-in', async () => {
	const password = 'not the password of anybody';
	const { error, stored } = await runAction(sandbox, mailPanda, {
		parameters: { resource: 'endpoint', operation: 'getAll' },
		credential: { ...sandbox.login, password, authentication: 'session', apiKey: '' },
	});
	expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '401', context: { itemIndex: 0 } });
	expect(stored).not.toContain(password);
});

it('a node signs in again if its Mail Panda session has ended', async () => {
	const call = {
		parameters: { resource: 'endpoint', operation: 'getAll' },
		credential: { ...sandbox.login, authentication: 'session', apiKey: '' },
	};
	expect((await runAction(sandbox, mailPanda, call)).error).toBeUndefined();
	sandbox.expireSessions();
	expect((await runAction(sandbox, mailPanda, call)).error).toBeUndefined();
});
