import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import Stripe from 'stripe';

import type { ProviderId, Sandbox, Tamper } from '../../sandbox';
import {
	chain,
	outputOf,
	type Execution,
	type N8nHost,
	type NodeDefinition,
} from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import * as triggers from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import { startFakeModel, type Policy, type ToolCall } from './fakeModel';
import { webhookNode } from './webhookNode';

/** The action nodes of the packed package in a real n8n, in workflows as a user would build them. */

let n8n: N8nHost;
let sandbox: Sandbox;
/** A published workflow that takes whatever a provider delivers. */
let sink: string;

useN8n((bed) => ({ n8n, sandbox } = bed));
beforeAll(async () => {
	sink = (await publish('Sink', [], {})).webhookUrl;
}, 60_000);

/** So that one failed test does not make the next one fail. */
afterEach(() => {
	for (const { provider, id } of sandbox.endpoints()) sandbox.removeEndpoint(provider, id);
});

interface Published {
	readonly id: string;
	/** The URL that a provider would be given. */
	readonly webhookUrl: string;
}

/** Publishes a workflow that n8n's own Webhook node starts, answering at once. */
async function publish(
	name: string,
	nodes: NodeDefinition[],
	connections: Record<string, unknown>,
): Promise<Published> {
	const path = crypto.randomUUID();
	const answering = { responseMode: 'onReceived', options: { rawBody: true } };
	const start = webhookNode(path, answering, 'Start');
	const { id } = await n8n.createWorkflow({ name, nodes: [start, ...nodes], connections });
	await n8n.publish(id);
	return { id, webhookUrl: `${ORIGIN}/webhook/${path}` };
}

/** Starts a workflow and waits for its run, the `count`th. */
async function run(
	{ id, webhookUrl }: Published,
	body: Buffer = Buffer.from('{}'),
	count = 1,
): Promise<Execution> {
	const answer = await fetchOnNewConnection(n8n.toLocalUrl(webhookUrl), {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: new Uint8Array(body),
	});
	expect(answer.status).toBe(200);
	return await lastExecution(id, count);
}

async function lastExecution(workflowId: string, count: number): Promise<Execution> {
	const found = await n8n.waitForExecutions(workflowId, count);
	expect(found).toHaveLength(count);
	return await n8n.execution(found.at(-1)?.id ?? '');
}

/** An account at a provider, and the node that works with it. */
interface Account {
	readonly title: string;
	readonly provider: ProviderId;
	readonly node: 'misar' | 'mailPanda' | 'metigan';
	/** Parameters of every operation. */
	readonly parameters: Readonly<Record<string, string>>;
	readonly events: readonly [string, string];
}

const misarMail = {
	title: 'Misar Mail',
	provider: 'misar.mail',
	node: 'misar',
	parameters: { product: 'mail' },
	events: ['email.bounced', 'email.delivered'],
} as const satisfies Account;
const misarReach = {
	title: 'Misar Reach',
	provider: 'misar.reach',
	node: 'misar',
	parameters: { product: 'reach' },
	events: ['deal.won', 'reply.received'],
} as const satisfies Account;
const misarPost = {
	title: 'Misar Post',
	provider: 'misar.post',
	node: 'misar',
	parameters: { product: 'post' },
	events: ['post.published', 'post.failed'],
} as const satisfies Account;
const misarDev = {
	title: 'Misar.Dev',
	provider: 'misar.dev',
	node: 'misar',
	parameters: { product: 'dev' },
	events: ['plugin.installed', 'agent.run.failed'],
} as const satisfies Account;
const mailPanda = {
	title: 'Mail Panda',
	provider: 'mailPanda',
	node: 'mailPanda',
	parameters: {},
	events: ['bounce', 'unsubscribe'],
} as const satisfies Account;
const metigan = {
	title: 'Metigan',
	provider: 'metigan',
	node: 'metigan',
	parameters: {},
	events: ['email.bounced', 'email.delivered'],
} as const satisfies Account;

