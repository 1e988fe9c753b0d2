import { z } from 'zod';
import { describeIssues, json, noContent, Refusal } from '../answers';
import type {
	Answer,
	Api,
	ApiErrors,
	ApiServices,
	DeliveryFacts,
	Envelope,
	Provider,
	Route,
	Scheme,
} from '../provider';
import { isEntityEvent, sampleMetiganData } from '../samples/metigan';
import { hmacHex, randomId, timestampedHmacHex } from '../signing';
import type { Named, SandboxEndpoint } from '../types';
import { eventList, parseBody } from '../validation';
import { Variants } from '../variants';
import { exponential, extraEvents, keyScope } from './common';
import { suppressionBehaviour, Suppressions } from './metiganSuppressions';

const GUIDE = 'docs.metigan.com/docs/guides/webhook-integration';
const API_PAGE = 'docs.metigan.com/docs/api/webhooks';
const SDK = 'Metigan JS SDK 3';

/** Seconds in `X-Webhook-Timestamp`; the id is the delivery's (SDK) or the endpoint's (API page). */
function webhookHeaders(facts: DeliveryFacts): Record<string, string> {
	const { deliveryId, endpointId, timestampSeconds, behaviour: variant } = facts;
	const ofEndpoint = variant.webhookIdHeader === 'endpoint' && endpointId !== undefined;
	return {
		'X-Webhook-Timestamp': String(timestampSeconds),
		'X-Webhook-Id': ofEndpoint ? endpointId : deliveryId,
	};
}

const schemes: readonly [Scheme, ...Scheme[]] = [
	{
		id: 'timestamped',
		source: GUIDE,
		timestamped: true,
		signatureHeader: 'X-Webhook-Signature',
		extraHeaders: webhookHeaders,
		sign: ({ body, secret, timestampSeconds }) => {
			const v1 = timestampedHmacHex(secret, timestampSeconds, body);
			return { 'X-Webhook-Signature': `t=${timestampSeconds},v1=${v1}` };
		},
	},
	{
		id: 'timestampHeader',
		source: SDK,
		timestamped: true,
		signatureHeader: 'X-Webhook-Signature',
		extraHeaders: webhookHeaders,
		sign: ({ body, secret, timestampSeconds }) => ({
			'X-Webhook-Signature': timestampedHmacHex(secret, timestampSeconds, body),
		}),
	},
	{
		id: 'v1TimestampHeader',
		source: SDK,
		timestamped: true,
		signatureHeader: 'X-Webhook-Signature',
		extraHeaders: webhookHeaders,
		sign: ({ body, secret, timestampSeconds }) => ({
			'X-Webhook-Signature': `v1=${timestampedHmacHex(secret, timestampSeconds, body)}`,
		}),
	},
	{
		id: 'legacy',
		source: `${API_PAGE} (January 2026)`,
		timestamped: false,
		signatureHeader: 'X-Metigan-Signature',
		sign: ({ body, secret }) => ({ 'X-Metigan-Signature': hmacHex(secret, body) }),
	},
];

const envelope: Envelope = {
	id: 'metigan',
	source: API_PAGE,
	build: ({ id, event, occurredAtMs, data }) => ({
		event,
		messageId: id,
		data,
		timestamp: occurredAtMs,
	}),
};

const named = (source: string, ...names: string[]): Named[] =>
	names.map((name) => ({ name, source }));

const events: readonly Named[] = [
	...named(
		GUIDE,
		'email.delivered',
		'email.opened',
		'email.clicked',
		'email.bounced',
		'email.complained',
	),
	...named(
		API_PAGE,
		'email.sent',
		'email.delivery_delayed',
		'contact.created',
		'contact.updated',
		'contact.deleted',
		'audience.created',
		'audience.updated',
		'audience.deleted',
	),
	...named(SDK, 'email.unsubscribed', 'email.failed'),
	...named(`${API_PAGE} (January 2026)`, 'form.submitted'),
];

const behaviour = z.object({
	createShape: z.enum(['bare', 'successData', 'secretField']).default('bare'),
	createStatus: z.union([z.literal(200), z.literal(201)]).default(201),
	deleteStatus: z.union([z.literal(200), z.literal(204)]).default(200),
	secretMode: z.enum(['accept', 'issue']).default('issue'),
	invalidStatus: z.union([z.literal(400), z.literal(422)]).default(400),
	planStatus: z.union([z.literal(402), z.literal(403), z.literal(429)]).default(402),
	updateMethods: z.enum(['both', 'PUT', 'PATCH', 'none']).default('PATCH'),
	webhookIdHeader: z.enum(['delivery', 'endpoint']).default('delivery'),
	/** The SDK mirrors `_id` to `id` (its normaliser); the API pages show `id`. */
	idField: z.enum(['_id', 'id']).default('_id'),
	extraEvents,
	...suppressionBehaviour,
});

/**
 * Metigan. Its REST pages have no webhook routes; `/api/webhooks` follows its other resources (SDK 2):
 * un-enveloped objects, lists as `{<plural>, pagination}`, `PATCH` and `DELETE` by id.
 */
export const metigan: Provider = {
	id: 'metigan',
	title: 'Metigan',
	events,
	schemes,
	envelopes: [envelope],
	// Tries 1–9 are repeated, at unstated intervals; 10 failures in a row switch the webhook off; 30 s (API page).
	retry: { delaysSeconds: exponential(9, 2, 5110), timeoutSeconds: 30, disableAfterFailures: 10 },
	keyPrefix: 'mtg_live_',
	newEndpointId: () => randomId('wh_'),
	newSecret: () => randomId('whsec_', 32),
	newEventId: (event) => randomId(isEntityEvent(event) ? `${event.split('.')[0]}_` : 'msg_'),
	sampleData: sampleMetiganData,
	api: createApi,
};

