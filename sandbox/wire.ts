import type { Request, RequestHandler, Response } from 'express';
import type { Exchange } from './exchange';
import { sentBody, type Outcome } from './faults';
import type { ApiRequest } from './provider';

/** Hands management requests to the exchange and puts its outcome on the wire. */
export function managementHandler(exchange: Exchange): RequestHandler {
	return async (request, response) => {
		send(response, await exchange.handle(toApiRequest(request)));
	};
}

/** Expects the body as a Buffer (`express.raw`). */
function toApiRequest(request: Request): ApiRequest {
	const url = new URL(request.originalUrl, 'http://localhost');
	const raw: unknown = request.body;
	const text = Buffer.isBuffer(raw) ? raw.toString('utf8') : '';
	const { value, malformed } = parseJson(text, request.is('application/json') !== false);
	return {
		method: request.method,
		path: url.pathname,
		query: url.searchParams,
		headers: request.headers,
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
	const { answer, manner } = outcome;
	if (manner === 'hang') return;
	if (manner === 'drop') {
		response.socket?.destroy();
		return;
	}
	response.writeHead(answer.status, {
		...answer.headers,
		...(answer.text === undefined ? {} : { 'content-length': Buffer.byteLength(answer.text) }),
	});
	const body = sentBody(outcome);
	if (manner === 'whole' || body === undefined) response.end(body);
	else response.write(body, () => response.socket?.destroy());
}