/** Makes nodes of one account, which share a credential. */
async function nodesOf({ title, node, parameters }: Account, credential: Record<string, string>) {
	const type = `${node}Api`;
	const id = await n8n.createCredential(title, type, {
		...parameters,
		baseUrl: sandbox.url,
		...credential,
	});
	return (
		name: string,
		resource: string,
		operation: string,
		more: Record<string, unknown> = {},
	) => ({
		name,
		type: `${PACKAGE}.${node}`,
		parameters: { ...parameters, resource, operation, ...more },
		credentials: { [type]: { id, name: title } },
		// As a user sets it on the node after a list: once, not per endpoint.
		executeOnce: true,
	});
}

const noOp = (name: string): NodeDefinition => ({ name, type: 'n8n-nodes-base.noOp' });

function inOrder(nodes: readonly NodeDefinition[]): Record<string, unknown> {
	return chain('Start', ...nodes.map(({ name }) => name));
}

/** The last error of a run, in n8n's words. */
function errorOf(execution: Execution): string | undefined {
	return execution.data.resultData.error?.message;
}

/** Neither the account's credentials nor its signing secrets are in a run or in n8n's log. */
function expectNoSecret(execution: Execution, { provider }: Account): void {
	const shown = JSON.stringify(execution) + n8n.log();
	// Every signing secret of the sandbox starts like this, as the providers' own do.
	for (const secret of ['whsec_', sandbox.keys[provider], sandbox.login.password]) {
		expect(shown).not.toContain(secret);
	}
}

/** Mail Panda's two ways to sign in; with `session` the API refuses keys, as some versions may. */
type SignIn = 'apiKey' | 'session';

function signIn(signInWith: SignIn, { provider }: Account): Record<string, string> {
	if (provider !== 'mailPanda') return { apiKey: sandbox.keys[provider] };
	sandbox.setBehaviour('mailPanda', { bearerOnManage: signInWith === 'apiKey' });
	return signInWith === 'session'
		? { authentication: 'session', ...sandbox.login }
		: { authentication: 'apiKey', apiKey: sandbox.keys.mailPanda };
}

const accounts: Array<[string, SignIn, Account]> = [
	['Misar Mail', 'apiKey', misarMail],
	['Misar Reach', 'apiKey', misarReach],
	['Misar Post', 'apiKey', misarPost],
	['Mail Panda', 'apiKey', mailPanda],
	['Mail Panda', 'session', mailPanda],
	['Metigan', 'apiKey', metigan],
];

/** What a provider offers beyond create, list and delete. */
const offers: Partial<Record<ProviderId, ReadonlyArray<'get' | 'update' | 'test'>>> = {
	'misar.mail': ['get', 'update', 'test'],
	mailPanda: ['update'],
	metigan: ['get', 'update'],
};

