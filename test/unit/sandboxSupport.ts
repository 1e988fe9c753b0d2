import http from 'node:http';
import type { Sandbox } from '../../sandbox';
import { listen, stop } from '../../testkit/loopback';

/** A request that reached a receiver. */
export interface Received {
	headers: http.IncomingHttpHeaders;
	body: Buffer;
	path: string;
}

export interface Receiver {
	/** `http://127.0.0.1:<port>` */
	origin: string;
	received: Received[];
	/** Replaces how requests are answered. */
	answer: (request: Received, response: http.ServerResponse) => void;
	close(): Promise<void>;
}

/** A webhook receiver; answers 200 until told otherwise. */
export async function startReceiver(): Promise<Receiver> {
	const receiver: Receiver = {
		origin: '',
		received: [],
		answer: (_, response) => void response.end('ok'),
		close: async () => await stop(server),
	};
	const server = http.createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const seen = {
				headers: request.headers,
				body: Buffer.concat(chunks),
				path: request.url ?? '',
			};
			receiver.received.push(seen);
			receiver.answer(seen, response);
		});
	});
	receiver.origin = await listen(server);
	return receiver;
}

/** Answers with these statuses in turn, and then always with the last one. */
export function statuses(...codes: number[]): Receiver['answer'] {
	let next = 0;
	return (_, response) => {
		response.statusCode = codes[Math.min(next, codes.length - 1)] ?? 200;
		next += 1;
		response.end(`answer ${next}`);
	};
}

export interface ApiResult {
	status: number;
	headers: Headers;
	text: string;
	/** Undefined when the text is no JSON. */
	json: unknown;
}

export interface ApiCall {
	body?: unknown;
	headers?: Record<string, string>;
}

/** A request to the stand-in. */
export async function call(
	sandbox: Sandbox,
	method: string,
	path: string,
	{ body, headers = {} }: ApiCall = {},
): Promise<ApiResult> {
	const response = await fetch(`${sandbox.url}${path}`, {
		method,
		headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

export function bearer(key: string): Record<string, string> {
	return { authorization: `Bearer ${key}` };
}

/** A field of a JSON object; fails the test when there is none. */
export function field(value: unknown, name: string): unknown {
	if (typeof value !== 'object' || value === null || !(name in value)) {
		throw new Error(`no field ${name} in ${JSON.stringify(value)}`);
	}
	const fields: Record<string, unknown> = { ...value };
	return fields[name];
}

/** The text of a field. */
export function text(value: unknown, name: string): string {
	const found = field(value, name);
	if (typeof found !== 'string') throw new Error(`${name} is no text`);
	return found;
}
