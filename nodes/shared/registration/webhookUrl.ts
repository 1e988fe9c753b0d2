import { addressForMessage, isHttpUrl, parseUrl } from '../url';
import { isPrivateHost } from './specialAddresses';

/**
 * Why providers would refuse a webhook URL; undefined when they would not.
 *
 * All providers want HTTPS and a public host (misar.blog and MisarReach say so explicitly). A provider that is local
 * itself, such as a self-hosted one or the sandbox, can reach local URLs. A URL with a name or a password is refused:
 * static data, which holds the URL, is shown to all who may read the workflow, and `fetch` refuses such a URL.
 */
export function webhookUrlObjection(webhookUrl: string, baseUrl: string): string | undefined {
	const url = parseUrl(webhookUrl);
	if (url === undefined || !isHttpUrl(webhookUrl)) {
		return `"${addressForMessage(webhookUrl)}" is not a web address`;
	}
	if (url.username !== '' || url.password !== '') {
		return `it holds a name or a password for ${url.host}, which all who may read the workflow would see`;
	}
	const base = parseUrl(baseUrl);
	if (base !== undefined && isPrivateHost(base.hostname)) return undefined;
	if (isPrivateHost(url.hostname)) {
		return `${url.origin} can only be reached from this machine or its network`;
	}
	return url.protocol === 'https:' ? undefined : `${url.origin} does not use HTTPS`;
}
