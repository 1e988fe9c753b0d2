import type { Envelope, Scheme } from '../provider';
import { hmacHex, isoSeconds } from '../signing';

const PLATFORM = 'misar.io/docs/webhooks';

/** Headers of every delivery as the platform page shows them. */
export function platformHeaders(facts: { id: string; event: string }): Record<string, string> {
	return {
		'X-Misar-Event': facts.event,
		'X-Misar-Delivery': facts.id,
		'User-Agent': 'Misar-Webhook/1.0',
	};
}

/** `X-Misar-Signature: sha256=<hex>` over the body, for all Misar products. */
export const platformScheme: Scheme = {
	id: 'platform',
	source: PLATFORM,
	timestamped: false,
	signatureHeader: 'X-Misar-Signature',
	eventHeader: 'X-Misar-Event',
	extraHeaders: platformHeaders,
	sign: ({ body, secret }) => ({ 'X-Misar-Signature': `sha256=${hmacHex(secret, body)}` }),
};

/** The envelope "all Misar webhooks share". */
export function platformEnvelope(id: string, product: string): Envelope {
	return {
		id,
		source: PLATFORM,
		build: (facts) => ({
			id: facts.id,
			type: facts.event,
			product,
			timestamp: isoSeconds(facts.occurredAtMs),
			api_version: 'v1',
			data: facts.data,
		}),
	};
}

/** Names that the platform page lists for a product. */
export function platformEvents(...names: string[]) {
	return names.map((name) => ({ name, source: PLATFORM }));
}
