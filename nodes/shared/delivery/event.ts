import { hash } from 'node:crypto';

import type { IDataObject } from 'n8n-workflow';

import { canonicalEvent } from '../events';
import { isJsonObject } from '../jsonObject';
import type { EnvelopeFacts, Provider, ProviderFamily } from '../provider';

/** A verified delivery in one shape for all providers and envelopes. */
export interface ReceivedEvent {
	readonly name: string;
	/** False when the body names no event; such a delivery runs whatever is selected. */
	readonly named: boolean;
	/** ISO 8601, UTC; null when the body has no readable time. */
	readonly occurredAt: string | null;
	/** The email address that the event is about; null when it is about none or several. */
	readonly recipient: string | null;
	readonly data: IDataObject;
	/** Undefined when a bounce does not say it in these words, and for every other event. */
	readonly bounceType: 'hard' | 'soft' | undefined;
	/** Where the body differs from its documented shape. */
	readonly warnings: readonly string[];
}

type Headers = Readonly<Record<string, unknown>>;

/** What distinguishes an event from all others. */
export interface EventIdentity {
	/** The same for every delivery of one event. */
	readonly deliveryId: string;
	/** The body does not say when the event happened, so an identical one may follow later. */
	readonly mayRecur: boolean;
}

/** Name given to a delivery whose body names no event. */
const UNNAMED = 'unknown';
const MAX_WARNINGS = 20;
/** Hex digits of a digest that follows a prefix. */
const SHORT_DIGEST = 16;
/** `Date` alone would make a time of almost any text with a number in it. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Parses the raw body. @returns undefined when it is no JSON object */
export function parseBody(rawBody: Buffer): IDataObject | undefined {
	try {
		// A decoder, because it leaves out a byte order mark.
		const body: unknown = JSON.parse(new TextDecoder().decode(rawBody));
		return isJsonObject(body) ? body : undefined;
	} catch {
		return undefined;
	}
}

/**
 * Reads a verified body by the provider's facts. Tolerant on purpose: the signature says that the
 * provider sent it, so what misses its documented shape is reported, not dropped.
 */
export function readEvent(provider: Provider, body: IDataObject, headers: Headers): ReceivedEvent {
	const { envelope } = provider;
	const name = nameIn(provider, body);
	const data = dataIn(envelope, body);
	return {
		name: name ?? UNNAMED,
		named: name !== undefined,
		occurredAt: readTime(envelope, body),
		recipient: readRecipient(envelope, data),
		data,
		bounceType: readBounceType(envelope, name, data),
		warnings: [
			...differingHeaders(provider, body, headers).map(
				(header) => `header ${header}: names another event than the body`,
			),
			...findDeviations(provider, name, body, data),
		].slice(0, MAX_WARNINGS),
	};
}

/**
 * What distinguishes this event from others, but not from a second delivery of it. An id that may be a
 * person's or a message's, which have many events, does so only with a digest of the body. No header
 * is part of it: headers are not signed, and differ from delivery to delivery.
 */
export function identifyEvent(
	{ envelope }: Provider,
	body: IDataObject,
	rawBody: Buffer,
): EventIdentity {
	const key = envelope.idempotencyKey(body);
	if (key !== undefined) return { deliveryId: key, mayRecur: false };
	const prefix = envelope.keyPrefix?.(body);
	const digest = hash('sha256', rawBody);
	return {
		deliveryId: prefix === undefined ? digest : `${prefix}:${digest.slice(0, SHORT_DIGEST)}`,
		mayRecur: readTime(envelope, body) === null,
	};
}

/** Whether a verified delivery lacks an event header that has to be compared, or contradicts it. */
export function contradictsHeader(
	provider: Provider,
	body: IDataObject,
	headers: Headers,
): boolean {
	const { comparedEventHeader, eventHeaders } = provider.envelope;
	if (comparedEventHeader === undefined) return false;
	if (!eventHeaders.some((header) => textOf(headers[header]) !== undefined)) return true;
	return differingHeaders(provider, body, headers).includes(comparedEventHeader);
}

/** Whether a body says that it is for another product of the family. */
export function namesAnotherProduct(
	{ envelope }: Provider,
	family: ProviderFamily,
	body: IDataObject,
): boolean {
	const named = textOf(body['product']);
	const isNamedBy = ({ productNames }: EnvelopeFacts) =>
		productNames?.some((name) => name === named) === true;
	return !isNamedBy(envelope) && family.some((other) => isNamedBy(other.envelope));
}

function nameIn(provider: Provider, body: IDataObject): string | undefined {
	const name = provider.envelope.eventFields.map((field) => textOf(body[field])).find(isPresent);
	return name === undefined ? undefined : canonicalEvent(provider, name);
}

/** The event headers that name another event than the body. A header never names the event itself. */
function differingHeaders(provider: Provider, body: IDataObject, headers: Headers): string[] {
	const inBody = nameIn(provider, body);
	return provider.envelope.eventHeaders.filter((header) => {
		const inHeader = textOf(headers[header]);
		if (inBody === undefined || inHeader === undefined) return false;
		return canonicalEvent(provider, inHeader) !== inBody;
	});
}

function dataIn(envelope: EnvelopeFacts, body: IDataObject): IDataObject {
	return objectOf(envelope.data === undefined ? body['data'] : envelope.data(body));
}

/** The one email address that an event's data is about. */
export function readRecipient(
	{ recipientFields = [] }: EnvelopeFacts,
	data: IDataObject,
): string | null {
	const value = recipientFields.map((field) => data[field]).find((found) => found !== undefined);
	const [address, ...others] = Array.isArray(value) ? value : [value];
	const isAddress = typeof address === 'string' && address.includes('@') && others.length === 0;
	return isAddress ? address : null;
}

function readTime(envelope: EnvelopeFacts, body: IDataObject): string | null {
	const { timeFields, dataTimeFields = [] } = envelope;
	const data = dataIn(envelope, body);
	const values = [
		...timeFields.map((field) => body[field]),
		...dataTimeFields.map((field) => data[field]),
	];
	for (const value of values) {
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

/** Whether a bounce is hard or soft, where its data says so. */
export function readBounceType(
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
	return results.flatMap(({ at, result }) =>
		result === undefined || result.success
			? []
			: result.error.issues.map(({ path, message }) => `${at}${path.join('.')}: ${message}`),
	);
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