function failure(status: number, error: string, message: string, more: object = {}): Answer {
	return json(status, { success: false, error, message, ...more });
}

function createErrors(current: () => z.infer<typeof behaviour>): ApiErrors {
	return {
		unauthorized: () => failure(401, 'UNAUTHORIZED', 'Invalid or missing API key'),
		notFound: () => failure(404, 'NOT_FOUND', 'Not found'),
		scope: () => failure(403, 'FORBIDDEN', 'This API key has sending_access only'),
		plan: () =>
			failure(current().planStatus, 'insufficient_quota', 'Your plan does not allow more webhooks'),
		rateLimit: (retryAfter) => {
			const answer = failure(429, 'RATE_LIMIT_EXCEEDED', 'Too many requests', { retryAfter });
			const reset = Math.ceil(Date.now() / 1000) + retryAfter;
			return {
				...answer,
				headers: {
					...answer.headers,
					'retry-after': String(retryAfter),
					'x-ratelimit-limit': '10',
					'x-ratelimit-remaining': '0',
					'x-ratelimit-reset': String(reset),
				},
			};
		},
		invalid: (issues) =>
			failure(current().invalidStatus, 'VALIDATION_ERROR', describeIssues(issues), {
				validationErrors: issues,
			}),
		other: (status) => failure(status, 'server_error', `Request failed with status ${status}`),
	};
}

function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	const errors = createErrors(() => variants.current);
	const suppressions = new Suppressions();

	const known = () => [...events.map(({ name }) => name), ...variants.current.extraEvents];
	const createBody = z
		.object({
			url: services.webhookUrl,
			events: eventList(known),
			// The caller chose the secret in January 2026; today it is ignored.
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

	function webhookObject({ id, url, events: names, active, createdAt }: SandboxEndpoint) {
		return { [variants.current.idField]: id, url, events: names, active, createdAt };
	}

	function find(id: string | undefined): SandboxEndpoint {
		const endpoint = services.endpoints.find(id ?? '');
		if (!endpoint) throw new Refusal(failure(404, 'NOT_FOUND', 'Webhook not found'));
		return endpoint;
	}

	const update =
		(method: 'PUT' | 'PATCH'): Route['handle'] =>
		({ body }, { id }) => {
			const { updateMethods } = variants.current;
			if (updateMethods !== 'both' && updateMethods !== method) return errors.notFound();
			const endpoint = find(id);
			const patch = parseBody(updateBody, body, errors);
			return json(200, webhookObject(services.endpoints.change(endpoint.id, patch)));
		};

	function create(body: unknown): Answer {
		const { secret: given, ...input } = parseBody(createBody, body, errors);
		if (services.endpoints.isFull()) return errors.plan();
		const { secretMode, createShape, createStatus } = variants.current;
		const keepsGiven = secretMode === 'accept' && given !== undefined;
		const endpoint = services.endpoints.add(keepsGiven ? { ...input, secret: given } : input);
		const secretName = createShape === 'secretField' ? 'secret' : 'signatureKey';
		const data = {
			...webhookObject(endpoint),
			...(keepsGiven ? {} : { [secretName]: endpoint.secret }),
		};
		return json(
			createStatus,
			createShape === 'successData' ? { success: true, message: 'Webhook created', data } : data,
		);
	}

	const manage: Array<Omit<Route, 'managesWebhooks'>> = [
		{
			method: 'GET',
			path: '/api/webhooks',
			handle: ({ query }) =>
				page('webhooks', services.endpoints.list().map(webhookObject), query, errors),
		},
		{ method: 'POST', path: '/api/webhooks', handle: ({ body }) => create(body) },
		{
			method: 'GET',
			path: '/api/webhooks/:id',
			handle: (_, { id }) => json(200, webhookObject(find(id))),
		},
		{ method: 'PATCH', path: '/api/webhooks/:id', handle: update('PATCH') },
		{ method: 'PUT', path: '/api/webhooks/:id', handle: update('PUT') },
		{
			method: 'DELETE',
			path: '/api/webhooks/:id',
			handle: (_, { id }) => {
				services.endpoints.remove(find(id).id);
				return variants.current.deleteStatus === 204
					? noContent()
					: json(200, { success: true, message: 'Webhook deleted' });
			},
		},
	];

	return {
		owns: ({ path }) => path === '/api' || path.startsWith('/api/'),
		identify: ({ headers }) => {
			const key = headers['x-api-key'];
			return keyScope(typeof key === 'string' ? key : undefined, services.keys);
		},
		routes: [
			...manage.map((route) => ({ ...route, managesWebhooks: true })),
			...suppressions.routes(errors, () => variants.current),
			// A call that any key may make, e.g. to test a credential.
			{
				method: 'GET',
				path: '/api/templates',
				handle: ({ query }) => page('templates', [], query, errors),
			},
		],
		errors,
		variants,
		record: (event) => suppressions.record(event),
		reset: () => suppressions.clear(),
	};
}

const positive = z.coerce.number().int().positive();

/** One page of a list, as the sibling resources show it; 20 entries by default, 100 at most. */
function page(
	name: string,
	all: readonly object[],
	query: URLSearchParams,
	errors: ApiErrors,
): Answer {
	const asked = parseBody(
		z.object({ page: positive.default(1), limit: positive.max(100).default(20) }),
		Object.fromEntries(query),
		errors,
	);
	const start = (asked.page - 1) * asked.limit;
	return json(200, {
		[name]: all.slice(start, start + asked.limit),
		pagination: { ...asked, total: all.length, totalPages: Math.ceil(all.length / asked.limit) },
	});
}