describe.each(accounts)('endpoints of %s, signed in with "%s"', (_title, signInWith, account) => {
	const { provider, events } = account;
	const [first, second] = events;
	const offered = (operation: 'get' | 'update' | 'test') =>
		offers[provider]?.includes(operation) === true;
	const created = { __rl: true, mode: 'id', value: "={{ $('Create').first().json.id }}" };

	/** A chain of nodes for what this provider offers. */
	async function steps(url: string): Promise<NodeDefinition[]> {
		const node = await nodesOf(account, signIn(signInWith, account));
		const endpoint = { endpoint: created };
		const moved = `${url}&moved=1`;
		return [
			node('Create', 'endpoint', 'create', { url, events }),
			...(offered('update')
				? [node('Again', 'endpoint', 'createOrUpdate', { url, events: [second, first] })]
				: []),
			...(offered('get') ? [node('Get', 'endpoint', 'get', endpoint)] : []),
			node('List', 'endpoint', 'getAll', { returnAll: true }),
			...(offered('test')
				? [
						node('Test', 'endpoint', 'test', endpoint),
						node('Deliveries', 'delivery', 'getAll', endpoint),
					]
				: []),
			...(offered('update')
				? [
						node('Update', 'endpoint', 'update', {
							...endpoint,
							updateFields: { url: moved, events: [second], active: false },
						}),
						node('Changed', 'endpoint', 'getAll', { returnAll: false, limit: 50 }),
						node('Repair', 'endpoint', 'createOrUpdate', { url: moved, events: ['*'] }),
						node('Repaired', 'endpoint', 'getAll', { returnAll: true }),
					]
				: []),
			node('Delete', 'endpoint', 'delete', endpoint),
		];
	}

	it('are created, read, changed, tested and deleted, and leave the account as it was', async () => {
		const bystander = sandbox.addEndpoint(provider, {
			url: 'https://shop.example.com/hooks',
			events: [first],
		});
		const before = sandbox.endpoints(provider);
		const url = `${sink}?of=${provider}`;
		const nodes = await steps(url);
		const execution = await run(
			await publish(`${account.title} ${signInWith}`, nodes, inOrder(nodes)),
		);
		const output = (name: string) => outputOf(execution, name);

		const [endpoint] = output('Create');
		expect(endpoint).toMatchObject({ id: expect.stringMatching(/./), url, events, active: true });
		const id = endpoint?.['id'];
		const listed = { id, url, events, active: true };
		const other = { id: bystander.id, url: bystander.url, events: [first], active: true };
		expect(output('List')).toEqual([other, listed].map((json) => expect.objectContaining(json)));
		if (offered('get')) expect(output('Get')).toMatchObject([listed]);
		if (offered('test')) {
			expect(output('Test')).toEqual([{ sent: true, id, answer: { success: true } }]);
			expect(output('Deliveries')).toMatchObject([{ type: 'webhook.test', status_code: 200 }]);
		}
		if (offered('update')) {
			const moved = { id, url: `${url}&moved=1` };
			const changed = { ...moved, events: [second], active: false };
			expect(output('Again')).toMatchObject([{ ...listed, result: 'unchanged' }]);
			expect(output('Update')).toEqual([{ ...changed, updated: true }]);
			expect(output('Changed')).toMatchObject([other, changed]);
			expect(output('Repair')).toMatchObject([{ ...moved, active: true, result: 'updated' }]);
			expect(output('Repaired')).toMatchObject([
				other,
				{ ...moved, active: true, events: output('Repair')[0]?.['events'] },
			]);
			expect(output('Repaired')[1]?.['events']).toEqual(expect.arrayContaining([...events]));
		}
		expectNoSecret(execution, account);

		if (provider === 'misar.reach') {
			// There is no call to delete: the error says where to do it.
			expect(execution.status).toBe('error');
			expect(errorOf(execution)).toContain('offers no call to delete a webhook endpoint');
			expect(errorOf(execution)).toContain(`Remove endpoint ${String(id)} in its dashboard`);
			sandbox.removeEndpoint(provider, String(id));
		} else {
			expect([execution.status, errorOf(execution)]).toEqual(['success', undefined]);
			expect(output('Delete')).toEqual([{ deleted: true, id }]);
		}
		expect(sandbox.endpoints(provider)).toEqual(before);
	});

	it('come with their signing secret only if that is switched on', async () => {
		const node = await nodesOf(account, signIn(signInWith, account));
		// Mail Panda returns no secret, so one is given.
		const signingSecret = provider === 'mailPanda' ? { signingSecret: SECRET } : {};
		if (provider === 'misar.mail') sandbox.setBehaviour(provider, { secretMode: 'issue' });
		const nodes = [true, false].map((includeSecret) =>
			node(includeSecret ? 'With' : 'Without', 'endpoint', 'create', {
				url: `${sink}?secret=${String(includeSecret)}`,
				events,
				options: { includeSecret, ...signingSecret },
			}),
		);
		const execution = await run(await publish(`${account.title} secret`, nodes, inOrder(nodes)));
		const [withSecret, without] = sandbox.endpoints(provider);
		expect(withSecret?.secret).toMatch(/^whsec_/);
		expect(outputOf(execution, 'With')).toMatchObject([{ signingSecret: withSecret?.secret }]);
		expect(outputOf(execution, 'Without')).toMatchObject([{ id: without?.id }]);
		expect(JSON.stringify(outputOf(execution, 'Without'))).not.toContain('whsec_');
		expect(n8n.log()).not.toContain('whsec_');
	});
});

