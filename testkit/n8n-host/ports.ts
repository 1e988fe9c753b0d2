import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections and to servers that ask for any port (from 32768 on
 * Linux): nobody takes one of these while its n8n restarts.
 */
const FIRST_PORT = 12_000;
/** Each Jest worker has its own ports. */
const WORKERS = 10;
const PORTS_PER_WORKER = 2_000;
const TRIES = 100;

const given = new Set<number>();

/** Finds free TCP ports on the loopback address, none of them twice in a test file or a program. */
export async function freePorts(count: number): Promise<number[]> {
	const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS;
	const first = FIRST_PORT + worker * PORTS_PER_WORKER;
	const ports: number[] = [];
	for (let tries = 0; ports.length < count; tries += 1) {
		if (tries === TRIES) throw new Error(`No free TCP port was found from ${first} on`);
		const port = first + Math.floor(Math.random() * PORTS_PER_WORKER);
		if (given.has(port) || !(await isFree(port))) continue;
		given.add(port);
		ports.push(port);
	}
	return ports;
}

async function isFree(port: number): Promise<boolean> {
	const server = createServer();
	return await new Promise((resolve) => {
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
}
