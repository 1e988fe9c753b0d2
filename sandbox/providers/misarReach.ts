import { z } from 'zod';
import { json, noContent, Refusal } from '../answers';
import type { Answer, Api, ApiServices, Provider } from '../provider';
import { randomId, timestampedHmacHex } from '../signing';
import type { DeliveryRecord, Named, SandboxEndpoint } from '../types';
import { eventList, parseBody } from '../validation';
import { Variants } from '../variants';
import { bearerScope, extraEvents, noRetry, ownsPath } from './common';
import { fieldErrors, misarErrors } from './misarErrors';
import { platformEnvelope, platformEvents } from './misarScheme';

const SDK = 'MisarReach SDK 5';
const ROOT = '/reach/api';

/** The closed set of the SDK's types, which is what can be registered. */
const clientEvents: readonly Named[] = [
	'reply.received',
	'deal.won',
	'deal.lost',
	'lead_search.completed',
	'campaign.completed',
].map((name) => ({ name, source: SDK }));

const events: readonly Named[] = [
	...clientEvents,
	...platformEvents('lead.found', 'campaign.sent', 'deal.updated', 'contact.replied'),
];

const behaviour = z.object({
	createStatus: z.union([z.literal(200), z.literal(201)]).default(201),
	invalidStatus: z.union([z.literal(400), z.literal(422)]).default(422),
	planStatus: z.union([z.literal(402), z.literal(429)]).default(402),
	knownEvents: z.enum(['client', 'union']).default('client'),
	deleteOffered: z.boolean().default(false),
	deleteMissingStatus: z.union([z.literal(404), z.literal(405)]).default(404),
	extraEvents,
});

/** MisarReach: list and create only, the secret once (README and types of its SDKs). */
export const misarReach: Provider = {
	id: 'misar.reach',
	title: 'Misar Reach',
	events,
	schemes: [
		{
			id: 'reach',
			source: SDK,
			timestamped: true,
			signatureHeader: 'x-reach-signature',
			sign: ({ body, secret, timestampSeconds }) => ({
				'x-reach-signature': timestampedHmacHex(secret, timestampSeconds, body),
				'x-reach-timestamp': String(timestampSeconds),
			}),
		},
	],
	// The SDK shows no body; the platform's envelope is the only one described for MisarReach.
	envelopes: [platformEnvelope('platform', 'reach')],
	retry: noRetry(10),
	keyPrefix: 'mrk_',
	newEndpointId: () => randomId('whe_'),
	newSecret: () => randomId('whsec_', 32),
	newEventId: () => randomId('evt_'),
	sampleData: ({ event, at }) => ({ id: `${event.split('.')[0]}_01j9abc`, occurred_at: at }),
	api: createApi,
};

function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	// docs.misar.io/reach/api-reference/errors; the plan's refusal and the rate limit are MisarReach SDK 5's.
	const errors = misarErrors({
		unauthorized: 'Unauthorized',
		scope: () => json(403, { error: 'Forbidden' }),
		plan: () =>
			json(variants.current.planStatus, {
				error: 'Your plan does not allow more webhook endpoints',
				upgrade: true,
				feature: 'webhooks',
				limit: services.endpoints.list().length,
				current: services.endpoints.list().length,
				upgrade_url: '/pricing',
			}),
		rateLimit: (retryAfter) =>
			json(
				429,
				{ error: 'Too many requests', code: 'rate_limited', retryAfter },
				{ 'retry-after': String(retryAfter) },
			),
		invalid: (issues) => json(variants.current.invalidStatus, { error: fieldErrors(issues) }),
	});

	const known = () => [
		...(variants.current.knownEvents === 'client' ? clientEvents : events).map(({ name }) => name),
		...variants.current.extraEvents,
	];
	const createBody = z
		.object({
			url: services.webhookUrl,
			events: eventList(known),
			description: z.string().optional(),
		})
		.strict();

	function create(body: unknown): Answer {
		const { description, ...input } = parseBody(createBody, body, errors);
		if (services.endpoints.isFull()) return errors.plan();
		const endpoint = services.endpoints.add({
			...input,
			...(description === undefined ? {} : { description }),
		});
		return json(variants.current.createStatus, {
			ok: true,
			endpoint: endpointObject(endpoint),
			secret: endpoint.secret,
			secret_notice: 'Store this secret now. It is not shown again.',
		});
	}

	function remove(id: string | undefined): Answer {
		const { deleteOffered, deleteMissingStatus } = variants.current;
		if (!deleteOffered) return errors.other(deleteMissingStatus);
		const endpoint = services.endpoints.find(id ?? '');
		if (!endpoint) throw new Refusal(json(404, { error: 'Endpoint not found' }));
		services.endpoints.remove(endpoint.id);
		return noContent();
	}

	return {
		owns: ownsPath('/reach'),
		identify: (request) => bearerScope(request, services.keys),
		routes: [
			{
				method: 'GET',
				path: `${ROOT}/plan`,
				handle: () =>
					json(200, { plan: 'starter', limits: { webhooks: 5 }, usage: { webhooks: 0 } }),
			},
			{
				method: 'GET',
				path: `${ROOT}/webhooks/endpoints`,
				managesWebhooks: true,
				handle: () =>
					json(200, {
						ok: true,
						endpoints: services.endpoints.list().map((endpoint) => ({
							...endpointObject(endpoint),
							health: health(services.deliveriesOf(endpoint.id)),
						})),
					}),
			},
			{
				method: 'POST',
				path: `${ROOT}/webhooks/endpoints`,
				managesWebhooks: true,
				handle: ({ body }) => create(body),
			},
			{
				method: 'DELETE',
				path: `${ROOT}/webhooks/endpoints/:id`,
				managesWebhooks: true,
				handle: (_, { id }) => remove(id),
			},
		],
		errors,
		variants,
	};
}

/** The SDK leaves the endpoint untyped; these are the fields it takes and those every list needs. */
function endpointObject({
	id,
	url,
	events: names,
	description,
	active,
	createdAt,
}: SandboxEndpoint) {
	return {
		id,
		url,
		events: names,
		description: description ?? null,
		active,
		created_at: createdAt,
	};
}

/** "their delivery health"; the field names are assumed. */
function health(deliveries: readonly DeliveryRecord[]) {
	const count = (state: DeliveryRecord['state']) =>
		deliveries.filter((delivery) => delivery.state === state).length;
	return { delivered: count('delivered'), failed: count('failed') };
}
