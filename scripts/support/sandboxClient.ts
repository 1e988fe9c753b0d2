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

/** The control API of a running sandbox. */
export class SandboxClient {
	constructor(private readonly url: string) {}

	/** Where the control API has this path. */
	address(path: string): string {
		return `${this.url.replace(/\/+$/, '')}/_control${path}`;
	}

	/** @throws CommandFailure where nothing answers, or the sandbox refuses */
	async call<T>(method: string, path: string, body?: object): Promise<T> {
		const response = await this.request(method, path, body);
		const text = await response.text();
		if (!response.headers.get('content-type')?.startsWith('application/json')) {
			throw this.notTheSandbox();
		}
		if (response.ok) return JSON.parse(text);
		const { error, issues = [] }: Refusal = JSON.parse(text);
		const reasons = issues.map(({ field, message }) => `${field}: ${message}`);
		throw new CommandFailure([error ?? `status ${response.status}`, ...reasons].join('; '));
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
		} catch {
			throw new CommandFailure(
				`No sandbox answers at ${this.url}. Start one with "npm run sandbox", or name its address with --url.`,
			);
		}
	}
}
