import { randomUUID } from 'node:crypto';

import type { Sandbox } from '../../sandbox';
import { chain, type N8nHost, type NodeDefinition } from '../../testkit/n8n-host/driver';
import { misarMail } from '../../testkit/triggers';
import { hmacHex, makeDelivery, type Delivery } from './deliveries';
import type { GithubStandIn } from './githubStandIn';

/** A published workflow that takes signed deliveries. */
export interface Subject {
	/** Local address of its webhook. */
	readonly url: string;
	valid(): Delivery;
	/** The same delivery, signed by somebody who does not know the secret. */
	forged(): Delivery;
}

export const SUBJECTS = ['our trigger', 'core GitHub Trigger', 'recipe'] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export interface Providers {
	readonly sandbox: Sandbox;
	readonly github: GithubStandIn;
}

const BODY_BYTES = 1_000;
const SECRET = 'whsec_chosen_for_the_recipe';
const FORGER = 'whsec_guessed_by_a_forger';

/** Publishes one of the workflows that are compared. */
export const publishSubject: Record<
	SubjectName,
	(n8n: N8nHost, providers: Providers) => Promise<Subject>
> = {
	'our trigger': async (n8n, { sandbox }) => {
		const { node, path, provider, credential, parameters, events } = misarMail;
		const id = await n8n.createCredential('Misar', credential, {
			...parameters,
			baseUrl: sandbox.url,
			apiKey: sandbox.keys[provider],
		});
		const webhookId = randomUUID();
		await publish(n8n, {
			name: 'Trigger',
			type: `n8n-nodes-misar-metigan.${node}`,
			webhookId,
			parameters: { ...parameters, registration: 'automatic', events: [...events] },
			credentials: { [credential]: { id, name: 'Misar' } },
		});
		const endpoint = sandbox.endpoints(provider).find(({ url }) => url.includes(webhookId));
		const secret = endpoint?.secret;
		if (secret === undefined) throw new Error('our trigger did not register its endpoint');
		return {
			url: n8n.webhookUrl(`${webhookId}/${path}`),
			valid: () => makeDelivery(misarMail, secret, BODY_BYTES),
			forged: () => makeDelivery(misarMail, FORGER, BODY_BYTES),
		};
	},

	'core GitHub Trigger': async (n8n, { github }) => {
		const id = await n8n.createCredential('GitHub', 'githubApi', {
			server: github.url,
			user: 'octocat',
			accessToken: 'stand-in',
		});
		const webhookId = randomUUID();
		await publish(n8n, {
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
		});
		return {
			url: n8n.webhookUrl(`${webhookId}/webhook`),
			valid: () => signed('x-hub-signature-256', 'sha256=', github.secret()),
			forged: () => signed('x-hub-signature-256', 'sha256=', FORGER),
		};
	},

	recipe: async (n8n) => {
		const path = randomUUID();
		const nodes: NodeDefinition[] = [
			{
				name: 'Webhook',
				type: 'n8n-nodes-base.webhook',
				typeVersion: 2,
				webhookId: path,
				parameters: { httpMethod: 'POST', path, responseMode: 'responseNode', options: {} },
			},
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
		const { id } = await n8n.createWorkflow({
			name: 'recipe',
			nodes,
			connections: {
				...chain('Webhook', 'Crypto', 'If'),
				If: { main: ['Accept', 'Refuse'].map((node) => [{ node, type: 'main', index: 0 }]) },
			},
		});
		await n8n.publish(id);
		return {
			url: n8n.webhookUrl(path),
			valid: () => signed('x-signature', '', SECRET),
			forged: () => signed('x-signature', '', FORGER),
		};
	},
};

async function publish(n8n: N8nHost, trigger: NodeDefinition): Promise<void> {
	const { id } = await n8n.createWorkflow({
		name: trigger.type,
		nodes: [trigger, { name: 'After', type: 'n8n-nodes-base.noOp' }],
		connections: chain(trigger.name, 'After'),
	});
	await n8n.publish(id);
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

/** The body of our trigger's deliveries, signed as another scheme has it. */
function signed(header: string, prefix: string, secret: string): Delivery {
	const { body } = makeDelivery(misarMail, secret, BODY_BYTES);
	return {
		headers: {
			'content-type': 'application/json',
			[header]: `${prefix}${hmacHex(secret, body)}`,
		},
		body,
	};
}
