import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Names that never leave the machine or its network; one without a dot never does. */
const LOCAL_NAME =
	/^[^.]+$|\.(localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/** Whether a URL's host is private, judged by name or literal address; no name is looked up. */
export function isPrivateHost(hostname: string): boolean {
	const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
	if (!ipaddr.isValid(host)) return LOCAL_NAME.test(host);
	const address = ipaddr.parse(host);
	if (address.range() !== 'unicast') return true;
	// The library counts what is reserved for later as unicast; global addresses are in 2000::/3.
	return address instanceof ipaddr.IPv6 && ((address.parts[0] ?? 0) & 0xe000) !== 0x2000;
}

function parseUrl(text: string): URL | undefined {
	try {
		return new URL(text);
	} catch {
		return undefined;
	}
}

/**
 * What a provider accepts as a webhook URL: https and publicly reachable (MisarReach README,
 * misar.blog webhook page, metigan webhook guide, mailpanda.io/docs/webhooks).
 */
export function webhookUrlSchema(allowHttp: boolean) {
	return z
		.string()
		.max(2048, 'must not be longer than 2048 characters')
		.superRefine((text, context) => {
			const refuse = (message: string) =>
				context.addIssue({ code: z.ZodIssueCode.custom, message });
			const url = parseUrl(text);
			if (!url || !/^https?:$/.test(url.protocol)) return refuse('must be a valid URL');
			if (allowHttp) return;
			if (url.protocol !== 'https:') return refuse('must be an https URL');
			if (isPrivateHost(url.hostname)) refuse('must be publicly reachable, not a private address');
		});
}
