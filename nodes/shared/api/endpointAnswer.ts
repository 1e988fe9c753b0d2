import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { flawOf } from '../secretText';

/** One webhook endpoint as a provider describes it, in one shape for all providers. */
export interface RemoteEndpoint {
	/** Always text; Mail Panda's ids are integers on the wire. */
	readonly id: string;
	/** Undefined where the answer does not contain it; likewise the events. */
	readonly url?: string;
	readonly events?: readonly string[];
	/** True where the provider does not say. */
	readonly active: boolean;
	/** ISO 8601, as the provider writes it. */
	readonly createdAt?: string;
	/** The signing secret, where the provider reveals it whole (usually once, on create). */
	readonly secret?: string;
}

/**
 * How providers wrap their answers: one endpoint is bare, `{data}`, `{success,data}` or `{ok,endpoint,secret}`, and a
 * list is an array, `{data}` or `{webhooks}`.
 */
const LIST_KEYS = ['data', 'webhooks', 'endpoints', 'items'] as const;
const ATTEMPT_KEYS = ['data', 'events', 'deliveries', 'attempts', 'items'] as const;
const ITEM_KEYS = ['data', 'webhook', 'endpoint'] as const;
export const SECRET_KEYS = ['signatureKey', 'secret', 'signing_secret', 'signingSecret'] as const;

/** Levels of wrapping that are looked into; two are documented. */
const MAX_DEPTH = 8;

/**
 * An id becomes one segment of a path and part of log lines. `.` and `..` would name another resource
 * there, a lone surrogate cannot be encoded, and a control character or line break would forge a line.
 */
export const ENDPOINT_ID = /^(?!\.{1,2}$)[^\p{Surrogate}\p{Control}\p{Zl}\p{Zp}]{1,500}$/u;
/** A number above 2^53 has lost digits in parsing: its text might be the id of another endpoint. */
export const endpointIdSchema = z
	.union([z.string().regex(ENDPOINT_ID), z.number().safe()])
	.transform(String);

