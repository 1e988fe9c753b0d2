import type { IDataObject } from 'n8n-workflow';

import { isJsonObject } from './jsonObject';
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
	/** Undefined when a bounce does not say it in these words, and for every other event. */
	readonly bounceType: 'hard' | 'soft' | undefined;
	/** Where the body differs from its documented shape. */
	readonly warnings: readonly string[];
}

/** Name given to a delivery whose body names no event. */
const UNNAMED = 'unknown';
const MAX_WARNINGS = 20;
/** `Date` alone would make a time of almost any text with a number in it. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Parses the raw body. @returns undefined when it is no JSON object */
export function parseBody(rawBody: Buffer): IDataObject | undefined {
	try {
		const body: unknown = JSON.parse(rawBody.toString('utf8'));
		return isJsonObject(body) ? body : undefined;
	} catch {
		return undefined;
	}
}

/**
 * Reads a verified body by the provider's facts. Tolerant on purpose: the signature says that the
 * provider sent it, so what misses its documented shape is reported, not dropped.
 *
 * @returns undefined when the event header contradicts the body, or is missing where it must not
 */
export function readEvent(
	provider: Provider,
	body: IDataObject,
	headers: Readonly<Record<string, unknown>>,
): ReceivedEvent | undefined {
	const { envelope } = provider;
	const canonical = (name: string) => canonicalEvent(provider, name);
	const header = (name: string) => textOf(headers[name]);
	const named = envelope.eventFields.map((field) => textOf(body[field])).find(isPresent);
	const inBody = named === undefined ? undefined : canonical(named);
	const inHeaders = envelope.eventHeaders.map(header).filter(isPresent).map(canonical);
	if (envelope.eventHeaderRequired === true && inHeaders.length === 0) return undefined;
	if (inBody !== undefined && inHeaders.some((name) => name !== inBody)) return undefined;

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

/** One name for an event that a provider has several names for. */
export function canonicalEvent({ envelope }: Provider, name: string): string {
	return envelope.canonicalEvent?.(name) ?? name;
}

/** Whether two lists name the same events, in whatever order and spelling. */
export function sameEvents(
	provider: Provider,
	left: readonly string[],
	right: readonly string[],
): boolean {
	const canonical = (names: readonly string[]) =>
		new Set(names.map((name) => canonicalEvent(provider, name)));
	const [a, b] = [canonical(left), canonical(right)];
	return a.size === b.size && [...a].every((name) => b.has(name));
}

function readTime({ timeFields }: EnvelopeFacts, body: IDataObject): string | null {
	for (const field of timeFields) {
		const value = body[field];
		const time = typeof value === 'number' ? new Date(value) : parseTime(textOf(value) ?? '');
		if (!Number.isNaN(time.getTime())) return time.toISOString();
	}
	return null;
}

function parseTime(text: string): Date {
	const match = ISO_TIME.exec(text);
	if (match === null) return new Date(Number.NaN);
	// A time without a zone is UTC, as the documents' times are; not the zone of this machine.
	return new Date(text.includes('T') && match[1] === undefined ? `${text}Z` : text);
}

function readBounceType(
	{ bounce }: EnvelopeFacts,
	name: string | undefined,
	data: IDataObject,
): ReceivedEvent['bounceType'] {
	if (bounce === undefined || name !== bounce.event) return undefined;
	const types = bounce.fields.map((field) => textOf(data[field])?.toLowerCase());
	const type = types.find(isPresent);
	return type === 'hard' || type === 'soft' ? type : undefined;
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
	return isJsonObject(value) ? value : { value };
}

function textOf(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function isPresent<T>(value: T | undefined): value is T {
	return value !== undefined;
}
