import { z } from 'zod';

/** One webhook endpoint as a provider describes it, in one shape for all providers. */
export interface RemoteEndpoint {
	/** Always text; Mail Panda's ids are integers on the wire. */
	readonly id: string;
	readonly url: string;
	readonly events: readonly string[];
	/** True where the provider does not tell. */
	readonly active: boolean;
	/** The signing secret, where the provider reveals it (usually once, on create). */
	readonly secret?: string;
	/** The provider's own object, secrets removed. */
	readonly raw: Readonly<Record<string, unknown>>;
}

/**
 * Providers wrap one endpoint as itself, `{data}`, `{success,data}` or `{ok,endpoint,secret}`, and
 * lists as an array, `{data}` or `{webhooks}` (provider-facts: response unwrapping).
 */
const LIST_KEYS = ['data', 'webhooks', 'endpoints', 'items'] as const;
const ITEM_KEYS = ['data', 'webhook', 'endpoint'] as const;
const SECRET_KEYS = ['signatureKey', 'secret', 'signing_secret', 'signingSecret'] as const;

const objectSchema = z.record(z.unknown());
const endpointSchema = z
	.object({
		id: z.union([z.string().min(1), z.number()]).transform(String),
		url: z.string().default(''),
		events: z
			.union([
				z.array(z.string()),
				z.string().transform((text) => text.split(',').map((name) => name.trim())),
			])
			.default([])
			.transform((names) => names.filter((name) => name !== '')),
		active: z.boolean().default(true),
	})
	.passthrough();

/**
 * Reads a single endpoint from an API answer.
 * @returns undefined when the answer has no endpoint with an id in it.
 */
export function readEndpoint(answer: unknown): RemoteEndpoint | undefined {
	const outer = objectSchema.safeParse(answer);
	if (!outer.success) return undefined;

	const nested = ITEM_KEYS.map((key) => objectSchema.safeParse(outer.data[key])).find(
		(candidate) => candidate.success,
	);
	const inner = nested?.success === true ? nested.data : outer.data;
	const endpoint = endpointSchema.safeParse(inner);
	if (!endpoint.success) return undefined;

	const { id, url, events, active } = endpoint.data;
	const secret = findSecret(inner) ?? findSecret(outer.data);
	const raw = Object.fromEntries(
		Object.entries(inner).filter(([key]) => !SECRET_KEYS.some((secretKey) => secretKey === key)),
	);
	return { id, url, events, active, raw, ...(secret === undefined ? {} : { secret }) };
}

/**
 * Reads a list of endpoints from an API answer. Entries without an id are left out: nothing can
 * be done with them.
 * @returns undefined when the answer is no list.
 */
export function readEndpointList(answer: unknown): readonly RemoteEndpoint[] | undefined {
	const list = findList(answer);
	return list?.map(readEndpoint).filter((endpoint) => endpoint !== undefined);
}

function findList(answer: unknown): unknown[] | undefined {
	if (Array.isArray(answer)) return answer;
	const outer = objectSchema.safeParse(answer);
	if (!outer.success) return undefined;
	for (const key of LIST_KEYS) {
		const value = outer.data[key];
		if (Array.isArray(value)) return value;
		// `{success, data: {webhooks: […]}}`
		const inner = objectSchema.safeParse(value);
		if (inner.success) return findList(inner.data);
	}
	return undefined;
}

function findSecret(object: Readonly<Record<string, unknown>>): string | undefined {
	for (const key of SECRET_KEYS) {
		const value = object[key];
		if (typeof value === 'string' && value !== '') return value;
	}
	return undefined;
}
