import http from 'node:http';
import { once } from 'node:events';

/**
 * A reverse proxy in front of the webhook processors: takes them in turn, and passes over one that
 * refuses the connection. A request that was already sent is not sent again, because it may have
 * been accepted: its sender gets 502 and retries.
 */
export class Balancer {
	private turn = 0;

	private readonly counts = new Map<string, number>();

	private readonly server = http.createServer((incoming, answer) => {
		const chunks: Buffer[] = [];
		incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
		incoming.on('end', () => this.forward(incoming, Buffer.concat(chunks), answer));
	});

	constructor(private readonly targets: readonly string[]) {}

	/** @returns its origin */
	async start(): Promise<string> {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		const address = this.server.address();
		if (address === null || typeof address === 'string') throw new Error('No TCP port was given');
		return `http://127.0.0.1:${address.port}`;
	}

	/** How many answers came from each target, in their order. */
	answered(): number[] {
		return this.targets.map((target) => this.counts.get(target) ?? 0);
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		this.server.close();
		await once(this.server, 'close');
	}

	private forward(
		{ method, url, headers }: Pick<http.IncomingMessage, 'method' | 'url' | 'headers'>,
		body: Buffer,
		answer: http.ServerResponse,
		tries = this.targets.length,
	): void {
		const target = this.targets[this.turn++ % this.targets.length] ?? '';
		const outgoing = http.request(`${target}${url}`, { method, headers, agent: false });
		outgoing.on('response', (response) => {
			this.counts.set(target, (this.counts.get(target) ?? 0) + 1);
			answer.writeHead(response.statusCode ?? 502, response.headers);
			response.pipe(answer);
			response.on('error', () => answer.destroy());
		});
		outgoing.on('error', (error) => {
			const refused = 'code' in error && error.code === 'ECONNREFUSED';
			if (refused && tries > 1) this.forward({ method, url, headers }, body, answer, tries - 1);
			else if (!answer.headersSent) answer.writeHead(502).end();
		});
		outgoing.end(body);
	}
}
