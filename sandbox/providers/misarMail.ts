import { z } from 'zod';
import { json, noContent, Refusal } from '../answers';
import type { Answer, Api, ApiServices, Provider, Route, Scheme } from '../provider';
import { sampleMailData } from '../samples/misarMail';
import { hmacHex, isoMillis, isoSeconds, randomId, timestampedHmacHex } from '../signing';
import type { DeliveryRecord, Named, SandboxEndpoint } from '../types';
import { eventList, parseBody } from '../validation';
import { Variants } from '../variants';
import { bearerScope, exponential, extraEvents, ownsPath } from './common';
import { fieldErrors, misarErrors } from './misarErrors';
import { platformEnvelope, platformEvents, platformHeaders, platformScheme } from './misarScheme';

const DEV_REFERENCE = 'docs.misar.io/dev/mail/api-reference/webhooks';
const MAIL_REFERENCE = 'docs.misar.io/mail/api-reference/webhooks';

/** The newest description: the verifiers in the provider's own SDKs. */
const timestampedScheme: Scheme = {
	id: 'timestamped',
	source: 'MisarMail SDK 5',
	timestamped: true,
	signatureHeader: 'X-Misar-Signature',
	eventHeader: 'X-Misar-Event',
	// The SDKs read the two signature headers only; misar.io/docs/webhooks names these for all products.
	extraHeaders: platformHeaders,
	sign: ({ body, secret, timestampSeconds }) => ({
		'X-Misar-Signature': timestampedHmacHex(secret, timestampSeconds, body),
		'X-Misar-Timestamp': String(timestampSeconds),
	}),
};

/** Its pages show no header besides the signature's. */
const mailHeaderScheme: Scheme = {
	id: 'mailHeader',
	source: 'misarmail.com/integrations/webhooks',
	timestamped: false,
	signatureHeader: 'X-MisarMail-Signature',
	sign: ({ body, secret }) => ({ 'X-MisarMail-Signature': hmacHex(secret, body) }),
};

const events: readonly Named[] = [
	...platformEvents(
		'email.delivered',
		'email.bounced',
		'email.opened',
		'email.clicked',
		'email.unsubscribed',
		'campaign.completed',
	),
	{ name: 'email.sent', source: DEV_REFERENCE },
	{ name: 'email.complained', source: DEV_REFERENCE },
	{ name: 'campaign.sent', source: DEV_REFERENCE },
	{ name: 'contact.created', source: DEV_REFERENCE },
	{ name: 'contact.updated', source: DEV_REFERENCE },
	{ name: 'email.received', source: MAIL_REFERENCE },
];

const behaviour = z.object({
	paths: z.enum(['both', 'v1', 'unversioned']).default('both'),
	listShape: z.enum(['dataTotal', 'successData']).default('dataTotal'),
	createShape: z.enum(['bare', 'successData']).default('bare'),
	createStatus: z.union([z.literal(200), z.literal(201)]).default(201),
	deleteStatus: z.union([z.literal(200), z.literal(204)]).default(204),
	secretMode: z.enum(['accept', 'issue']).default('accept'),
	invalidStatus: z.union([z.literal(400), z.literal(422)]).default(400),
	planStatus: z.union([z.literal(402), z.literal(403), z.literal(429)]).default(403),
	extraEvents,
});

/** MisarMail: `/mail/v1/webhooks` (misar.io/docs/webhooks, SDK 1 and 5) and `/mail/webhooks` (TypeScript SDK 5). */
export const misarMail: Provider = {
	id: 'misar.mail',
	title: 'Misar Mail',
	events,
	schemes: [timestampedScheme, platformScheme, mailHeaderScheme],
	envelopes: [
		platformEnvelope('E1', 'mail'),
		{
			id: 'E2',
			source: DEV_REFERENCE,
			build: ({ id, event, occurredAtMs, data }) => ({
				id,
				type: event,
				createdAt: isoMillis(occurredAtMs),
				data,
			}),
		},
		{
			id: 'E3',
			source: MAIL_REFERENCE,
			build: ({ id, event, occurredAtMs, data }) => ({
				id,
				type: event,
				created_at: isoMillis(occurredAtMs),
				data,
			}),
		},
		{
			id: 'E4',
			source: 'misar.io/docs/api',
			build: ({ event, occurredAtMs, data }) => ({
				event,
				timestamp: isoSeconds(occurredAtMs),
				data,
			}),
		},
	],
	// "up to 5 times with exponential backoff over 24 hours", 2xx within 10 s (misarmail.com/integrations/webhooks).
	retry: { delaysSeconds: exponential(5, 4, 24 * 3600), timeoutSeconds: 10 },
	keyPrefix: 'msk_',
	newEndpointId: () => randomId('wh_'),
	newSecret: () => randomId('whsec_', 32),
	newEventId: () => randomId('evt_'),
	sampleData: sampleMailData,
	api: createApi,
};

