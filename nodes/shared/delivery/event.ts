import { hash } from 'node:crypto';

import type { IDataObject } from 'n8n-workflow';

import { canonicalEvent, documentedEvent } from '../events';
import { isJsonObject } from '../jsonObject';
import type { EnvelopeFacts, Provider, ProviderFamily } from '../provider';
import { addressOf, bounceTypeOf, timeOf, type BounceType } from '../values';

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
	/** Undefined for other events, and for a bounce that does not state its type in known words. */
	readonly bounceType: BounceType | undefined;
	/** Where the body differs from its documented shape, was read as something else or could not be read. */
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
/** The most warnings that one event gets. */
export const MAX_WARNINGS = 20;
/** Hex digits of a digest that follows a prefix. */
const SHORT_DIGEST = 16;

/**
 * Reads a verified body by the provider's facts. Tolerant on purpose: the signature says that the provider sent it, so
 * what differs from its documented shape is reported, not dropped.
 */
export function readEvent(provider: Provider, body: IDataObject, headers: Headers): ReceivedEvent {
	const { envelope } = provider;
	const { found: name, warnings: ofName } = nameIn(provider, body);
	const data = dataIn(envelope, body);
	const time = timeIn(envelope, body);
	const recipient = recipientIn(envelope, data);
	const bounceType = bounceTypeIn(envelope, name, data);
	const deviations = findDeviations(provider, name, body, data);
	// A field that deviates from its documented shape is reported already.
	const places = deviations.map((warning) => warning.slice(0, warning.indexOf(' ')));
	const readings = [ofName, time.warnings, recipient.warnings, bounceType.warnings].flat();
	return {
		name: name ?? UNNAMED,
		named: name !== undefined,
		occurredAt: time.found === undefined ? null : new Date(time.found).toISOString(),
		recipient: recipient.found ?? null,
		data,
		bounceType: bounceType.found,
		warnings: [
			...differingHeaders(provider, name, headers).map(
				(header) => `header ${header}: does not match the event in the body`,
			),
			...deviations,
			...readings.filter((warning) => !places.some((place) => warning.startsWith(`${place} `))),
		].slice(0, MAX_WARNINGS),
	};
}

/**
 * Identifies an event: each delivery of it gets the same id, and other events get other ids. An id in the body that may
 * be a person's or a message's, which have many events, is used only together with a digest of the body. No header is
 * part of it: headers are not signed, and differ from delivery to delivery.
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
		mayRecur: timeIn(envelope, body).found === undefined,
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
	const { found: inBody } = nameIn(provider, body);
	return differingHeaders(provider, inBody, headers).includes(comparedEventHeader);
}

/** The other product of the family that a body says it is for. */
export function productNamedIn(
	{ envelope }: Provider,
	family: ProviderFamily,
	body: IDataObject,
): Provider | undefined {
	const named = textOf(body['product'])?.trim().toLowerCase();
	const isNamedBy = ({ productNames }: EnvelopeFacts) =>
		productNames?.some((name) => name === named) === true;
	return isNamedBy(envelope) ? undefined : family.find((other) => isNamedBy(other.envelope));
}

/** What was found in a body, and the warnings about the fields that were looked at. */
interface Reading<T> {
	readonly found: T | undefined;
	readonly warnings: readonly string[];
}

type Candidate = readonly [place: string, value: unknown];

/** Reads the first of several fields that can be read. @param failure the end of the warning for one that cannot */
function firstReadable<T>(
	candidates: readonly Candidate[],
	read: (value: unknown) => T | undefined,
	failure: string,
): Reading<T> & { readonly from?: Candidate } {
	const warnings: string[] = [];
	for (const from of candidates) {
		const [place, value] = from;
		const found = read(value);
		if (found !== undefined) return { found, warnings, from };
		if (!isEmpty(value)) warnings.push(`${place}: ${failure}`);
	}
	return { found: undefined, warnings };
}

/** The name of an event, as it is documented whatever its spelling; other names as they came. */
function nameIn(provider: Provider, body: IDataObject): Reading<string> {
	const { eventFields, canonicalEvent: alias } = provider.envelope;
	const field = eventFields.find((candidate) => textOf(body[candidate])?.trim());
	const written = field === undefined ? undefined : textOf(body[field]);
	if (written === undefined) return { found: undefined, warnings: [] };
	const known = (name: string) => alias?.(name) ?? name;
	const found = documentedEvent(provider, written) ?? known(written.trim());
	return { found, warnings: found === known(written) ? [] : [`${field}: read as ${found}`] };
}

/** The event headers that do not match the event in the body. A header never names the event itself. */
function differingHeaders(
	provider: Provider,
	inBody: string | undefined,
	headers: Headers,
): string[] {
	return provider.envelope.eventHeaders.filter((header) => {
		const inHeader = textOf(headers[header]);
		if (inBody === undefined || inHeader === undefined) return false;
		return canonicalEvent(provider, inHeader) !== canonicalEvent(provider, inBody);
	});
}

function dataIn(envelope: EnvelopeFacts, body: IDataObject): IDataObject {
	return objectOf(envelope.data === undefined ? body['data'] : envelope.data(body));
}

/** The one email address that an event's data is about. */
export function readRecipient(envelope: EnvelopeFacts, data: IDataObject): string | null {
	return recipientIn(envelope, data).found ?? null;
}

function recipientIn({ recipientFields = [] }: EnvelopeFacts, data: IDataObject): Reading<string> {
	const { found, warnings, from } = firstReadable(
		recipientFields.map((field) => [`data.${field}`, data[field]]),
		addressOf,
		'not one email address',
	);
	const [place, value] = from ?? [];
	const isWhole = found === (Array.isArray(value) ? value[0] : value);
	return {
		found,
		warnings: isWhole ? warnings : [...warnings, `${place}: read as the address alone`],
	};
}

/** Epoch milliseconds. */
function timeIn(envelope: EnvelopeFacts, body: IDataObject): Reading<number> {
	const { timeFields, dataTimeFields = [] } = envelope;
	const data = dataIn(envelope, body);
	const candidates: Candidate[] = [
		...timeFields.map((field): Candidate => [field, body[field]]),
		...dataTimeFields.map((field): Candidate => [`data.${field}`, data[field]]),
	];
	return firstReadable(candidates, timeOf, 'not a time that can be read');
}

/** Whether a bounce is hard or soft, where its data says so. */
export function readBounceType(
	envelope: EnvelopeFacts,
	name: string | undefined,
	data: IDataObject,
): BounceType | undefined {
	return bounceTypeIn(envelope, name, data).found;
}

function bounceTypeIn(
	{ bounce }: EnvelopeFacts,
	name: string | undefined,
	data: IDataObject,
): Reading<BounceType> {
	const fields = bounce === undefined || name !== bounce.event ? [] : bounce.fields;
	return firstReadable(
		fields.map((field) => [`data.${field}`, data[field]]),
		bounceTypeOf,
		'does not say whether it is hard or soft',
	);
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

/** Whether a field holds nothing that could be read. */
function isEmpty(value: unknown): boolean {
	if (value === undefined || value === null) return true;
	return Array.isArray(value)
		? value.length === 0
		: typeof value === 'string' && value.trim() === '';
}
