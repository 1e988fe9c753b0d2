import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express, { type RequestHandler } from 'express';
import { noForeignPages } from './guard';

export interface RunningServer {
	/** `http://127.0.0.1:<port>` */
	url: string;
	/** Ends the server and every connection; resolves when the port is free. */
	close(): Promise<void>;
}

/**
 * Listens on the loopback interface only: its own paths, and everything else for the providers. Rejects
 * when the port is taken.
 */
export async function listen(
	port: number,
	own: Readonly<Record<string, RequestHandler>>,
	management: RequestHandler,
): Promise<RunningServer> {
	const app = express();
	app.disable('x-powered-by');
	app.set('etag', false);
	app.use(noForeignPages);
	for (const [path, handler] of Object.entries(own)) app.use(path, handler);
	app.use(express.raw({ type: () => true, limit: '1mb' }), management);

	const server = createServer(app);
	server.listen(port, '127.0.0.1');
	await once(server, 'listening');
	return { url: `http://127.0.0.1:${portOf(server)}`, close: async () => await stop(server) };
}

function portOf(server: Server): number {
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The server has no port');
	return address.port;
}

async function stop(server: Server): Promise<void> {
	const closed = once(server, 'close');
	server.close();
	// Keep-alive connections and requests that hang would hold the port.
	server.closeAllConnections();
	await closed;
}