describe('an event of another mail provider', () => {
	it('is recorded at the inbound endpoint of Mail Panda', async () => {
		const node = await nodesOf(mailPanda, signIn('apiKey', mailPanda));
		const nodes = [
			node('Record', 'event', 'record', {
				eventType: 'email.bounced',
				emailId: '={{ $json.body.id }}',
				additionalFields: { recipient: 'ada@example.com', timestamp: '2026-01-10T12:00:00Z' },
			}),
		];
		const before = sandbox.requests().length;
		const execution = await run(
			await publish('Record', nodes, inOrder(nodes)),
			Buffer.from('{"id":"msg_abc123"}'),
		);
		const event = {
			type: 'email.bounced',
			email_id: 'msg_abc123',
			recipient: 'ada@example.com',
			timestamp: '2026-01-10T12:00:00.000Z',
		};
		expect(outputOf(execution, 'Record')).toEqual([{ recorded: true, ...event }]);
		expect(sandbox.requests().slice(before)).toMatchObject([
			{ provider: 'mailPanda', method: 'POST', path: '/api/webhooks', status: 200, body: event },
		]);
		expectNoSecret(execution, mailPanda);
	});
});

/** Start → Verify → two nodes, one for each verdict. */
async function publishVerify(account: Account): Promise<Published> {
	const node = await nodesOf(account, { signingSecret: SECRET });
	const to = (name: string) => [{ node: name, type: 'main', index: 0 }];
	return await publish(
		`${account.title} verify`,
		[node('Verify', 'signature', 'verify'), noOp('Accepted'), noOp('Refused')],
		{ Start: { main: [to('Verify')] }, Verify: { main: [to('Accepted'), to('Refused')] } },
	);
}

const verified: Array<[string, Account, Array<[Tamper, RegExp]>]> = (
	[
		[misarMail, true],
		[misarReach, true],
		[misarPost, false],
		[misarDev, false],
		[mailPanda, false],
		[metigan, true],
	] as const
).map(([account, timestamped]) => [
	account.title,
	account,
	[
		['body', /^signature does not match$/],
		['unsigned', /^signature header is missing/],
		...(timestamped ? [['stale', /^timestamp is more than 300 seconds/] as [Tamper, RegExp]] : []),
	],
]);

describe.each(verified)(
	'a delivery of %s to the core Webhook node',
	(_title, account, forgeries) => {
		const { provider, events } = account;

		it('leaves Verify by the output for its verdict, with the reason', async () => {
			const workflow = await publishVerify(account);
			const fire = async (tamper?: Tamper) => {
				const [delivery] = await sandbox.fire({
					provider,
					event: events[0],
					url: workflow.webhookUrl,
					secret: SECRET,
					...(tamper === undefined ? {} : { tamper }),
				});
				expect(delivery?.attempts.map(({ status }) => status)).toEqual([200]);
			};

			await fire();
			const good = await lastExecution(workflow.id, 1);
			expect(outputOf(good, 'Accepted')).toMatchObject([
				{
					body: { data: expect.anything() },
					headers: { 'content-type': 'application/json' },
					verification: { valid: true, scheme: expect.any(String) },
				},
			]);
			expect(outputOf(good, 'Refused')).toEqual([]);

			for (const [index, [tamper, reason]] of forgeries.entries()) {
				await fire(tamper);
				const bad = await lastExecution(workflow.id, index + 2);
				expect(bad.status).toBe('success');
				expect(outputOf(bad, 'Accepted')).toEqual([]);
				expect(outputOf(bad, 'Refused')).toMatchObject([
					{ verification: { valid: false, reason: expect.stringMatching(reason) } },
				]);
				expectNoSecret(bad, account);
			}
			expectNoSecret(good, account);
		});
	},
);

/** A body that would change if it were parsed and serialised again. */
const PAYLOAD = Buffer.from(
	'{ "type" : "email.delivered",\n"amount": 1.0, "name":"Zoë \\u00fc" }\r\n',
);

/** HMAC-SHA256 by the openssl program, in hex: nothing of Node's or ours is involved. */
function openssl(...parts: Array<string | Buffer>): string {
	const input = Buffer.concat(parts.map((part) => Buffer.from(part)));
	const { status, stdout, stderr } = spawnSync('openssl', ['dgst', '-sha256', '-hmac', SECRET], {
		input,
	});
	if (status !== 0) throw new Error(stderr.toString());
	return stdout.toString().trim().split(' ').pop() ?? '';
}

type Signer = (timestamp: string) => Record<string, string>;

