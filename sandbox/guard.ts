import type { Request, RequestHandler } from 'express';

/** The names of this machine in a Host header; a page of another site is sent with that site's name. */
const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Refuses a request for a host name other than this machine's: a foreign name may resolve to it (DNS rebinding). */
export const localNamesOnly: RequestHandler = (request, response, next) => {
	if (LOCAL_HOSTS.has(request.hostname)) next();
	else response.status(403).json({ error: 'only for this machine' });
};

/**
 * Refuses what a browser sends for a web page from elsewhere, which could change something here although
 * it cannot read the answer. Programs send neither header; a link that leads here may be followed.
 */
export const noForeignPages: RequestHandler = (request, response, next) => {
	if (isForeign(request) && !isNavigation(request)) {
		response.status(403).json({ error: 'not for web pages from elsewhere' });
	} else next();
};

function isForeign(request: Request): boolean {
	const origin = request.get('origin');
	const site = request.get('sec-fetch-site');
	if (origin === undefined && site === undefined) return false;
	if (!LOCAL_HOSTS.has(request.hostname)) return true;
	const ownOrigin = origin === undefined || origin === `http://${request.get('host') ?? ''}`;
	// Another port of this machine is the same site, but another program's page.
	const ownSite = site === undefined || site === 'same-origin' || site === 'none';
	return !ownOrigin || !ownSite;
}

function isNavigation(request: Request): boolean {
	return request.method === 'GET' && request.get('sec-fetch-dest') === 'document';
}
