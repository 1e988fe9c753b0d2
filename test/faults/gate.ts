import { createServer, type Server, type ServerResponse } from 'node:http';

import { listen, stop } from '../../testkit/loopback';

/**
 * What a workflow calls in the middle of a run, so that a test decides how the run goes on: below `/hold/` the
 * answer comes when the test says so, below `/fail/` it is 500 until then.
 */
export class Gate {
	private readonly opened = new Set<string>();
	private readonly held = new Map<string, ServerResponse>();
	private readonly server: Server = createServer(({ url = '' }, response) => {
		const id = url.split('/').at(-1) ?? '';
		if (this.opened.has(id)) response.end('{}');
		else if (url.startsWith('/hold/')) this.held.set(id, response);
		else response.writeHead(500).end('{}');
	});
	private origin = '';

	static async start(): Promise<Gate> {
		const gate = new Gate();
		gate.origin = await listen(gate.server);
		return gate;
	}

	/** For a node's parameter: its last part identifies the run. */
	url(manner: 'hold' | 'fail', id: string): string {
		return `${this.origin}/${manner}/${id}`;
	}

	/** Whether a run waits for its answer. */
	holds(id: string): boolean {
		return this.held.has(id);
	}

	/** Lets a run go on, now or when it comes. */
	open(id: string): void {
		this.opened.add(id);
		this.held.get(id)?.end('{}');
		this.held.delete(id);
	}

	async close(): Promise<void> {
		await stop(this.server);
	}
}