/** The schemes of a provider, each signed by another implementation. */
const signed: Array<[string, Account, Record<string, Signer>]> = [
	[
		'Misar Mail',
		misarMail,
		{
			timestamped: (timestamp) => ({
				'x-misar-signature': openssl(`${timestamp}.`, PAYLOAD),
				'x-misar-timestamp': timestamp,
			}),
			platform: () => ({ 'x-misar-signature': `sha256=${openssl(PAYLOAD)}` }),
			mailHeader: () => ({ 'x-misarmail-signature': openssl(PAYLOAD) }),
		},
	],
	[
		'Misar Reach',
		misarReach,
		{
			reach: (timestamp) => ({
				'x-reach-signature': openssl(`${timestamp}.`, PAYLOAD),
				'x-reach-timestamp': timestamp,
			}),
		},
	],
	[
		'Misar Post',
		misarPost,
		{ platform: () => ({ 'x-misar-signature': `sha256=${openssl(PAYLOAD)}` }) },
	],
	[
		'Misar.Dev',
		misarDev,
		{ platform: () => ({ 'x-misar-signature': `sha256=${openssl(PAYLOAD)}` }) },
	],
	['Mail Panda', mailPanda, { bare: () => ({ 'x-webhook-signature': openssl(PAYLOAD) }) }],
	[
		'Metigan',
		metigan,
		{
			timestamped: (timestamp) => ({
				'x-webhook-signature': Stripe.webhooks.generateTestHeaderString({
					payload: PAYLOAD.toString(),
					secret: SECRET,
					timestamp: Number(timestamp),
				}),
			}),
			timestampHeader: (timestamp) => ({
				'x-webhook-signature': openssl(`${timestamp}.`, PAYLOAD),
				'x-webhook-timestamp': timestamp,
			}),
			legacy: () => ({ 'x-metigan-signature': openssl(PAYLOAD) }),
		},
	],
];

describe('Sign', () => {
	it.each(signed)(
		'makes the same headers of %s as other implementations',
		async (_title, account, signers) => {
			const node = await nodesOf(account, { signingSecret: SECRET });
			const schemes = Object.keys(signers);
			const nodes = schemes.map((signatureScheme) =>
				node(signatureScheme, 'signature', 'sign', { signatureScheme }),
			);
			const execution = await run(
				await publish(`${account.title} sign`, nodes, {
					Start: { main: [schemes.map((name) => ({ node: name, type: 'main', index: 0 }))] },
				}),
				PAYLOAD,
			);
			for (const [scheme, signer] of Object.entries(signers)) {
				const [output] = outputOf(execution, scheme);
				const timestamp = String(output?.['timestamp'] ?? '');
				expect(output).toMatchObject({ scheme, headers: signer(timestamp) });
				expect(Object.keys(output?.['headers'] ?? {})).toEqual(Object.keys(signer(timestamp)));
				if (timestamp !== '') {
					expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60);
				}
			}
			expectNoSecret(execution, account);
		},
	);

	it('lets the HTTP Request node deliver what Verify accepts', async () => {
		const receiver = await publishVerify(metigan);
		const node = await nodesOf(metigan, { signingSecret: SECRET });
		const nodes: NodeDefinition[] = [
			node('Sign', 'signature', 'sign'),
			{
				name: 'Deliver',
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: {
					method: 'POST',
					url: n8n.toLocalUrl(receiver.webhookUrl),
					sendHeaders: true,
					specifyHeaders: 'json',
					jsonHeaders: '={{ JSON.stringify($json.headers) }}',
					sendBody: true,
					contentType: 'binaryData',
					inputDataFieldName: 'data',
				},
			},
		];
		const sender = await run(await publish('Deliver', nodes, inOrder(nodes)), PAYLOAD);
		expect([sender.status, errorOf(sender)]).toEqual(['success', undefined]);
		expect(outputOf(await lastExecution(receiver.id, 1), 'Accepted')).toMatchObject([
			{ verification: { valid: true, scheme: 'timestamped' } },
		]);
	});
});

