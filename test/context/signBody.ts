import type { Scheme } from '../../sandbox/provider';
import { providers } from '../../sandbox/providers';
import type { ProviderId } from '../../sandbox/types';

/** Deliveries of bodies that the sandbox itself never sends. */

interface Content {
	readonly body: Buffer;
	/** Named in the headers, where they name it. */
	readonly event: string;
	readonly secret: string;
}

/** The headers of a delivery as the sandbox sends them, names in lower case. */
export function headersOf(
	scheme: Scheme,
	{ body, event, secret }: Content,
): Record<string, string> {
	const timestampSeconds = Math.floor(Date.now() / 1000);
	const facts = { id: 'evt_1', deliveryId: 'dlv_1', event, timestampSeconds, behaviour: {} };
	const headers = {
		...scheme.extraHeaders?.(facts),
		...scheme.sign({ body, secret, timestampSeconds }),
	};
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
	);
}

/** The headers of any bytes with a provider's own valid signature. */
export function signBody(
	{ provider, scheme: id }: { readonly provider: ProviderId; readonly scheme: string },
	content: Content,
): Record<string, string> {
	const scheme = providers[provider].schemes.find((candidate) => candidate.id === id);
	if (scheme === undefined) throw new Error(`the sandbox has no scheme ${id}`);
	return headersOf(scheme, content);
}
