import { randomUUID } from 'node:crypto';

import type { Sandbox } from '../../sandbox';
import { chain, type N8nHost, type NodeDefinition } from '../../testkit/n8n-host/driver';
import {
	accountOf,
	PACKAGE,
	publishTrigger,
	type TriggerWorkflowOptions,
} from '../../testkit/publishTrigger';
import { misarMail } from '../../testkit/triggers';
import { hmacHex, makeDelivery, type Delivery } from './deliveries';
import type { GithubStandIn } from './githubStandIn';

/** Deliveries of one kind, and what n8n does with them. */
export interface Traffic {
	make(): Delivery;
	/** The status that n8n answers. */
	readonly status: number;
	/** Whether each becomes a run. */
	readonly runs: boolean;
	/** Local address of their webhook, where it is not that of the subject. */
	readonly url?: string;
}

/** A published workflow that takes deliveries. */
export interface Subject {
	/** Local address of its webhook. */
	readonly url: string;
	readonly traffic: { readonly valid: Traffic } & Partial<Record<Kind, Traffic>>;
}

/**
 * Kinds of deliveries: signed with the secret; signed with another one; of an event that is not
 * selected; of one that does not meet the conditions; a copy of an earlier delivery.
 */
export const KINDS = ['valid', 'forged', 'ignored', 'unmet', 'duplicate'] as const;
export type Kind = (typeof KINDS)[number];

export const SUBJECTS = [
	'our trigger',
	'our trigger, Edit Fields',
	'Webhook and Receive',
	'bare Webhook node',
	'bare Webhook node, Edit Fields',
	'core GitHub Trigger',
	'recipe',
] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export interface Providers {
	readonly sandbox: Sandbox;
	readonly github: GithubStandIn;
}

const BODY_BYTES = 1_000;
const SECRET = 'whsec_chosen_for_the_bench';
const FORGER = 'whsec_guessed_by_a_forger';

const REFUSED_AT_ONCE = { status: 401, runs: false };

/** Publishes one of the workflows that are compared. */
export const publishSubject: Record<
	SubjectName,
	(n8n: N8nHost, providers: Providers) => Promise<Subject>
> = {
	'our trigger': async (n8n, providers) => await publishOurs(n8n, providers, AFTER),

	'our trigger, Edit Fields': async (n8n, providers) =>
		await publishOurs(n8n, providers, EDIT_FIELDS),

	'Webhook and Receive': async (n8n) => {
		const credentialId = await n8n.createCredential('Misar', 'misarApi', {
			product: 'mail',
			signingSecret: SECRET,
		});
		const trigger = webhookNode({ responseMode: 'onReceived', options: { rawBody: true } });
		const id = await publish(
			n8n,
			[
				trigger,
				{
					name: 'Receive',
					type: `${PACKAGE}.misar`,
					parameters: {
						product: 'mail',
						resource: 'delivery',
						operation: 'receive',
						payloadSource: 'binary',
						binaryPropertyName: 'data',
						headers: '={{ $json.headers }}',
					},
					credentials: { misarApi: { id: credentialId, name: 'Misar' } },
				},
				AFTER,
			],
			chain(trigger.name, 'Receive', AFTER.name),
		);
		const url = n8n.webhookUrl(trigger.webhookId);
		await expectVerdicts(n8n, id, url);
		// n8n has answered before Receive looks at the delivery.
		return subject(url, SECRET, delivery, { status: 200, runs: true });
	},

	'bare Webhook node': async (n8n) => await publishBare(n8n),

	'bare Webhook node, Edit Fields': async (n8n) => await publishBare(n8n, EDIT_FIELDS),

	'core GitHub Trigger': async (n8n, { github }) => {
		const id = await n8n.createCredential('GitHub', 'githubApi', {
			server: github.url,
			user: 'octocat',
			accessToken: 'stand-in',
		});
		const webhookId = randomUUID();
		const trigger = {
			name: 'Trigger',
			type: 'n8n-nodes-base.githubTrigger',
			webhookId,
			parameters: {
				owner: { __rl: true, mode: 'name', value: 'octocat' },
				repository: { __rl: true, mode: 'name', value: 'hello-world' },
				events: ['push'],
				options: {},
			},
			credentials: { githubApi: { id, name: 'GitHub' } },
		};
		await publish(n8n, [trigger, AFTER], chain(trigger.name, AFTER.name));
		return subject(
			n8n.webhookUrl(`${webhookId}/webhook`),
			github.secret(),
			signed('x-hub-signature-256', 'sha256='),
			REFUSED_AT_ONCE,
		);
	},

	recipe: async (n8n) => {
		const trigger = webhookNode({ responseMode: 'responseNode', options: {} });
		const nodes: NodeDefinition[] = [
			trigger,
			{
				name: 'Crypto',
				type: 'n8n-nodes-base.crypto',
				typeVersion: 1,
				parameters: {
					action: 'hmac',
					type: 'SHA256',
					value: '={{ JSON.stringify($json.body) }}',
					dataPropertyName: 'expected',
					secret: SECRET,
					encoding: 'hex',
				},
			},
			{
				name: 'If',
				type: 'n8n-nodes-base.if',
				typeVersion: 2,
				parameters: {
					conditions: {
						options: { caseSensitive: true, leftValue: '', typeValidation: 'strict' },
						conditions: [
							{
								id: 'signature',
								leftValue: '={{ $json.headers["x-signature"] }}',
								rightValue: '={{ $json.expected }}',
								operator: { type: 'string', operation: 'equals' },
							},
						],
						combinator: 'and',
					},
				},
			},
			respond('Accept', 200),
			respond('Refuse', 401),
		];
		await publish(n8n, nodes, {
			...chain(trigger.name, 'Crypto', 'If'),
			If: { main: ['Accept', 'Refuse'].map((node) => [{ node, type: 'main', index: 0 }]) },
		});
		return subject(n8n.webhookUrl(trigger.webhookId), SECRET, signed('x-signature', ''), {
			status: 401,
			runs: true,
		});
	},
};

