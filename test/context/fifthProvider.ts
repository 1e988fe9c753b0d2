import { createHmac } from 'node:crypto';

import type {
	IAuthenticateGeneric,
	ICredentialType,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodeType,
	INodeTypeDescription,
	ITriggerFunctions,
	ITriggerResponse,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { receiveDelivery } from '../../nodes/shared/delivery/receive';
import { watchEndpoint } from '../../nodes/shared/registration/endpointWatch';
import type { ProviderFamily } from '../../nodes/shared/provider';
import { webhookMethods } from '../../nodes/shared/registration/lifecycle';
import { TRIGGER_OUTPUTS, triggerProperties } from '../../nodes/shared/trigger/properties';
import { passOn } from '../../nodes/shared/registration/triggerRun';
import type { Delivery, WireScheme } from './conformanceTwins';

/**
 * Pigeon Post, a provider that does not exist and is unlike the others in every name: what it takes
 * to add a fifth one. All of it is here and in its stand-in; nothing of `nodes/shared` knows it.
 */

/** Path of its webhook API. */
export const PERCHES = '/loft/v2/perches';
/** Endpoints on one page of its list. */
export const PAGE_SIZE = 2;

export const pigeonPost: ProviderFamily = [
	{
		id: 'pigeonPost',
		displayName: 'Pigeon Post',
		description: 'Letters carried and lost',
		credentialType: 'pigeonPostApi',
		events: [
			{
				name: 'letter.carried',
				label: 'Letter Carried',
				description: 'A letter arrived',
				data: { letter: z.object({ to: z.string(), grams: z.number() }) },
			},
			{ name: 'letter.lost', label: 'Letter Lost', description: 'A letter did not arrive' },
		],
		schemes: [
			{
				id: 'proof',
				name: 'X-Pigeon-Proof',
				description: 'The time is signed with the body',
				kind: 'hmac',
				header: 'x-pigeon-proof',
				layout: { type: 'elements', timestamp: 'at', signature: 'sig' },
				signed: 'timestamp.body',
				auto: true,
			},
			{
				id: 'feather',
				name: 'X-Pigeon-Feather',
				description: 'The body alone is signed',
				kind: 'hmac',
				header: 'x-pigeon-feather',
				layout: { type: 'hex', prefixes: ['grey:'] },
				signed: 'body',
				auto: true,
			},
		],
		envelope: {
			shapes: [
				{
					id: 'letter',
					mark: 'kind',
					schema: z.object({ uid: z.string(), kind: z.string(), flown_at: z.number() }),
				},
			],
			eventFields: ['kind'],
			eventHeaders: ['x-pigeon-kind'],
			timeFields: ['flown_at'],
			recipientFields: ['to'],
			data: (body) => body['letter'],
			idempotencyKey: ({ uid }) => (typeof uid === 'string' ? uid : undefined),
			pings: ['coo'],
			retried: true,
		},
		api: {
			paths: [PERCHES],
			itemStyles: [{ id: 'query', update: 'PUT' }],
			eventsFormat: 'commaSeparated',
			sendsSecret: 'never',
			keyRights: 'may manage webhooks',
			operations: { update: 'documented', delete: 'documented' },
			page: {
				size: PAGE_SIZE,
				query: (page, size) => ({ offset: (page - 1) * size, max: size }),
			},
		},
		defaultRegistration: 'automatic',
		manualSteps: ['Tell the pigeons.'],
	},
];

export class PigeonPostApi implements ICredentialType {
	name = 'pigeonPostApi';

	displayName = 'Pigeon Post API';

	properties: INodeProperties[] = [
		'baseUrl',
		'apiKey',
		'signingSecret',
		'previousSigningSecret',
	].map((name) => ({ displayName: name, name, type: 'string', default: '' }));

	authenticate: IAuthenticateGeneric = {
		type: 'generic',
		properties: { headers: { 'x-pigeon-key': '={{$credentials.apiKey}}' } },
	};
}

export class PigeonPostTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Pigeon Post Trigger',
		name: 'pigeonPostTrigger',
		group: ['trigger'],
		version: 1,
		description: 'Starts the workflow when a pigeon arrives',
		defaults: { name: 'Pigeon Post Trigger' },
		inputs: [],
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'pigeonPostApi', required: true }],
		webhooks: [
			{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'pigeon-post' },
		],
		properties: triggerProperties(pigeonPost),
	};

	webhookMethods = webhookMethods(pigeonPost);

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, pigeonPost);
	}

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		return await watchEndpoint(this, pigeonPost);
	}

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await passOn(this, pigeonPost);
	}
}

/** Its two schemes as they look on the wire. */
export const wireSchemes: readonly [WireScheme, WireScheme] = [
	{
		covers: 'timestamp.body',
		header: 'x-pigeon-proof',
		eventHeaders: ['x-pigeon-kind'],
		present: (hex, seconds) => ({ 'x-pigeon-proof': `at=${seconds},sig=${hex}` }),
	},
	{
		covers: 'body',
		header: 'x-pigeon-feather',
		eventHeaders: ['x-pigeon-kind'],
		present: (hex) => ({ 'x-pigeon-feather': `grey:${hex}` }),
	},
];

/** What a pigeon carries, signed. Times are epoch milliseconds. */
export function signLetter(
	scheme: WireScheme,
	{ uid, kind, secret, atMs }: { uid: string; kind: string; secret: string; atMs: number },
): Delivery & { readonly letter: { to: string; grams: number } } {
	const letter = { to: 'ada@example.com', grams: 12 };
	const body = Buffer.from(JSON.stringify({ uid, kind, flown_at: atMs, letter }));
	const seconds = String(Math.floor(atMs / 1000));
	const hmac = createHmac('sha256', secret);
	if (scheme.covers === 'timestamp.body') hmac.update(`${seconds}.`);
	const proof = scheme.present(hmac.update(body).digest('hex'), seconds);
	return { headers: { 'x-pigeon-kind': kind, ...proof }, body, letter };
}
