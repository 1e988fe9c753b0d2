import type { IDataObject } from 'n8n-workflow';

import type { EnvelopeFacts, Provider } from './provider';

/** A verified delivery in one shape for all providers and envelopes. */
export interface ReceivedEvent {
	readonly name: string;
	/** False when the body names no event; such a delivery runs whatever is selected. */
	readonly named: boolean;
	/** The provider's idempotency key. */
	readonly deliveryId: string | undefined;
	/** ISO 8601, UTC; null when the body tells no time that can be read. */
	readonly occurredAt: string | null;
	readonly data: IDataObject;
	readonly bounceType: string | undefined;
	/** Where the body differs from its documented shape. */
	readonly warnings: readonly string[];
}

/** Name given to a delivery whose body names no event. */
const UNNAMED = 'unknown';
const MAX_WARNINGS = 20;

/** Parses the raw body. @returns undefined when it is no JSON object */
export function parseBody(rawBody: Buffer): IDataObject | undefined {
	try {
		const body: unknown = JSON.parse(rawBody.toString('utf8'));
		return isRecord(body) ? body : undefined;
	} catch {
		return undefined;
	}
}

/**
 * Reads a verified body by the provider's facts. Tolerant on purpose: the signature says that the
 * provider sent it, so what misses its documented shape is reported, not dropped.
 *
 * @returns undefined when the event header contradicts the body
 */
export function readEvent(
	provider: Provider,
	body: IDataObject,
	headers: Readonly<Record<string, unknown>>,
): ReceivedEvent | undefined {
	const { envelope } = provider;
	const header = (name: string) => textOf(headers[name]);
	const inBody = envelope.eventFields.map((field) => textOf(body[field])).find(isPresent);
	const inHeader = envelope.eventHeader === undefined ? undefined : header(envelope.eventHeader);
	if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader) return undefined;

	// The header is not signed, so it can contradict the body but never names the event.
	const data = objectOf(envelope.data === undefined ? body['data'] : envelope.data(body));
	return {
		name: inBody ?? UNNAMED,
		named: inBody !== undefined,
		deliveryId: envelope.idempotencyKey(body, header),
		occurredAt: readTime(envelope, body),
		data,
		bounceType: readBounceType(envelope, inBody, data),
		warnings: findDeviations(provider, inBody, body, data),
	};
}

function readTime({ timeFields }: EnvelopeFacts, body: IDataObject): string | null {
	for (const field of timeFields) {
		const value = body[field];
		if (typeof value !== 'string' && typeof value !== 'number') continue;
		const time = new Date(value);
		if (!Number.isNaN(time.getTime())) return time.toISOString();
	}
	return null;
}

function readBounceType(
	{ bounce }: EnvelopeFacts,
	name: string | undefined,
	data: IDataObject,
): string | undefined {
	if (bounce === undefined || name !== bounce.event) return undefined;
	return bounce.fields
		.map((field) => textOf(data[field]))
		.find(isPresent)
		?.toLowerCase();
}

function findDeviations(
	{ envelope, events }: Provider,
	name: string | undefined,
	body: IDataObject,
	data: IDataObject,
): string[] {
	const shape = envelope.shapes.find(({ mark }) => mark in body) ?? envelope.shapes[0];
	const fact = events.find((event) => event.name === name);
	const results = [
		{ at: '', result: shape.schema.safeParse(body) },
		{ at: 'data.', result: fact?.data?.[shape.id]?.safeParse(data) },
	];
	return results
		.flatMap(({ at, result }) =>
			result === undefined || result.success
				? []
				: result.error.issues.map(({ path, message }) => `${at}${path.join('.')}: ${message}`),
		)
		.slice(0, MAX_WARNINGS);
}

/** `data` is an object in every document; anything else is kept under `value`. */
function objectOf(value: IDataObject[string]): IDataObject {
	if (value === undefined || value === null) return {};
	return isRecord(value) ? value : { value };
}

function isRecord(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function isPresent<T>(value: T | undefined): value is T {
	return value !== undefined;
}
