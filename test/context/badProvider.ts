import { once } from 'node:events';
import {
	createServer,
	request as httpRequest,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';

import { listen, originOf, stop } from '../../testkit/loopback';

/** What an answer does instead of arriving. */
export const MANNERS = ['hangs', 'drips its head', 'drips its body', 'floods'] as const;
export type Manner = (typeof MANNERS)[number];

const DRIP_EVERY_MS = 1_000;
const FLOOD = Buffer.alloc(64 * 1024, ' ');

/** A provider whose requests take effect at the sandbox, and whose answers misbehave when told to. */
export class BadProvider {
	/** Requests since the last change of behaviour. */
	calls = 0;
	/** Bytes of floods that the other side has taken from this process. */
	flooded = 0;

	private manner: Manner | undefined;
	private first = 1;
	private readonly unanswered = new Set<ServerResponse>();
	private readonly server: Server;

	private constructor(private readonly upstream: string) {
		this.server = createServer((request, response) => {
			void this.answer(request, response).catch(() => response.destroy());
		});
	}

	/** @param upstream origin of the sandbox */
	static async start(upstream: string): Promise<BadProvider> {
		const provider = new BadProvider(upstream);
		await listen(provider.server);
		return provider;
	}

	get url(): string {
		return originOf(this.server);
	}

	/** @param first the first request, from 1, whose answer and those of all after it misbehave */
	misbehave(manner: Manner | undefined, first = 1): void {
		this.calls = 0;
		this.manner = manner;
		this.first = first;
	}

	/** Answers that misbehave and that the other side still waits for. */
	get open(): number {
		return this.unanswered.size;
	}

	async close(): Promise<void> {
		await stop(this.server);
	}

	private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		this.calls += 1;
		const manner = this.calls >= this.first ? this.manner : undefined;
		const { method, url, headers } = request;
		const target = `${this.upstream}${url}`;
		const forwarded = httpRequest(target, { method, headers, agent: false });
		await pipeline(request, forwarded);
		const [real]: IncomingMessage[] = await once(forwarded, 'response');
		if (real === undefined) throw new Error('The sandbox does not answer');
		if (manner === undefined) {
			response.writeHead(real.statusCode ?? 0, real.headers);
			return await pipeline(real, response);
		}
		real.resume();
		this.unanswered.add(response);
		response.on('close', () => this.unanswered.delete(response));
		if (manner === 'drips its head') {
			drip(response, () => void response.socket?.write('x'));
			response.socket?.write('HTTP/1.1 200 OK\r\nX-Slow: ');
		} else if (manner !== 'hangs') {
			response.writeHead(200, { 'content-type': 'application/json' });
			if (manner === 'drips its body') drip(response, () => void response.write(' '));
			else this.flood(response);
		}
	}

	private flood(response: ServerResponse): void {
		const more = (error?: Error | null) => {
			if (error || response.destroyed) return;
			this.flooded += FLOOD.length;
			response.write(FLOOD, more);
		};
		response.write(FLOOD, more);
	}
}

function drip(response: ServerResponse, drop: () => void): void {
	const timer = setInterval(drop, DRIP_EVERY_MS);
	response.on('close', () => clearInterval(timer));
}