/** The last node of a workflow that has nothing else to do. */
const AFTER: NodeDefinition = { name: 'After', type: 'n8n-nodes-base.noOp' };

/** One with expressions, as most workflows have: n8n then makes an isolate for each run. */
const EDIT_FIELDS: NodeDefinition = {
	name: 'Edit Fields',
	type: 'n8n-nodes-base.set',
	typeVersion: 3.4,
	parameters: {
		assignments: {
			assignments: [
				['event', '={{ $json.event ?? $json.body.type }}'],
				['keys', '={{ Object.keys($json).length }}'],
				['at', '={{ $now.toISO() }}'],
			].map(([name, value]) => ({ id: name, name, value, type: 'string' })),
		},
	},
};

/** An event that {@link misarMail} as it is published here does not select. */
const NOT_SELECTED = 'email.opened';

/** A condition that no delivery meets. */
const NOT_MET = { field: 'data.email', operator: 'contains', value: '@nobody.example' };

async function publishOurs(
	n8n: N8nHost,
	providers: Providers,
	after: NodeDefinition,
): Promise<Subject> {
	const { url, secret, make } = await publishMisarMail(n8n, providers, after, {});
	// A separate trigger, so that the others are measured without conditions.
	const conditional = await publishMisarMail(n8n, providers, after, {
		conditions: { rows: [NOT_MET] },
	});
	const copy = make({ id: 'evt_that_comes_again' });
	await fetch(url, { method: 'POST', ...copy() });
	const { traffic } = subject(url, secret, delivery, REFUSED_AT_ONCE);
	const ended = { status: 200, runs: false };
	return {
		url,
		traffic: {
			...traffic,
			ignored: { make: make({ event: NOT_SELECTED }), ...ended },
			unmet: { url: conditional.url, make: conditional.make({}), ...ended },
			duplicate: { make: copy, ...ended },
		},
	};
}

