import { z } from 'zod';
import { describeIssues, json, Refusal } from '../answers';
import type { Answer, Api, ApiErrors, ApiRequest, ApiServices, Provider, Route } from '../provider';
import { hmacHex, isoSeconds, randomId } from '../signing';
import type { Named, SandboxEndpoint } from '../types';
import { parseBody } from '../validation';
import { Variants } from '../variants';
import { extraEvents, noRetry } from './common';
import { MailPandaAccounts } from './mailPandaAccounts';

const PAGE = 'mailpanda.io/docs/webhooks';
const MANAGE = '/api/webhooks/manage';

const SHORT_NAMES = ['open', 'click', 'bounce', 'unsubscribe'];
const events: readonly Named[] = [
	...SHORT_NAMES,
	...SHORT_NAMES.map((name) => `email.${name}`),
].map((name) => ({ name, source: PAGE }));

const behaviour = z.object({
	createStatus: z.union([z.literal(200), z.literal(201)]).default(200),
	invalidStatus: z.union([z.literal(400), z.literal(422)]).default(400),
	planStatus: z.union([z.literal(402), z.literal(403), z.literal(429)]).default(403),
	manageStyle: z.enum(['query', 'body', 'path']).default('query'),
	updateMethods: z.enum(['both', 'PUT', 'PATCH', 'none']).default('both'),
	bearerOnManage: z.boolean().default(true),
	extraEvents,
});

/** `email.open` and `open` are one event: the page uses the long names in prose, the short ones in requests. */
function shortName(event: string): string {
	return event.replace(/^email\./, '');
}

/**
 * Mail Panda. Error shapes and statuses, the delivery's body, and how an endpoint is updated or deleted are
 * undocumented; what is here is the least that the page implies.
 */
export const mailPanda: Provider = {
	id: 'mailPanda',
	title: 'Mail Panda',
	events,
	schemes: [
		{
			id: 'bare',
			source: PAGE,
			timestamped: false,
			signatureHeader: 'X-Webhook-Signature',
			sign: ({ body, secret }) => ({ 'X-Webhook-Signature': hmacHex(secret, body) }),
		},
	],
	envelopes: [{ id: 'eventData', source: PAGE, build: ({ event, data }) => ({ event, data }) }],
	retry: noRetry(10),
	keyPrefix: 'em_prod_',
	newEndpointId: (sequence) => String(sequence),
	newSecret: () => randomId('whsec_', 32),
	newEventId: () => randomId('msg_'),
	// The fields of the page's inbound events, the only event body it shows.
	sampleData: ({ event, id, at }) => ({
		email_id: id,
		recipient: 'ada@example.com',
		timestamp: at.replace(/\.\d{3}Z$/, 'Z'),
		...(shortName(event) === 'click' ? { url: 'https://example.com/pricing' } : {}),
		...(shortName(event) === 'bounce' ? { bounce_type: 'hard' } : {}),
	}),
	wants: (endpoint, event) => endpoint.events.map(shortName).includes(shortName(event)),
	api: createApi,
};

function createErrors(current: () => z.infer<typeof behaviour>): ApiErrors {
	return {
		unauthorized: () => json(401, { error: 'Unauthorized' }),
		notFound: () => json(404, { error: 'Not found' }),
		scope: () => json(403, { error: 'This API key cannot manage webhooks' }),
		plan: () => json(current().planStatus, { error: 'Your plan does not allow more webhooks' }),
		rateLimit: (seconds) =>
			json(429, { error: 'Too many requests' }, { 'retry-after': String(seconds) }),
		invalid: (issues) => json(current().invalidStatus, { error: describeIssues(issues) }),
		other: (status) => json(status, { error: `Request failed with status ${status}` }),
	};
}

