import { createServer, type Server, type ServerResponse } from 'node:http';

import { listen, originOf, stop } from '../../testkit/loopback';
import { until } from '../../testkit/n8n-host/poll';

/** A service that workflows call, which answers how and when a test says. Each path is separate. */
export class SlowServer {
	private readonly paths = new Map<string, { calls: number; statuses: readonly number[] }>();
	private readonly held = new Map<string, ServerResponse[]>();
	private readonly server: Server;

	private constructor() {
		this.server = createServer((request, response) => {
			const path = request.url ?? '';
			const { calls, statuses } = this.paths.get(path) ?? { calls: 0, statuses: [] };
			const [status = 200, ...next] = statuses;
			this.paths.set(path, { calls: calls + 1, statuses: next.length === 0 ? statuses : next });
			const held = this.held.get(path);
			if (held === undefined) end(response, status);
			else held.push(response);
		});
	}

	static async start(): Promise<SlowServer> {
		const slow = new SlowServer();
		await listen(slow.server);
		return slow;
	}

	url(path: string): string {
		return `${originOf(this.server)}${path}`;
	}

	/** Answers the next calls with these statuses, and all others with the last of them. */
	answer(path: string, ...statuses: readonly number[]): void {
		this.paths.set(path, { calls: this.calls(path), statuses });
	}

	/** Lets calls wait until `release`. */
	hold(path: string): void {
		this.held.set(path, []);
	}

	/** Answers the calls that wait, and others at once. */
	release(path: string): void {
		for (const response of this.held.get(path) ?? []) end(response, 200);
		this.held.delete(path);
	}

	calls(path: string): number {
		return this.paths.get(path)?.calls ?? 0;
	}

	/** Waits until so many calls of a path have come. */
	async called(path: string, calls: number): Promise<void> {
		await until(`${calls} calls of ${path}`, 60_000, () => this.calls(path) >= calls || undefined);
	}

	async close(): Promise<void> {
		await stop(this.server);
	}
}

function end(response: ServerResponse, status: number): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
}
