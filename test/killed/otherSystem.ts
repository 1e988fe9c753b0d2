import { createServer, type Server, type ServerResponse } from 'node:http';

import { listen, stop } from '../../testkit/loopback';

/**
 * What the runs of a workflow call: at `/work/<event>` in their middle, at `/done/<event>` at their end. The
 * number of unanswered calls decides how many runs are under way at any time.
 */
export class OtherSystem {
	/** How many calls are left unanswered; the oldest is answered when there are more. */
	private open = 0;

	/** Events whose work is answered with 500. */
	readonly refused = new Set<string>();

	/** How often it was asked to work on each event. */
	readonly asked = new Map<string, number>();

	/** How often it was told that each event is done. */
	readonly done = new Map<string, number>();

	private waiting: Array<{ event: string; response: ServerResponse }> = [];

	private readonly server: Server = createServer(({ url = '' }, response) => {
		const [, what, event = ''] = url.split('/');
		const counts = what === 'work' ? this.asked : this.done;
		counts.set(event, (counts.get(event) ?? 0) + 1);
		if (what !== 'work') {
			response.end('{}');
			return;
		}
		this.waiting.push({ event, response });
		response.once('close', () => {
			this.waiting = this.waiting.filter((call) => call.response !== response);
		});
		this.answer();
	});

	private origin = '';

	static async start(): Promise<OtherSystem> {
		const system = new OtherSystem();
		system.origin = await listen(system.server);
		return system;
	}

	/** An expression for a node's URL. */
	url(what: 'work' | 'done', event: string): string {
		return `=${this.origin}/${what}/${event}`;
	}

	/** From now on leaves `count` calls unanswered. */
	keepWaiting(count: number): void {
		this.open = count;
		this.answer();
	}

	/** The events that are being worked on. */
	atWork(): string[] {
		return this.waiting.map(({ event }) => event);
	}

	async close(): Promise<void> {
		await stop(this.server);
	}

	private answer(): void {
		for (const { event, response } of this.waiting.splice(0, this.waiting.length - this.open)) {
			response.writeHead(this.refused.has(event) ? 500 : 200).end('{}');
		}
	}
}
