import { fetchOnNewConnection } from './fetch';

/**
 * What n8n answers to every request, with status 200, while it migrates its database (`abstract-server.js`). It has
 * stored nothing then.
 */
export const START_PAGE = 'n8n is starting up. Please wait';

/**
 * Whether an n8n takes requests: it answers 200 to everybody before that.
 *
 * @param url - its origin
 */
export async function isReady(url: string): Promise<boolean> {
	try {
		return (await fetchOnNewConnection(`${url}/healthz/readiness`)).ok;
	} catch {
		return false;
	}
}