/** A published trigger of Misar Mail, and how its deliveries are made. */
async function publishMisarMail(
	n8n: N8nHost,
	{ sandbox }: Providers,
	after: NodeDefinition,
	options: NonNullable<TriggerWorkflowOptions['options']>,
) {
	const account = accountOf(misarMail, 'automatic', sandbox);
	const more = { after, options };
	const bed = { n8n, sandbox };
	const { webhookUrl } = await publishTrigger(bed, misarMail, 'automatic', account, more);
	const endpoint = sandbox.endpoints(misarMail.provider).find(({ url }) => url === webhookUrl);
	const secret = endpoint?.secret;
	if (secret === undefined) throw new Error('our trigger did not register its endpoint');
	const make = (content: { event?: string; id?: string }) => () =>
		makeDelivery(misarMail, secret, BODY_BYTES, content);
	return { url: n8n.toLocalUrl(webhookUrl), secret, make };
}

/** Publishes a workflow that starts every six hours. */
export async function publishSchedule(n8n: N8nHost): Promise<void> {
	const trigger = {
		name: 'Schedule',
		type: 'n8n-nodes-base.scheduleTrigger',
		typeVersion: 1.2,
		parameters: { rule: { interval: [{ field: 'hours', hoursInterval: 6 }] } },
	};
	await publish(n8n, [trigger, AFTER], chain(trigger.name, AFTER.name));
}

/** Publishes a workflow of n8n's Webhook node and a node after it. */
export async function publishBare(n8n: N8nHost, after = AFTER): Promise<Subject> {
	const trigger = webhookNode({ responseMode: 'onReceived', options: {} });
	await publish(n8n, [trigger, after], chain(trigger.name, after.name));
	return subject(n8n.webhookUrl(trigger.webhookId), SECRET, delivery);
}

function webhookNode(parameters: { responseMode: string; options: object }) {
	const path = randomUUID();
	return {
		name: 'Webhook',
		type: 'n8n-nodes-base.webhook',
		typeVersion: 2,
		webhookId: path,
		parameters: { httpMethod: 'POST', path, ...parameters },
	};
}

/** @returns the workflow's id */
async function publish(
	n8n: N8nHost,
	nodes: NodeDefinition[],
	connections: Record<string, unknown>,
): Promise<string> {
	const { id } = await n8n.createWorkflow({ name: 'bench', nodes, connections });
	await n8n.publish(id);
	return id;
}

function respond(name: string, responseCode: number): NodeDefinition {
	return {
		name,
		type: 'n8n-nodes-base.respondToWebhook',
		typeVersion: 1.1,
		parameters: {
			respondWith: 'json',
			responseBody: JSON.stringify({ accepted: responseCode === 200 }),
			options: { responseCode },
		},
	};
}

/**
 * An answer that is sent before the delivery is verified is the same for all: what Receive makes of a valid
 * and of a forged delivery shows only in their runs.
 */
async function expectVerdicts(n8n: N8nHost, workflowId: string, url: string): Promise<void> {
	for (const secret of [SECRET, FORGER]) {
		const { headers, body } = delivery(secret);
		await fetch(url, { method: 'POST', headers, body });
	}
	const runs = await n8n.waitForExecutions(workflowId, 2);
	const ends = await Promise.all(
		runs.map(async ({ id }) => {
			const { status, data } = await n8n.execution(id);
			return `${status} at ${data.resultData.lastNodeExecuted}`;
		}),
	);
	if (ends.join(', ') !== 'success at After, success at Receive') {
		throw new Error(`Receive should pass on the first of two deliveries: ${ends.join(', ')}`);
	}
}

/** @param forged - what n8n does with forged deliveries, where they are to be measured */
function subject(
	url: string,
	secret: string,
	sign: (secret: string) => Delivery,
	forged?: Omit<Traffic, 'make'>,
): Subject {
	return {
		url,
		traffic: {
			valid: { make: () => sign(secret), status: 200, runs: true },
			...(forged && { forged: { make: () => sign(FORGER), ...forged } }),
		},
	};
}

function delivery(secret: string): Delivery {
	return makeDelivery(misarMail, secret, BODY_BYTES);
}

/** The same body, signed as another scheme has it. */
function signed(header: string, prefix: string): (secret: string) => Delivery {
	return (secret) => {
		const { body } = delivery(secret);
		return {
			headers: {
				'content-type': 'application/json',
				[header]: `${prefix}${hmacHex(secret, body)}`,
			},
			body,
		};
	};
}