/** The events of an endpoint: a list, or a text with commas or with a list in JSON. */
const eventsSchema = z
	.union([z.array(z.string()), z.string().transform((text) => text.split(/[[\]",]+/))])
	.transform((names) => names.map((name) => name.trim()).filter((name) => name !== ''));

/**
 * Reads a single endpoint from an API answer.
 * @returns undefined when the answer has no endpoint with an id in it.
 */
export function readEndpoint(answer: unknown): RemoteEndpoint | undefined {
	return findEndpoint(answer, MAX_DEPTH);
}

function findEndpoint(answer: unknown, depth: number): RemoteEndpoint | undefined {
	if (!isJsonObject(answer) || depth === 0) return undefined;

	const own = describeEndpoint(answer);
	// An id without a URL may be that of the request, or of an envelope around the endpoint.
	const inner =
		own?.url === undefined
			? ITEM_KEYS.map((key) => findEndpoint(answer[key], depth - 1)).find(
					(found) => found !== undefined,
				)
			: undefined;
	const endpoint = inner?.url === undefined ? (own ?? inner) : inner;
	if (endpoint === undefined) return undefined;
	const secret = findSecret(answer);
	return secret === undefined ? endpoint : { secret, ...endpoint };
}

/** What `active` holds for an endpoint that is switched off; what nobody can read counts as on. */
const OFF = ['false', '0', 'off', 'no', 'inactive', 'disabled'];

/** Tolerant except for the id: an endpoint with an odd description still exists. */
function describeEndpoint(object: IDataObject): RemoteEndpoint | undefined {
	// Metigan's documents have `_id` (its JavaScript SDK copies it to `id`).
	const id = endpointIdSchema.safeParse(object['id'] ?? object['_id']);
	if (!id.success) return undefined;
	const { url, active } = object;
	const events = eventsSchema.safeParse(object['events']);
	const createdAt = object['created_at'] ?? object['createdAt'];
	return {
		id: id.data,
		...(typeof url === 'string' && url !== '' ? { url } : {}),
		...(events.success ? { events: events.data } : {}),
		active: !OFF.includes((typeof active === 'object' ? '' : String(active)).trim().toLowerCase()),
		...(typeof createdAt === 'string' ? { createdAt } : {}),
	};
}

/** A page of a list of endpoints. */
export interface EndpointPage {
	/** Without the entries whose id cannot be read: nothing can be done with them. */
	readonly endpoints: readonly RemoteEndpoint[];
	/** URLs of those entries; empty where one has none. */
	readonly unreadable: readonly string[];
	/** Whether the answer says that there are no more pages; undefined where it does not say. */
	readonly isLast?: boolean | undefined;
	/** How many endpoints there are, where the answer says so. */
	readonly total?: number | undefined;
}

/**
 * Reads a list of endpoints from an API answer.
 * @returns undefined when the answer is not a list.
 */
export function readEndpointPage(answer: unknown): EndpointPage | undefined {
	const list = findList(answer, LIST_KEYS);
	if (list === undefined) return undefined;
	const read = list.map((entry) => ({ entry, endpoint: readEndpoint(entry) }));
	return {
		endpoints: read.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint !== undefined),
		unreadable: read
			.filter(({ endpoint }) => endpoint === undefined)
			.map(({ entry }) => urlIn(entry, MAX_DEPTH)),
		...readPosition(answer),
	};
}

function urlIn(entry: unknown, depth: number): string {
	if (!isJsonObject(entry) || depth === 0) return '';
	const { url } = entry;
	if (typeof url === 'string') return url;
	return ITEM_KEYS.map((key) => urlIn(entry[key], depth - 1)).find((inner) => inner !== '') ?? '';
}

/** `pagination: {page, totalPages, total, hasMore}`, as Metigan's other lists have it, or a total beside the list. */
const positionSchema = z.object({
	total: z.number().optional().catch(undefined),
	pagination: z
		.object({
			page: z.number().optional(),
			totalPages: z.number().optional(),
			total: z.number().optional(),
			hasMore: z.boolean().optional(),
		})
		.optional()
		.catch(undefined),
});

function readPosition(answer: unknown): Pick<EndpointPage, 'isLast' | 'total'> {
	const { total, pagination = {} } = positionSchema.safeParse(answer).data ?? {};
	const { page, totalPages, hasMore } = pagination;
	const isLastPage =
		page === undefined || totalPages === undefined ? undefined : page >= totalPages;
	return {
		isLast: hasMore === undefined ? isLastPage : !hasMore,
		total: pagination.total ?? total,
	};
}

/**
 * Reads a list of delivery attempts, whose fields no document names.
 * @returns undefined when the answer is not a list.
 */
export function readAttemptList(
	answer: unknown,
): ReadonlyArray<Record<string, unknown>> | undefined {
	const list = findList(answer, ATTEMPT_KEYS);
	const attempts = list?.filter(isJsonObject);
	// Of one odd entry among others nothing can be said.
	return attempts?.length === 0 && list?.length !== 0 ? undefined : attempts;
}

function findList(
	answer: unknown,
	keys: readonly string[],
	depth = MAX_DEPTH,
): unknown[] | undefined {
	if (Array.isArray(answer)) return answer;
	if (!isJsonObject(answer) || depth === 0) return undefined;
	// Also `{success, data: {webhooks: […]}}`.
	return keys
		.map((key) => findList(answer[key], keys, depth - 1))
		.find((list) => list !== undefined);
}

function findSecret(object: Readonly<Record<string, unknown>>): string | undefined {
	return SECRET_KEYS.map((key) => object[key]).find(canBeSecret);
}

/** Whether a value is a whole secret. */
function canBeSecret(value: unknown): value is string {
	return typeof value === 'string' && value.trim().length >= 16 && flawOf(value) === undefined;
}
