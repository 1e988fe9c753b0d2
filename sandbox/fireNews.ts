import type { Response } from 'express';
import type { FireNews, RunningFire } from './types';

/** Clients close a connection without traffic after minutes; a provider may wait hours before its next try. */
const HEARTBEAT_MS = 15_000;

/** Answers with lines of JSON while an event is fired; blank lines keep the connection open. */
export class FireAnswer {
	constructor(private readonly response: Response) {}

	tell(news: FireNews): void {
		this.response.write(`${JSON.stringify(news)}\n`);
	}

	/** Reports the fired deliveries until all have ended; the caller reports each attempt. */
	async follow({ receivers, begun, ended }: RunningFire): Promise<void> {
		this.response.type('application/x-ndjson');
		const heartbeat = setInterval(() => this.response.write('\n'), HEARTBEAT_MS);
		this.response.once('close', () => clearInterval(heartbeat));
		this.tell({ receivers });
		try {
			this.tell({ begun: await begun });
			this.tell({ ended: await ended });
		} catch (error) {
			this.tell({ error: error instanceof Error ? error.message : String(error) });
		}
		this.response.end();
	}
}
