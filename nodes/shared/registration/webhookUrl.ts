import { isHttpUrl, parseUrl } from '../url';

/** Names that resolve only on this machine or its network; one without a dot is a machine or a container. */
const PRIVATE_NAME = /^[^.:[\]]+$|\.(?:localhost|local|internal|lan)$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;
const PRIVATE_IPV4 =
	/^(?:0|10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const PRIVATE_IPV6 = /^\[(?:::|::1|::ffff:.*|f[cd][0-9a-f]*:.*|fe[89ab][0-9a-f]*:.*)\]$/;

/**
 * Why providers would refuse a webhook URL; undefined when they would not.
 *
 * All providers want HTTPS and a public host (misar.blog and MisarReach say so explicitly). A
 * provider that is local itself, such as a self-hosted one or the sandbox, can reach local URLs.
 */
export function webhookUrlObjection(webhookUrl: string, baseUrl: string): string | undefined {
	const url = parseUrl(webhookUrl);
	if (url === undefined || !isHttpUrl(webhookUrl)) return `"${webhookUrl}" is not a web address`;
	const base = parseUrl(baseUrl);
	if (base !== undefined && isPrivateHost(base.hostname)) return undefined;
	if (isPrivateHost(url.hostname)) {
		return `${url.origin} can only be reached from this machine or its network`;
	}
	return url.protocol === 'https:' ? undefined : `${url.origin} does not use HTTPS`;
}

function isPrivateHost(hostname: string): boolean {
	const name = hostname.replace(/\.$/, '');
	if (IPV4.test(name)) return PRIVATE_IPV4.test(name);
	return PRIVATE_NAME.test(name) || PRIVATE_IPV6.test(name);
}