function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	const failed = (error: unknown) => ({ success: false, error });
	// docs.misar.io/mail/api-reference/errors, …/rate-limits; the plan's refusal is MisarMail SDK 5's.
	const errors = misarErrors({
		body: failed,
		unauthorized: 'Invalid or missing API key. Use: Authorization: Bearer msk_...',
		scope: () => json(403, failed("API key does not have 'write' scope")),
		plan: () =>
			json(variants.current.planStatus, {
				code: 'plan_limit_exceeded',
				error: 'Your plan does not allow more webhooks',
				upgrade: {
					feature: 'webhooks',
					currentPlanSlug: 'starter',
					urls: { pricing: 'https://misarmail.com/pricing' },
				},
			}),
		rateLimit: (retryAfter) =>
			json(
				429,
				{ ...failed('Too many requests. Please slow down.'), retryAfter },
				{
					'retry-after': String(retryAfter),
					'x-ratelimit-limit': '60',
					'x-ratelimit-remaining': '0',
					'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + retryAfter),
				},
			),
		invalid: (issues) =>
			json(variants.current.invalidStatus, {
				...failed('Validation failed'),
				details: fieldErrors(issues),
			}),
	});

	const known = () => [...events.map(({ name }) => name), ...variants.current.extraEvents];
	const createBody = z
		.object({
			url: services.webhookUrl,
			events: eventList(known),
			secret: z.string().min(1, 'must not be empty').optional(),
		})
		.strict();
	const updateBody = z
		.object({
			url: services.webhookUrl.optional(),
			events: eventList(known).optional(),
			active: z.boolean().optional(),
		})
		.strict();

	function find(id: string | undefined): SandboxEndpoint {
		const endpoint = services.endpoints.find(id ?? '');
		if (!endpoint) throw new Refusal(json(404, failed('Webhook not found')));
		return endpoint;
	}

	function wrapped(status: number, data: Record<string, unknown>): Answer {
		const { createShape } = variants.current;
		return json(status, createShape === 'bare' ? data : { success: true, data });
	}

	const handlers: Array<Omit<Route, 'managesWebhooks'>> = [
		{
			method: 'GET',
			path: '',
			handle: () => {
				const data = services.endpoints.list().map(webhookObject);
				return variants.current.listShape === 'dataTotal'
					? json(200, { data, total: data.length })
					: json(200, { success: true, data });
			},
		},
		{
			method: 'POST',
			path: '',
			handle: ({ body }) => {
				const { secret: given, ...input } = parseBody(createBody, body, errors);
				if (services.endpoints.isFull()) return errors.plan();
				const issue = variants.current.secretMode === 'issue';
				// Without a secret in the request the account's dashboard shows one that was made for it.
				const endpoint = services.endpoints.add(
					issue || given === undefined ? input : { ...input, secret: given },
				);
				return wrapped(variants.current.createStatus, {
					...webhookObject(endpoint),
					...(issue ? { secret: endpoint.secret } : {}),
				});
			},
		},
		{ method: 'GET', path: '/:id', handle: (_, { id }) => wrapped(200, webhookObject(find(id))) },
		{
			method: 'PATCH',
			path: '/:id',
			handle: ({ body }, { id }) => {
				const endpoint = find(id);
				const patch = parseBody(updateBody, body, errors);
				return wrapped(200, webhookObject(services.endpoints.change(endpoint.id, patch)));
			},
		},
		{
			method: 'DELETE',
			path: '/:id',
			handle: (_, { id }) => {
				services.endpoints.remove(find(id).id);
				return variants.current.deleteStatus === 204 ? noContent() : json(200, { success: true });
			},
		},
		{
			method: 'POST',
			path: '/:id/test',
			handle: async (_, { id }) => {
				// The event's name is not documented; one that is in no list is the hardest case for a receiver.
				const success = await services.deliver(find(id), 'webhook.test', { test: true });
				return json(200, { success });
			},
		},
		{
			method: 'GET',
			path: '/:id/events',
			handle: (_, { id }) => json(200, { data: attempts(services.deliveriesOf(find(id).id)) }),
		},
	];

	const under = (root: string, offered: () => boolean): Route[] =>
		handlers.map((route) => ({
			...route,
			path: `${root}${route.path}`,
			managesWebhooks: true,
			handle: (request, params) => (offered() ? route.handle(request, params) : errors.notFound()),
		}));

	return {
		owns: ownsPath('/mail'),
		identify: (request) => bearerScope(request, services.keys),
		routes: [
			...under('/mail/v1/webhooks', () => variants.current.paths !== 'unversioned'),
			...under('/mail/webhooks', () => variants.current.paths !== 'v1'),
		],
		errors,
		variants,
	};
}

/** The fields of the SDKs' Webhook type, which has no secret. */
function webhookObject({ id, url, events: names, active, createdAt }: SandboxEndpoint) {
	return { id, url, events: names, active, created_at: createdAt };
}

/** "last 100 webhook delivery attempts with status codes and response bodies"; the field names are assumed. */
function attempts(deliveries: readonly DeliveryRecord[]) {
	return deliveries
		.flatMap(({ id, event, attempts: tries }) =>
			tries.map(({ at, status, error, responseBody }) => ({
				event_id: id,
				type: event,
				status_code: status ?? null,
				response_body: responseBody ?? null,
				error: error ?? null,
				attempted_at: isoMillis(at),
			})),
		)
		.sort((a, b) => b.attempted_at.localeCompare(a.attempted_at))
		.slice(0, 100);
}
