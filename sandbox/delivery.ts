import { createHash } from 'node:crypto';
import type { Envelope, Provider, Scheme } from './provider';
import type { Behaviour, DeliveryInput, Tamper } from './types';

/** How far the clock is off in a `stale` or `future` delivery; every documented tolerance is 300 s. */
const CLOCK_OFFSET_SECONDS = 600;

/** An event as bytes, which can be signed for any receiver and any attempt. */
export interface ComposedDelivery {
	id: string;
	event: string;
	/** ISO 8601. */
	at: string;
	data: unknown;
	tamper?: Tamper;
	/** The bytes on the wire. */
	body: Buffer;
	/** Header names in the provider's spelling. */
	headers(recipient: Recipient): Record<string, string>;
}

export interface Recipient {
	/** Undefined if the provider has nothing to sign with. */
	secret: string | undefined;
	endpointId?: string;
	/** When this attempt is signed. */
	signedAtMs: number;
	behaviour?: Partial<Behaviour>;
}

/**
 * Serialises an event. Throws for an unknown scheme or envelope, and for a product or a tamper that these
 * do not allow.
 */
export function composeDelivery(
	provider: Provider,
	input: Omit<DeliveryInput, 'provider'>,
): ComposedDelivery {
	const { event, tamper } = input;
	const scheme = choose(provider.schemes, input.scheme, `${provider.id} signature scheme`);
	const envelope = choose(provider.envelopes, input.envelope, `${provider.id} envelope`);
	assertPossible(scheme, tamper);

	const occurredAtMs = input.timestampMs ?? Date.now();
	const id = input.id ?? provider.newEventId(event);
	const at = new Date(occurredAtMs).toISOString();
	const data = input.data ?? provider.sampleData({ event, envelope: envelope.id, id, at });
	const signedBody = encode(envelope, { ...input, id, occurredAtMs, data });

	return {
		id,
		event,
		at,
		data,
		...(tamper === undefined ? {} : { tamper }),
		body: tamper === 'body' ? changeOneByte(signedBody) : signedBody,
		headers: ({ secret, endpointId, signedAtMs, behaviour }) => {
			const timestampSeconds =
				Math.floor((input.timestampMs ?? signedAtMs) / 1000) + clockOffset(tamper);
			const extra = scheme.extraHeaders?.({
				id,
				deliveryId: deliveryId(event, id, occurredAtMs),
				event: tamper === 'swappedEvent' ? otherEvent(provider, event) : event,
				timestampSeconds,
				behaviour: behaviour ?? {},
				...(endpointId === undefined ? {} : { endpointId }),
			});
			const proof =
				secret === undefined || tamper === 'unsigned'
					? {}
					: scheme.sign({
							body: signedBody,
							secret: tamper === 'wrongSecret' ? `${secret}_of_somebody_else` : secret,
							timestampSeconds,
						});
			const headers = { 'Content-Type': 'application/json', ...extra, ...proof };
			return tamper === 'signature' ? breakSignature(headers, scheme.signatureHeader) : headers;
		},
	};
}

function choose<T extends { readonly id: string }>(
	list: readonly [T, ...T[]],
	id: string | undefined,
	what: string,
): T {
	if (id === undefined) return list[0];
	const found = list.find((entry) => entry.id === id);
	if (found) return found;
	throw new Error(`Unknown ${what} "${id}"; known: ${list.map((entry) => entry.id).join(', ')}`);
}

function assertPossible(scheme: Scheme, tamper: Tamper | undefined): void {
	if ((tamper === 'stale' || tamper === 'future') && !scheme.timestamped) {
		throw new Error(`Scheme "${scheme.id}" signs no timestamp, so a delivery cannot be ${tamper}`);
	}
	if (tamper === 'swappedEvent' && scheme.eventHeader === undefined) {
		throw new Error(`Scheme "${scheme.id}" has no event header to swap`);
	}
}

function encode(
	envelope: Envelope,
	input: Omit<DeliveryInput, 'provider'> & { id: string; occurredAtMs: number },
): Buffer {
	const { event, id, occurredAtMs, data, product, byteOrderMark = false } = input;
	const body = envelope.build({ id, event, occurredAtMs, data });
	if (product !== undefined && !('product' in body)) {
		throw new Error(`Envelope "${envelope.id}" has no product to replace`);
	}
	const text = JSON.stringify(product === undefined ? body : { ...body, product });
	return Buffer.from(byteOrderMark ? `\ufeff${text}` : text, 'utf8');
}

function clockOffset(tamper: Tamper | undefined): number {
	if (tamper === 'stale') return -CLOCK_OFFSET_SECONDS;
	return tamper === 'future' ? CLOCK_OFFSET_SECONDS : 0;
}

/** Equal for the same event at the same time, so that firing it again looks like a redelivery. */
function deliveryId(event: string, id: string, occurredAtMs: number): string {
	const digest = createHash('sha256').update(`${event}|${id}|${occurredAtMs}`).digest('hex');
	return `whd_${digest.slice(0, 24)}`;
}

function otherEvent(provider: Provider, event: string): string {
	return provider.events.find(({ name }) => name !== event)?.name ?? `${event}.other`;
}

/** Changes the last digit of a number or text, which keeps the JSON valid; every envelope has a digit. */
function changeOneByte(body: Buffer): Buffer {
	const text = body.toString('latin1');
	const position = text.search(/\d\D*$/);
	if (position === -1) throw new Error('The body holds no digit that could be changed');
	const changed = Buffer.from(body);
	changed[position] = 0x30 + ((Number(text[position]) + 1) % 10);
	return changed;
}

function breakSignature(headers: Record<string, string>, name: string): Record<string, string> {
	const value = headers[name];
	if (value === undefined) return headers;
	const last = value.endsWith('0') ? '1' : '0';
	return { ...headers, [name]: `${value.slice(0, -1)}${last}` };
}
