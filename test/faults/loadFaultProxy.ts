import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';

import { listen, stop } from '../../testkit/loopback';
import { isReady } from '../../testkit/n8n-host/startPage';

/**
 * What goes wrong between a provider and n8n.
 * `refuse`: a 5xx, the delivery does not reach n8n; `loseAnswer`: n8n answers, the provider gets a 5xx;
 * `dropAnswer`: n8n answers, the provider's connection ends without it; `hangUp`: both connections
 * end while n8n is still at work.
 */
export type ProxyFault = 'refuse' | 'loseAnswer' | 'dropAnswer' | 'hangUp';

/** One request that came through. */
export interface ProxyRecord {
	/** The event's id. */
	readonly id: string;
	readonly fault?: ProxyFault;
	/** What n8n answered, whether or not the provider heard it. */
	status?: number;
}

export interface FaultProxy {
	/** `http://127.0.0.1:<port>` */
	readonly url: string;
	readonly records: readonly ProxyRecord[];
	close(): Promise<void>;
}

const FAULTS: readonly ProxyFault[] = ['refuse', 'loseAnswer', 'dropAnswer', 'hangUp'];
const STATUSES = [500, 502, 503, 504] as const;
/** Fewer than the provider's tries, so that every delivery arrives in the end. */
const MOST_FAULTS_PER_EVENT = 2;

const eventSchema = z.object({ id: z.string() });

export interface FaultProxyOptions {
	/** Where n8n is. */
	readonly target: string;
	readonly seed: string;
	/** Share of the requests that go wrong, 0 to 1. */
	readonly share: number;
}

/**
 * Starts a gateway in front of n8n that disrupts a share of the requests. What it does to the nth request of an
 * event follows from the seed alone, whatever the order in which requests arrive. An n8n that is not ready gets none:
 * its 200 would not mean that it has accepted anything.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
	const records: ProxyRecord[] = [];
	const seen = new Map<string, { requests: number; faults: number }>();

	function nextFault(id: string): { fault?: ProxyFault; status: number } {
		const history = seen.get(id) ?? { requests: 0, faults: 0 };
		seen.set(id, history);
		const digest = createHash('sha256')
			.update(`${options.seed} ${id} ${history.requests++}`)
			.digest();
		const status = STATUSES[digest.readUInt8(5) % STATUSES.length] ?? 500;
		const spoilt = digest.readUInt32BE(0) / 2 ** 32 < options.share;
		if (!spoilt || history.faults >= MOST_FAULTS_PER_EVENT) return { status };
		history.faults++;
		return { fault: FAULTS[digest.readUInt8(4) % FAULTS.length] ?? 'refuse', status };
	}

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = await buffer(request);
		const { id } = eventSchema.parse(JSON.parse(body.toString()));
		if (!(await isReady(options.target))) {
			response.writeHead(503).end();
			return;
		}
		const { fault, status } = nextFault(id);
		const record: ProxyRecord = { id, ...(fault && { fault }) };
		records.push(record);
		if (fault === 'refuse') {
			response.writeHead(status).end();
			return;
		}
		const outgoing = http.request(new URL(request.url ?? '/', options.target), {
			method: request.method ?? 'POST',
			headers: request.headers,
			agent: false,
		});
		// Whoever waits for it gets the error; after a hang-up nobody waits.
		outgoing.on('error', () => undefined);
		outgoing.end(body);
		if (fault === 'hangUp') {
			await once(outgoing, 'finish');
			// The bytes have to leave this process before the connection does.
			outgoing.socket?.destroySoon();
			response.destroy();
			return;
		}
		const answer = await answerTo(outgoing);
		record.status = answer.status;
		if (fault === 'dropAnswer') response.destroy();
		else if (fault === 'loseAnswer') response.writeHead(status).end();
		else response.writeHead(answer.status, answer.headers).end(answer.body);
	}

	const server = http.createServer((request, response) => {
		// n8n has ended meanwhile.
		handle(request, response).catch(() => response.destroy());
	});
	return { url: await listen(server), records, close: async () => await stop(server) };
}

async function answerTo(
	outgoing: http.ClientRequest,
): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> {
	const answer = await new Promise<IncomingMessage>((resolve, reject) => {
		outgoing.once('response', resolve).once('error', reject);
	});
	return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
}
