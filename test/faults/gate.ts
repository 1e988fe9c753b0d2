import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';

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
	private port = 0;

	static async start(): Promise<Gate> {
		const gate = new Gate();
		gate.server.listen(0, '127.0.0.1');
		await once(gate.server, 'listening');
		({ port: gate.port } = z.object({ port: z.number() }).parse(gate.server.address()));
		return gate;
	}

	/** For a node's parameter: its last part identifies the run. */
	url(manner: 'hold' | 'fail', id: string): string {
		return `http://127.0.0.1:${this.port}/${manner}/${id}`;
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
		this.server.closeAllConnections();
		this.server.close();
		await once(this.server, 'close');
	}
}
