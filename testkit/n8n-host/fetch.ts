/**
 * `fetch` with a connection of its own: n8n may close a kept one just as the next call is sent on it, which
 * then fails with "other side closed". One caller that keeps its connection leaves it to the next one.
 */
export async function fetchOnNewConnection(url: string, init: RequestInit = {}): Promise<Response> {
	const headers = new Headers(init.headers);
	headers.set('connection', 'close');
	return await fetch(url, { ...init, headers });
}