describe('a parameter filled by an expression', () => {
	it('is read if its meaning is clear, and otherwise named in the error of its item', async () => {
		const node = await nodesOf(metigan, {
			...signIn('apiKey', metigan),
			signingSecret: SECRET,
		});
		const asText = { url: `${sink}?of=text`, events: "={{ 'email.bounced, email.delivered' }}" };
		const nodes = [
			node('Create', 'endpoint', 'create', asText),
			node('Limited', 'endpoint', 'getAll', { limit: "={{ '1' }}" }),
			node('Unlimited', 'endpoint', 'getAll', { limit: "={{ 'many' }}" }),
			node('Parsed', 'signature', 'sign', {
				payloadSource: 'text',
				payload: "={{ $('Start').item.json.body }}",
			}),
			node('Unknown', 'signature', 'sign', {
				payloadSource: 'text',
				payload: 'x',
				signatureScheme: "={{ 'md5' }}",
			}),
		].map((definition) => ({ ...definition, onError: 'continueRegularOutput' }));
		const execution = await run(await publish('Expressions', nodes, inOrder(nodes)));
		const output = (name: string) => outputOf(execution, name);

		expect(output('Create')).toMatchObject([{ events: ['email.bounced', 'email.delivered'] }]);
		expect(output('Limited')).toHaveLength(1);
		for (const [name, message] of [
			[
				'Unlimited',
				'The parameter "limit" cannot be used: Invalid input: expected number, received string.',
			],
			[
				'Parsed',
				'The parameter "payload" cannot be used: Invalid input: expected string, received object.',
			],
			['Unknown', 'Metigan has no signature scheme "md5". Choose one of: timestamped,'],
		] as const) {
			expect(output(name)).toEqual([{ error: expect.stringContaining(message) }]);
		}
		expectNoSecret(execution, metigan);
	});
});

describe('the deliveries of a published trigger', () => {
	it('are diagnosed in a workflow of its own, by a test that the trigger verifies', async () => {
		const { workflowId } = await publishTrigger(
			{ n8n, sandbox },
			triggers.misarMail,
			'automatic',
			signIn('apiKey', misarMail),
		);
		const node = await nodesOf(misarMail, signIn('apiKey', misarMail));
		const nodes = [
			node('Diagnose', 'endpoint', 'diagnose', {
				workflow: { __rl: true, mode: 'id', value: workflowId },
			}),
		];
		const execution = await run(await publish('Diagnose', nodes, inOrder(nodes)));
		expect(outputOf(execution, 'Diagnose')).toMatchObject([
			{
				...{ finding: 'verified', inOrder: true },
				trigger: { workflowId, registration: 'automatic' },
				endpoint: { active: true },
				attempts: [{ type: 'webhook.test', status_code: 200 }],
				test: { verified: true, afterSeconds: expect.any(Number) },
				// The address exists in the tests only.
				reach: { outcome: 'noAnswer' },
			},
		]);
		await until('the word of the log', 60_000, () =>
			n8n.log().includes('That proves nothing') ? true : undefined,
		);
		expectNoSecret(execution, misarMail);
		await n8n.unpublish(workflowId);
	});
});

/** As the editor writes it when a parameter is left to the model. */
const fromAI = (key: string) =>
	`={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('${key}', \`\`, 'string') }}`;

