import http from 'node:http';
import { listen, stop } from '../loopback';
import { isReady } from '../n8n-host/startPage';

/**
 * A reverse proxy in front of the webhook processors: uses them in turn, and skips one that
 * is not ready, whose 200 would not mean that it has accepted anything. A request that was already
 * sent is not sent again, because it may have been accepted: its sender gets 502 and retries.
 */
export class Balancer {
	private turn = 0;

	private readonly counts = new Map<string, number>();

	private readonly server = http.createServer((incoming, answer) => {
		const chunks: Buffer[] = [];
		incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
		incoming.on('end', () => void this.forward(incoming, Buffer.concat(chunks), answer));
	});

	constructor(private readonly targets: readonly string[]) {}

	/** @returns its origin */
	async start(): Promise<string> {
		return await listen(this.server);
	}

	/** How many answers came from each target, in their order. */
	answered(): number[] {
		return this.targets.map((target) => this.counts.get(target) ?? 0);
	}

	async stop(): Promise<void> {
		await stop(this.server);
	}

	private async forward(
		{ method, url, headers }: Pick<http.IncomingMessage, 'method' | 'url' | 'headers'>,
		body: Buffer,
		answer: http.ServerResponse,
	): Promise<void> {
		const target = await this.nextReady();
		if (target === undefined) {
			answer.writeHead(503).end();
			return;
		}
		const outgoing = http.request(`${target}${url}`, { method, headers, agent: false });
		outgoing.on('response', (response) => {
			this.counts.set(target, (this.counts.get(target) ?? 0) + 1);
			answer.writeHead(response.statusCode ?? 502, response.headers);
			response.pipe(answer);
			response.on('error', () => answer.destroy());
		});
		outgoing.on('error', () => {
			if (!answer.headersSent) answer.writeHead(502).end();
		});
		outgoing.end(body);
	}

	private async nextReady(): Promise<string | undefined> {
		for (let tries = this.targets.length; tries > 0; tries -= 1) {
			const target = this.targets[this.turn++ % this.targets.length] ?? '';
			if (await isReady(target)) return target;
		}
		return undefined;
	}
}
