import { composeDelivery } from './delivery';
import { providers } from './providers';
import type { BuildDeliveryInput } from './types';

export { catalogue } from './catalogue';
export { lastAnswer } from './lastAnswer';
export { startSandbox } from './sandbox';
export type * from './types';

/**
 * Signs without sending: the headers, lower-case as a Node server sees them, and the bytes. Throws for an
 * unknown scheme or envelope, and for a tamper that the scheme does not allow.
 */
export function buildDelivery({ provider, secret, ...input }: BuildDeliveryInput): {
	headers: Record<string, string>;
	body: Buffer;
} {
	const delivery = composeDelivery(providers[provider], input);
	const headers = delivery.headers({ secret, signedAtMs: Date.now() });
	return {
		headers: Object.fromEntries(
			Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
		),
		body: delivery.body,
	};
}
