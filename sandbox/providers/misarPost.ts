import { z } from 'zod';
import { json, noContent, Refusal } from '../answers';
import type { Answer, Api, ApiServices, Provider } from '../provider';
import { hmacHex, isoMillis, randomId } from '../signing';
import type { Named, SandboxEndpoint } from '../types';
import { eventList, parseBody } from '../validation';
import { Variants } from '../variants';
import { bearerScope, extraEvents, noRetry, ownsPath } from './common';
import { fieldErrors, misarErrors } from './misarErrors';
import { platformEvents, platformScheme } from './misarScheme';

const HELP = 'social.misar.io/help/integrations-webhooks';
const MCP = 'MisarPost MCP server, create_webhook';

/** What the provider's MCP tool can register. */
const clientEvents: readonly Named[] = [
	'post.published',
	'post.failed',
	'account.disconnected',
].map((name) => ({ name, source: MCP }));

const events: readonly Named[] = [
	...clientEvents,
	...platformEvents('post.scheduled', 'campaign.completed'),
	...['post.approved', 'codeshield.finding', 'trendpulse.rising'].map((name) => ({
		name,
		source: HELP,
	})),
];

const behaviour = z.object({
	createStatus: z.union([z.literal(200), z.literal(201)]).default(201),
	invalidStatus: z.union([z.literal(400), z.literal(422)]).default(400),
	planStatus: z.union([z.literal(402), z.literal(403), z.literal(429)]).default(403),
	knownEvents: z.enum(['client', 'union']).default('client'),
	updateMethods: z.enum(['PATCH', 'none']).default('PATCH'),
	deleteOffered: z.boolean().default(true),
	deleteMissingStatus: z.union([z.literal(404), z.literal(405)]).default(404),
	pingOnCreate: z.boolean().default(true),
	extraEvents,
});

/**
 * MisarPost: list, create, update and delete, the secret returned once (tools of its MCP server). The paths
 * are assumed, no document gives them.
 */
export const misarPost: Provider = {
	id: 'misar.post',
	title: 'Misar Post',
	events,
	schemes: [
		platformScheme,
		{
			// "HMAC-SHA256 of the payload"; the page mentions neither a prefix nor another header.
			id: 'platformBare',
			source: HELP,
			timestamped: false,
			signatureHeader: 'X-Misar-Signature',
			sign: ({ body, secret }) => ({ 'X-Misar-Signature': hmacHex(secret, body) }),
		},
	],
	envelopes: [
		{
			id: 'socialHelp',
			source: HELP,
			build: ({ event, occurredAtMs, data }) => ({
				event,
				timestamp: isoMillis(occurredAtMs),
				data,
			}),
		},
	],
	retry: noRetry(10),
	keyPrefix: 'mpk_',
	newEndpointId: () => randomId('wh_'),
	newSecret: () => randomId('whsec_', 32),
	newEventId: () => randomId('evt_'),
	sampleData: ({ event }) => sampleData(event),
	api: createApi,
};

/** No page describes the data; "failed, with error details" is all there is. */
function sampleData(event: string): unknown {
	const post = { postId: 'post_1', platform: 'linkedin' };
	if (event === 'post.failed') return { ...post, error: 'The platform refused the post' };
	if (event.startsWith('post.')) return post;
	if (event === 'account.disconnected') return { accountId: 'acc_1', platform: 'linkedin' };
	return { id: `${event.split('.')[0]}_1` };
}

function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	// docs.misar.io/social/api-reference/errors.
	const errors = misarErrors({
		unauthorized: 'Unauthorized',
		scope: () =>
			json(403, { error: 'The API key lacks a required scope', code: 'insufficient_scope' }),
		plan: () =>
			json(variants.current.planStatus, {
				error: 'Your plan does not allow more webhooks',
				code: 'plan_limit_exceeded',
			}),
		invalid: (issues) => json(variants.current.invalidStatus, { error: fieldErrors(issues) }),
	});

	const known = () => [
		...(variants.current.knownEvents === 'client' ? clientEvents : events).map(({ name }) => name),
		...variants.current.extraEvents,
	];
	const createBody = z.object({ url: services.webhookUrl, events: eventList(known) }).strict();
	const updateBody = z
		.object({
			url: services.webhookUrl.optional(),
			events: eventList(known).optional(),
			active: z.boolean().optional(),
		})
		.strict();

	function find(id: string | undefined): SandboxEndpoint {
		const endpoint = services.endpoints.find(id ?? '');
		if (!endpoint) throw new Refusal(json(404, { error: 'Webhook not found' }));
		return endpoint;
	}

	async function create(body: unknown): Promise<Answer> {
		const input = parseBody(createBody, body, errors);
		if (services.endpoints.isFull()) return errors.plan();
		const endpoint = services.endpoints.add(input);
		if (variants.current.pingOnCreate) {
			if (!(await services.deliver(endpoint, 'ping', {}))) {
				services.endpoints.remove(endpoint.id);
				const message = 'the endpoint did not answer the test ping with 2xx';
				return errors.invalid([{ field: 'url', message }]);
			}
		}
		return json(variants.current.createStatus, {
			...webhookObject(endpoint),
			secret: endpoint.secret,
		});
	}

	function update(id: string | undefined, body: unknown): Answer {
		if (variants.current.updateMethods === 'none') return errors.other(404);
		const endpoint = find(id);
		const patch = parseBody(updateBody, body, errors);
		return json(200, webhookObject(services.endpoints.change(endpoint.id, patch)));
	}

	function remove(id: string | undefined): Answer {
		const { deleteOffered, deleteMissingStatus } = variants.current;
		if (!deleteOffered) return errors.other(deleteMissingStatus);
		services.endpoints.remove(find(id).id);
		return noContent();
	}

	return {
		owns: ownsPath('/post'),
		identify: (request) => bearerScope(request, services.keys),
		routes: [
			{
				method: 'GET',
				path: '/post/webhooks',
				managesWebhooks: true,
				handle: () => json(200, { webhooks: services.endpoints.list().map(webhookObject) }),
			},
			{
				method: 'POST',
				path: '/post/webhooks',
				managesWebhooks: true,
				handle: async ({ body }) => await create(body),
			},
			{
				method: 'PATCH',
				path: '/post/webhooks/:id',
				managesWebhooks: true,
				handle: ({ body }, { id }) => update(id, body),
			},
			{
				method: 'DELETE',
				path: '/post/webhooks/:id',
				managesWebhooks: true,
				handle: (_, { id }) => remove(id),
			},
		],
		errors,
		variants,
	};
}

/** "URLs, events, active flag; never secrets" (MCP tool list_webhooks). */
function webhookObject({ id, url, events: names, active, createdAt }: SandboxEndpoint) {
	return { id, url, events: names, active, createdAt };
}
