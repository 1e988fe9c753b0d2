import { randomUUID } from 'node:crypto';
import { z } from 'zod';

import { fetchOnNewConnection } from './fetch';

/** Why n8n refused a call: `message` is n8n's own text. */
export class HostError extends Error {
	override readonly name = 'HostError';

	constructor(
		message: string,
		/** The HTTP status, or 0 when n8n was not reached or did not end in time. */
		readonly status: number,
		/** n8n's hint or description, where it gives one. */
		readonly hint?: string,
		/** The whole error answer as parsed, for assertions on details. */
		readonly body?: unknown,
	) {
		super(message);
	}
}

const errorAnswer = z.object({
	message: z.string(),
	hint: z.string().nullish(),
	description: z.string().nullish(),
	meta: z.object({ description: z.string().nullish() }).passthrough().nullish(),
});

const dataAnswer = z.object({ data: z.unknown() });

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * A browser-like client of n8n's internal REST API: keeps the sign-in cookie and sends the same
 * `browser-id` with every call, because n8n ties the session to it.
 */
export class RestClient {
	private readonly browserId = randomUUID();

	private readonly cookies = new Map<string, string>();

	/** @param base - e.g. `http://127.0.0.1:5678` */
	constructor(private readonly base: string) {}

	/**
	 * Calls `/rest<path>` and reads the `data` of the answer with a schema.
	 *
	 * @throws HostError when n8n answers anything but 2xx
	 */
	async call<S extends z.ZodTypeAny>(
		schema: S,
		method: Method,
		path: string,
		body?: object,
	): Promise<z.output<S>> {
		const response = await fetchOnNewConnection(`${this.base}/rest${path}`, {
			method,
			headers: {
				'browser-id': this.browserId,
				...(this.cookies.size > 0 && { cookie: this.cookieHeader() }),
				...(body && { 'content-type': 'application/json' }),
			},
			...(body && { body: JSON.stringify(body) }),
		});
		this.keepCookies(response.headers.getSetCookie());
		const text = await response.text();
		if (!response.ok) throw refusal(method, path, response.status, text);
		const parsed = schema.safeParse(dataAnswer.parse(parseJson(text)).data);
		if (parsed.success) return parsed.data;
		throw new HostError(
			`n8n's answer to ${method} ${path} has another shape: ${parsed.error.message}`,
			response.status,
		);
	}

	private cookieHeader(): string {
		return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
	}

	private keepCookies(lines: string[]): void {
		for (const line of lines) {
			const [pair = ''] = line.split(';');
			const at = pair.indexOf('=');
			if (at > 0) this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
		}
	}
}

function refusal(method: Method, path: string, status: number, text: string): HostError {
	const body = parseJson(text);
	const parsed = errorAnswer.safeParse(body);
	if (!parsed.success) {
		return new HostError(
			`${method} ${path} was answered ${status}: ${text}`,
			status,
			undefined,
			body,
		);
	}
	const { message, hint, description, meta } = parsed.data;
	const more = description ?? meta?.description ?? hint ?? undefined;
	return new HostError(message, status, more, body);
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
