import { createHmac } from 'node:crypto';

import type {
	IAuthenticateGeneric,
	ICredentialType,
	INodeProperties,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { getManyOf } from '../../nodes/shared/action/list';
import { searchMethods } from '../../nodes/shared/action/listSearch';
import { actionDescription, actionMethods } from '../../nodes/shared/action/node';
import type { ProviderFamily } from '../../nodes/shared/provider';
import { triggerDescription, triggerMethods } from '../../nodes/shared/trigger/node';
import type { Delivery, WireScheme } from './conformanceForgeries';

/**
 * Pigeon Post, an invented provider that differs from the others in every name: it shows what it takes
 * to add a fifth one. All of it is here and in its stand-in; `nodes/shared` does not know it.
 */

/** Path of its webhook API. */
export const PERCHES = '/loft/v2/perches';
/** Path of its list of pigeons, which no other provider has. */
export const PIGEONS = '/loft/v2/pigeons';
/** Entries on one page of a list. */
export const PAGE_SIZE = 2;

const pigeonPage = (page: number, size: number) => ({ offset: page * size, max: size });
const pigeonOutput = () => z.object({ ring: z.string() });
const pigeonsSchema = z.object({ pigeons: z.array(pigeonOutput()) });

export const pigeonPost: ProviderFamily = [
	{
		id: 'pigeonPost',
		displayName: 'Pigeon Post',
		description: 'Letters carried and lost',
		credentialType: 'pigeonPostApi',
		baseUrl: 'https://loft.pigeon.example',
		apiRoots: ['/loft/v2'],
		events: [
			{
				name: 'letter.carried',
				label: 'Letter Carried',
				description: 'A letter arrived',
				howTo: 'Send a letter to yourself',
				data: { letter: z.object({ to: z.string(), grams: z.number() }) },
			},
			{
				name: 'letter.lost',
				label: 'Letter Lost',
				description: 'A letter did not arrive',
				howTo: 'Send a letter in a storm',
			},
		],
		sample: (event) => ({
			body: {
				uid: 'letter-1',
				kind: event,
				flown_at: 1_768_469_400,
				letter: { to: 'ada@example.com', grams: 20 },
			},
			isDocumented: event === 'letter.carried',
		}),
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
			testEvents: ['coo'],
			retried: true,
			answerWithinSeconds: 10,
		},
		api: {
			paths: [PERCHES],
			itemStyles: [{ id: 'query', update: 'PUT' }],
			eventsFormat: 'commaSeparated',
			sendsSecret: 'never',
			requiredPermissions: 'that may manage webhooks',
			operations: { update: 'documented', delete: 'documented' },
			page: {
				size: PAGE_SIZE,
				query: (page, size) => pigeonPage(page - 1, size),
			},
		},
		operations: [
			getManyOf(
				{ name: 'Pigeon', value: 'pigeon', description: 'A bird that carries letters' },
				{
					noun: 'pigeons',
					path: PIGEONS,
					filters: [],
					query: (_filters, number) => pigeonPage(number, PAGE_SIZE),
					output: pigeonOutput,
					read: (body) => pigeonsSchema.safeParse(body).data?.pigeons,
				},
			),
		],
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

const { webhookMethods, webhook, trigger, execute } = triggerMethods(pigeonPost);

export class PigeonPostTrigger implements INodeType {
	description: INodeTypeDescription = {
		...triggerDescription('Pigeon Post', 'pigeon-post', pigeonPost),
		displayName: 'Pigeon Post Trigger',
		name: 'pigeonPostTrigger',
		version: 2,
		description: 'Starts the workflow when a pigeon arrives',
		defaults: { name: 'Pigeon Post Trigger' },
		credentials: [{ name: 'pigeonPostApi', required: true }],
	};

	webhookMethods = webhookMethods;

	webhook = webhook;

	trigger = trigger;

	execute = execute;
}

export class PigeonPost implements INodeType {
	description: INodeTypeDescription = {
		...actionDescription(pigeonPost),
		displayName: 'Pigeon Post',
		name: 'pigeonPost',
		version: 1,
		description: 'Manage webhook endpoints of Pigeon Post, and count the pigeons',
		defaults: { name: 'Pigeon Post' },
		credentials: [{ name: 'pigeonPostApi', required: true }],
	};

	methods = searchMethods(pigeonPost);

	execute = actionMethods(pigeonPost).execute;
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

/** A signed delivery. Times are epoch milliseconds. */
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
