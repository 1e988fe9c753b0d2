import { z } from 'zod';

/** Where the sandbox listens unless it is told otherwise. */
export const SANDBOX_PORT = 8787;

/** A reason for a person to read; the command ends with code 1. */
export class CommandFailure extends Error {
	override readonly name = 'CommandFailure';
}

interface Refusal {
	error?: string;
	issues?: Array<{ field: string; message: string }>;
}

/** What `fetch` rejects with where no connection was made. */
const NOT_CONNECTED = [
	'ECONNREFUSED',
	'ENOTFOUND',
	'EAI_AGAIN',
	'EHOSTUNREACH',
	'ENETUNREACH',
	'UND_ERR_CONNECT_TIMEOUT',
];

/** What `fetch` rejects with. */
const thrown = z
	.object({
		message: z.string(),
		cause: z.object({ code: z.string(), message: z.string() }).partial(),
	})
	.partial();

/** The control API of a running sandbox. */
export class SandboxClient {
	constructor(private readonly url: string) {}

	/** The address of a path of the control API. */
	address(path: string): string {
		return `${this.url.replace(/\/+$/, '')}/_control${path}`;
	}

	/** @throws CommandFailure where nothing answers, or the sandbox refuses */
	async call<T>(method: string, path: string, body?: object): Promise<T> {
		const response = await this.request(method, path, body);
		const text = await response.text().catch((error: unknown) => this.fail(error));
		if (!isOfType(response, 'application/json')) throw this.notTheSandbox();
		if (response.ok) return JSON.parse(text);
		throw refused(response.status, text);
	}

	/**
	 * A call that is answered line by line, as things happen. The connection ends with the loop.
	 *
	 * @throws CommandFailure as `call` does, and where the sandbox ends on the way
	 */
	async *lines<T>(method: string, path: string, body: object): AsyncGenerator<T> {
		const response = await this.request(method, path, body);
		if (response.body === null || !isOfType(response, 'application/x-ndjson')) {
			const text = await response.text().catch((error: unknown) => this.fail(error));
			if (!isOfType(response, 'application/json')) throw this.notTheSandbox();
			throw refused(response.status, text);
		}
		let rest = '';
		try {
			for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
				const lines = `${rest}${chunk}`.split('\n');
				rest = lines.pop() ?? '';
				for (const line of lines) if (line !== '') yield JSON.parse(line);
			}
		} catch (error) {
			this.fail(error);
		}
	}

	notTheSandbox(): CommandFailure {
		return new CommandFailure(`What answers at ${this.url} is not the sandbox.`);
	}

	private async request(method: string, path: string, body?: object): Promise<Response> {
		try {
			return await fetch(this.address(path), {
				method,
				...(body === undefined
					? {}
					: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
			});
		} catch (error) {
			this.fail(error);
		}
	}

	/** Says whether there is no sandbox, or one that has not answered. */
	private fail(error: unknown): never {
		const { message = String(error), cause } = thrown.parse(error);
		const { code = '', message: reason = message } = cause ?? {};
		throw new CommandFailure(
			NOT_CONNECTED.includes(code)
				? `No sandbox answers at ${this.url}. Start one with "npm run sandbox", or name its address with --url.`
				: `The sandbox at ${this.url} took the request, but did not answer it to the end: ${reason}.`,
		);
	}
}

function isOfType({ headers }: Response, type: string): boolean {
	return headers.get('content-type')?.startsWith(type) ?? false;
}

function refused(status: number, text: string): CommandFailure {
	const { error, issues = [] }: Refusal = JSON.parse(text);
	const reasons = issues.map(({ field, message }) => `${field}: ${message}`);
	return new CommandFailure([error ?? `status ${status}`, ...reasons].join('; '));
}
