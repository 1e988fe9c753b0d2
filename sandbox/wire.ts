import type { RequestHandler, Response } from 'express';
import type { ApiExchange } from './exchange';
import { sentBody, type Outcome } from './faults';
import type { ApiRequest } from './provider';
import type { ApiCall } from './types';

const JSON_TYPE = /^application\/json(?:\s*;|$)/i;

/** Passes management requests to the exchange and sends its outcome. */
export function managementHandler(exchange: ApiExchange): RequestHandler {
	return async (request, response) => {
		// `express.raw` leaves no Buffer where there is no body.
		const body: unknown = request.body;
		const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
		const headers = Object.fromEntries(
			Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
		);
		const call = { method: request.method, path: request.originalUrl, headers, text };
		send(response, await exchange.handle(toApiRequest(call)));
	};
}

/** A call as the provider reads it. */
export function toApiRequest({ method, path, headers, text }: ApiCall): ApiRequest {
	const url = new URL(path, 'http://localhost');
	const { value, malformed } = parseJson(text, JSON_TYPE.test(headers['content-type'] ?? ''));
	return {
		method,
		path: url.pathname,
		query: url.searchParams,
		headers,
		body: value,
		malformed,
	};
}

function parseJson(text: string, declared: boolean): { value: unknown; malformed: boolean } {
	if (text === '') return { value: undefined, malformed: false };
	if (!declared) return { value: undefined, malformed: true };
	try {
		const value: unknown = JSON.parse(text);
		return { value, malformed: false };
	} catch {
		return { value: undefined, malformed: true };
	}
}

function send(response: Response, outcome: Outcome): void {
	const { answer, mode } = outcome;
	if (mode === 'hang') return;
	if (mode === 'drop') {
		response.socket?.destroy();
		return;
	}
	response.writeHead(answer.status, {
		...answer.headers,
		...(answer.text === undefined ? {} : { 'content-length': Buffer.byteLength(answer.text) }),
	});
	const body = sentBody(outcome);
	if (mode === 'whole' || body === undefined) response.end(body);
	else response.write(body, () => response.socket?.destroy());
}
