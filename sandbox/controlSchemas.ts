import { z } from 'zod';
import { providerList } from './catalogue';
import type { Fault, ProviderId } from './types';

/** The same fields, where an optional one is absent rather than undefined. */
type Compact<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function compact<T extends object>(value: T): Compact<T> {
	const present = Object.entries(value).filter(([, field]) => field !== undefined);
	return Object.fromEntries(present) as Compact<T>;
}

const provider = z.custom<ProviderId>(
	(value) => providerList.some(({ id }) => id === value),
	`must be one of ${providerList.map(({ id }) => id).join(', ')}`,
);
const positive = z.number().int().positive();
const status = z.number().int().min(200).max(599);

export const providerQuery = z.object({ provider: provider.optional() }).strict();

export const addBody = z
	.object({
		provider,
		url: z.string().url(),
		events: z.array(z.string()),
		active: z.boolean().optional(),
		secret: z.string().optional(),
	})
	.strict()
	.transform(compact);

export const endpointPath = z.object({ provider, id: z.string() }).strict();

export const keyPath = z.object({ provider }).strict();

export const sampleQuery = z
	.object({ provider, event: z.string().min(1), envelope: z.string().optional() })
	.strict();

/** For a removal as well, which has only the provider and id of the path. */
export const changeBody = z
	.object({
		provider,
		id: z.string(),
		url: z.string().url().optional(),
		events: z.array(z.string()).optional(),
		active: z.boolean().optional(),
	})
	.strict()
	.transform(compact);

export const fireBody = z
	.object({
		provider,
		event: z.string().min(1),
		data: z.unknown(),
		scheme: z.string().optional(),
		envelope: z.string().optional(),
		id: z.string().optional(),
		timestampMs: z.number().int().optional(),
		product: z.string().optional(),
		byteOrderMark: z.boolean().optional(),
		secret: z.string().optional(),
		url: z.string().url().optional(),
		endpointId: z.string().optional(),
		copies: positive.max(100).optional(),
		/** How many times it is fired, each time as a new event. */
		times: positive.max(10_000).optional(),
		perSecond: z.number().positive().max(1000).optional(),
		/** If false, the answer comes at once, with the number of receivers. */
		wait: z.boolean().optional(),
		tamper: z
			.enum(['body', 'signature', 'wrongSecret', 'unsigned', 'stale', 'future', 'swappedEvent'])
			.optional(),
		retry: z.boolean().optional(),
	})
	.strict()
	.transform(compact);

export const faultBody = z
	.object({
		provider: provider.optional(),
		method: z.string().optional(),
		path: z.string().optional(),
		/** The source of a regular expression, for `Fault.path`. */
		pathPattern: z.string().optional(),
		times: positive.optional(),
		delayMs: z.number().int().nonnegative().optional(),
		when: z.enum(['before', 'after']).optional(),
		kind: z.enum([
			'status',
			'drop',
			'truncate',
			'html',
			'hang',
			'empty',
			'delay',
			'planRefusal',
			'rateLimit',
			'scopeRefusal',
		]),
		status: status.optional(),
		headers: z.record(z.string()).optional(),
		body: z.unknown(),
	})
	.strict()
	.transform(compact);

/** Throws if the pattern is not a regular expression. */
export function toFault({ pathPattern, ...fault }: z.output<typeof faultBody>): Fault {
	return pathPattern === undefined ? fault : { ...fault, path: new RegExp(pathPattern) };
}

/** Each provider's own schema decides which points it accepts. */
export const behaviourBody = z.object({ provider, behaviour: z.record(z.unknown()) }).strict();

/** `limit: null` lifts it. */
export const limitBody = z
	.object({ provider, limit: z.number().int().nonnegative().nullable() })
	.strict();

export const routesBody = z.object({ from: z.string().url(), to: z.string().url() }).strict();
