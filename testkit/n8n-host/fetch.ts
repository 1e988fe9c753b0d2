/**
 * `fetch` with its own connection: n8n may close a kept one just as the next call is sent on it, which
 * then fails with "other side closed". If one caller keeps its connection, the next one may get it.
 */
export async function fetchOnNewConnection(url: string, init: RequestInit = {}): Promise<Response> {
	const headers = new Headers(init.headers);
	headers.set('connection', 'close');
	return await fetch(url, { ...init, headers });
}