function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	const errors = createErrors(() => variants.current);
	const accounts = new MailPandaAccounts(services.keys, errors);
	const { createBody, updateBody } = bodies(services, () => variants.current.extraEvents);

	function create(body: unknown): Answer {
		const { secret, ...input } = parseBody(createBody, body, errors);
		if (services.endpoints.isFull()) return errors.plan();
		const endpoint = services.endpoints.add({ ...input, secret: secret ?? null });
		return json(variants.current.createStatus, webhookObject(endpoint));
	}

	/** The endpoint that a request names, in the one way that this installation supports. */
	function named(request: ApiRequest, pathId: string | undefined): SandboxEndpoint {
		const { manageStyle } = variants.current;
		if (manageStyle === 'path' ? pathId === undefined : pathId !== undefined) {
			// The file that serves the other path has no such method, or there is no such file.
			throw new Refusal(pathId === undefined ? errors.other(405) : errors.notFound());
		}
		const id = pathId ?? (manageStyle === 'query' ? request.query.get('id') : bodyId(request.body));
		if (id === undefined || id === null || id === '') {
			throw new Refusal(errors.invalid([{ field: 'id', message: 'is required' }]));
		}
		const endpoint = services.endpoints.find(id);
		if (!endpoint) throw new Refusal(json(404, { error: 'Webhook not found' }));
		return endpoint;
	}

	const update =
		(method: 'PUT' | 'PATCH'): Route['handle'] =>
		(request, { id }) => {
			const { updateMethods } = variants.current;
			if (updateMethods !== 'both' && updateMethods !== method) return errors.other(405);
			const endpoint = named(request, id);
			const { secret, ...patch } = parseBody(updateBody, request.body, errors);
			services.endpoints.change(endpoint.id, patch);
			if (secret !== undefined) endpoint.secret = secret;
			return json(200, webhookObject(endpoint));
		};
	const remove: Route['handle'] = (request, { id }) => {
		services.endpoints.remove(named(request, id).id);
		return json(200, { success: true });
	};

	const manage: Array<Omit<Route, 'managesWebhooks'>> = [
		{
			method: 'GET',
			path: MANAGE,
			handle: () => json(200, { webhooks: services.endpoints.list().map(webhookObject) }),
		},
		{ method: 'POST', path: MANAGE, handle: ({ body }) => create(body) },
		...[MANAGE, `${MANAGE}/:id`].flatMap(
			(path): Array<Omit<Route, 'managesWebhooks'>> => [
				{ method: 'PUT', path, handle: update('PUT') },
				{ method: 'PATCH', path, handle: update('PATCH') },
				{ method: 'DELETE', path, handle: remove },
			],
		),
	];

	return {
		owns,
		identify: (request) => {
			if (accounts.hasSession(request)) return 'full';
			const onManage = request.path === MANAGE || request.path.startsWith(`${MANAGE}/`);
			if (onManage && !variants.current.bearerOnManage) return undefined;
			return accounts.keyScope(request);
		},
		routes: [
			...accounts.routes,
			...manage.map((route) => ({ ...route, managesWebhooks: true })),
			{
				method: 'POST',
				path: '/api/webhooks',
				// Called by mail providers, which hold no key of this installation.
				open: true,
				handle: ({ body }) => {
					parseBody(inboundBody, body, errors);
					return json(200, { received: true });
				},
			},
		],
		errors,
		variants,
		login: accounts.login,
		expireSessions: () => accounts.expireSessions(),
		reset: () => accounts.reset(),
	};
}

/**
 * Metigan's API has the same first segment: a request with its `x-api-key` is not for Mail Panda. The inbound
 * path is Metigan's list of webhooks too; without any key the body tells them apart.
 */
function owns({ method, path, headers, body }: ApiRequest): boolean {
	if (headers['x-api-key'] !== undefined) return false;
	if (path === '/api/webhooks') {
		const signedIn = /^Bearer em_/.test(headers.authorization ?? '') || !!headers.cookie;
		return method === 'POST' && (signedIn || inboundLike(body));
	}
	return ['/api/auth', '/api/keys', '/api/v1', MANAGE].some(
		(root) => path === root || path.startsWith(`${root}/`),
	);
}

function inboundLike(body: unknown): boolean {
	return typeof body === 'object' && body !== null && ('type' in body || 'email_id' in body);
}

const inboundBody = z.object({
	type: z.string().min(1),
	email_id: z.string().min(1),
	recipient: z.string().optional(),
	timestamp: z.string().datetime({ offset: true }).optional(),
});

function bodies(services: ApiServices, extra: () => readonly string[]) {
	const eventText = z
		.string()
		.transform((text) => text.split(',').map((name) => name.trim()))
		.superRefine((names, context) => {
			const known = [...events.map(({ name }) => name), ...extra()];
			for (const name of names) {
				if (known.includes(name)) continue;
				const message = name === '' ? 'must name at least one event' : `unknown event "${name}"`;
				context.addIssue({ code: z.ZodIssueCode.custom, message });
			}
		});
	const secret = z.string().min(1, 'must not be empty').optional();
	return {
		createBody: z.object({ url: services.webhookUrl, events: eventText, secret }).strict(),
		updateBody: z.object({
			url: services.webhookUrl.optional(),
			events: eventText.optional(),
			active: z.boolean().optional(),
			secret,
		}),
	};
}

/** `{"id": 3}`; text is read too, as JavaScript servers do. */
function bodyId(body: unknown): string | undefined {
	const parsed = z.object({ id: z.union([z.number().int(), z.string()]) }).safeParse(body);
	return parsed.success ? String(parsed.data.id) : undefined;
}

function webhookObject({ id, url, events: names, active, createdAt }: SandboxEndpoint) {
	return {
		id: Number(id),
		url,
		events: names.join(','),
		active,
		created_at: isoSeconds(Date.parse(createdAt)),
	};
}
