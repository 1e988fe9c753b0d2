import http from 'node:http';
import https from 'node:https';
import { LONGEST_LOGGED_BODY } from './answers';

export interface PostRequest {
	url: URL;
	headers: Readonly<Record<string, string>>;
	body: Buffer;
	/** Ends the exchange; its reason becomes the error. */
	signal: AbortSignal;
}

export interface PostResult {
	status: number;
	/** As text, cut off at 10,000 characters. */
	body: string;
}

/**
 * One POST on a connection of its own, so that nothing is left open. Redirects are not followed: to a
 * provider anything but 2xx is a failure.
 */
export async function post({ url, headers, body, signal }: PostRequest): Promise<PostResult> {
	const { request } = url.protocol === 'https:' ? https : http;
	return await new Promise((resolve, reject) => {
		const outgoing = request(
			url,
			{
				method: 'POST',
				headers: { ...headers, 'Content-Length': String(body.length) },
				agent: false,
				signal,
			},
			(response) => {
				let text = '';
				response.setEncoding('utf8');
				response.on('data', (chunk: string) => {
					if (text.length < LONGEST_LOGGED_BODY) {
						text = (text + chunk).slice(0, LONGEST_LOGGED_BODY);
					}
				});
				response.on('error', fail);
				response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
			},
		);
		function fail(error: Error): void {
			reject(signal.reason instanceof Error ? signal.reason : error);
		}
		outgoing.on('error', fail);
		outgoing.end(body);
	});
}
