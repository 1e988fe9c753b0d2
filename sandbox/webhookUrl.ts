import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** Ranges no provider delivers to: private, loopback, link-local (cloud metadata), reserved. */
const blocked = new BlockList();
for (const [network, prefix] of [
	['0.0.0.0', 8],
	['10.0.0.0', 8],
	['100.64.0.0', 10],
	['127.0.0.0', 8],
	['169.254.0.0', 16],
	['172.16.0.0', 12],
	['192.0.0.0', 24],
	['192.168.0.0', 16],
	['198.18.0.0', 15],
	['224.0.0.0', 3],
] as const) {
	blocked.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
	['::', 127],
	['fc00::', 7],
	['fe80::', 10],
	['ff00::', 8],
] as const) {
	blocked.addSubnet(network, prefix, 'ipv6');
}

/** Names that never leave the machine or its network. */
const LOCAL_NAME = /(^|\.)(localhost|local|internal)$/;

/** Whether a URL's host is private, judged by name or literal address; no name is looked up. */
export function isPrivateHost(hostname: string): boolean {
	const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
	const family = isIP(host);
	if (family === 4) return blocked.check(host, 'ipv4');
	if (family === 6) return blocked.check(host, 'ipv6');
	return LOCAL_NAME.test(host);
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
			const url = URL.canParse(text) ? new URL(text) : undefined;
			if (!url || !/^https?:$/.test(url.protocol)) return refuse('must be a valid URL');
			if (allowHttp) return;
			if (url.protocol !== 'https:') return refuse('must be an https URL');
			if (isPrivateHost(url.hostname)) refuse('must be publicly reachable, not a private address');
		});
}