describe('an AI agent', () => {
	const hook = (name: string) => `https://shop.example.com/${name}`;
	/** What the tools answered, by task. */
	const transcripts = new Map<string, readonly string[]>();

	/** Calls a tool with a mistake, then as its answer says. */
	const policy: Policy = (task, answers) => {
		transcripts.set(task, answers);
		const [first, second, third] = answers;
		const create = (events: string, url = hook(task)) => ({
			tool: 'create',
			args: { Webhook_URL: url, Events: events },
		});
		const taken = (pattern: RegExp, answer: string) => pattern.exec(answer)?.[1] ?? '';
		if (task === 'reason') {
			const ask = (reason: string) => ({ tool: 'suppressions', args: { Reason: reason } });
			if (first === undefined) return ask('hard');
			return second === undefined ? ask(taken(/Choose one of: .*?(hard\w*)/, first)) : undefined;
		}
		if (task === 'id') {
			const remove = (id: string) => ({ tool: 'delete', args: { Endpoint: id } });
			if (first === undefined) return remove('wh_nope');
			if (second === undefined) {
				return first.includes('Get Many') ? { tool: 'list', args: {} } : undefined;
			}
			return third === undefined ? remove(taken(/"id":"(.+?)"/, second)) : undefined;
		}
		if (first === undefined) {
			const mistakes: Record<string, () => ToolCall> = {
				event: () => create('email.bouncd'),
				label: () => create('Email Bounced'),
				http: () => create('email.bounced', hook(task).replace('https', 'http')),
			};
			return mistakes[task]?.();
		}
		if (second !== undefined || first.includes('"active":true')) return undefined;
		const mistyped = taken(/Did you mean (\S+)\?/, first);
		if (mistyped !== '') return create(mistyped);
		return first.includes('must be an https URL') ? create('email.bounced') : undefined;
	};

	it('gets an answer to each mistake that lets its next call succeed', async () => {
		const model = await startFakeModel(policy);
		try {
			const mail = await nodesOf(misarMail, signIn('apiKey', misarMail));
			const metiganNode = await nodesOf(metigan, signIn('apiKey', metigan));
			const asTool = ({ type, ...node }: NodeDefinition): NodeDefinition => ({
				...node,
				type: `${type}Tool`,
			});
			const tools = [
				mail('create', 'endpoint', 'create', {
					url: fromAI('Webhook_URL'),
					events: fromAI('Events'),
				}),
				mail('list', 'endpoint', 'getAll', { returnAll: true }),
				mail('delete', 'endpoint', 'delete', {
					endpoint: { __rl: true, mode: 'id', value: fromAI('Endpoint') },
				}),
				metiganNode('suppressions', 'suppression', 'getAll', {
					filters: { reason: fromAI('Reason') },
				}),
			].map(asTool);
			const openAi = await n8n.createCredential('Model', 'openAiApi', {
				apiKey: 'of no model',
				url: model.url,
			});
			const agent: NodeDefinition = {
				name: 'Agent',
				type: '@n8n/n8n-nodes-langchain.agent',
				typeVersion: 2.2,
				parameters: { promptType: 'define', text: '={{ $json.body.task }}', options: {} },
			};
			const chat: NodeDefinition = {
				name: 'Model',
				type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
				typeVersion: 1.2,
				parameters: { model: { __rl: true, mode: 'id', value: 'fake' }, options: {} },
				credentials: { openAiApi: { id: openAi, name: 'Model' } },
			};
			const workflow = await publish('Agent', [agent, chat, ...tools], {
				...chain('Start', 'Agent'),
				Model: {
					ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]],
				},
				...Object.fromEntries(
					tools.map(({ name }) => [
						name,
						{ ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] },
					]),
				),
			});

			for (const [index, task] of ['event', 'label', 'http', 'id', 'reason'].entries()) {
				const execution = await run(workflow, Buffer.from(JSON.stringify({ task })), index + 1);
				expect([task, execution.status, errorOf(execution)]).toEqual([task, 'success', undefined]);
			}

			expect([...transcripts.keys()]).toEqual(['event', 'label', 'http', 'id', 'reason']);
			const created = (task: string) =>
				expect.stringMatching(new RegExp(`"url":"${hook(task)}","events":\\["email.bounced"\\]`));
			expect(transcripts.get('event')).toEqual([
				expect.stringContaining('Did you mean email.bounced?'),
				created('event'),
			]);
			expect(transcripts.get('label')).toEqual([created('label')]);
			expect(transcripts.get('http')).toEqual([
				expect.stringMatching(
					/"details":"Misar Mail answered: .*must be an https URL.*"httpCode":"4/,
				),
				created('http'),
			]);
			expect(transcripts.get('id')).toEqual([
				expect.stringMatching(
					/"deleted":false,"id":"wh_nope","reason":"Misar Mail has no endpoint/,
				),
				expect.stringContaining(hook('event')),
				expect.stringContaining('"deleted":true'),
			]);
			expect(transcripts.get('reason')).toEqual([
				expect.stringContaining('Choose one of: hard_bounce'),
				expect.not.stringContaining('error'),
			]);
			expect(sandbox.endpoints('misar.mail')).toHaveLength(2);
		} finally {
			await model.close();
		}
	});
});
