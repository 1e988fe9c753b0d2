import type { IDataObject } from 'n8n-workflow';

import type { Provider } from '../provider';
import { deliveryItem } from './accept';
import { identifyEvent, readEvent } from './event';

/**
 * A sample of an event as a trigger outputs it: the provider's sample of a body, read like a delivery.
 * @param simplify leaves out headers, verification and the body as it came
 */
export function sampleItem(provider: Provider, event: string, simplify: boolean): IDataObject {
	const { body } = provider.sample(event);
	const rawBody = Buffer.from(JSON.stringify(body));
	const headers = {
		'content-type': 'application/json',
		'content-length': String(rawBody.length),
		...Object.fromEntries(provider.envelope.eventHeaders.map((header) => [header, event])),
	};
	const read = readEvent(provider, body, headers);
	const delivery = {
		body,
		event: { ...read, isUnknown: false },
		identity: identifyEvent(provider, body, rawBody),
	};
	const [scheme] = provider.schemes;
	const isTimed = scheme?.kind === 'hmac' && scheme.signed === 'timestamp.body';
	const verdict = {
		valid: true as const,
		scheme: scheme?.id ?? '',
		...(isTimed && read.occurredAt !== null ? { signedAt: Date.parse(read.occurredAt) } : {}),
	};
	return deliveryItem(provider, simplify, delivery, verdict, headers);
}
