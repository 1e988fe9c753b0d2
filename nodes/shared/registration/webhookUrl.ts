import { isHttpUrl, parseUrl } from '../url';
import { isPrivateHost } from './specialAddresses';

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
