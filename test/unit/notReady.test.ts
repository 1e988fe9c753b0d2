import { once } from 'node:events';
import { createServer } from 'node:http';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { listen } from '../../testkit/loopback';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { START_PAGE } from '../../testkit/n8n-host/startPage';
import { Balancer } from '../../testkit/queue/balancer';
import { startFaultProxy } from '../faults/loadFaultProxy';

/** The proxies between providers and n8n in tests send nothing to an n8n that is not ready. */

/** Answers as n8n does before it is ready, and afterwards. */
class Starting {
	readonly ids: string[] = [];
	isReady = false;
	url = '';

	private readonly server = createServer((request, response) => {
		if (request.url === '/healthz/readiness') {
			response.writeHead(this.isReady ? 200 : 503).end();
			return;
		}
		this.ids.push(request.url ?? '');
		response.end(this.isReady ? '{"received":true}' : START_PAGE);
	});

	async start(): Promise<void> {
		this.url = await listen(this.server);
	}

	async stop(): Promise<void> {
		this.server.close();
		await once(this.server, 'close');
	}
}

const [first, second] = [new Starting(), new Starting()];
let close: () => Promise<void>;
let entrance: string;

async function statusOf(id: string): Promise<number> {
	const body = JSON.stringify({ id });
	return (await fetchOnNewConnection(`${entrance}/${id}`, { method: 'POST', body })).status;
}

beforeEach(async () => {
	for (const n8n of [first, second]) {
		n8n.ids.length = 0;
		n8n.isReady = false;
		await n8n.start();
	}
});

afterEach(async () => {
	await close();
	for (const n8n of [first, second]) await n8n.stop();
});

describe('the balancer of the queue suite', () => {
	beforeEach(async () => {
		const balancer = new Balancer([first.url, second.url]);
		entrance = await balancer.start();
		close = async () => await balancer.stop();
	});

	it('answers 503 while no processor is ready, and skips one that is not', async () => {
		expect(await statusOf('early')).toBe(503);
		second.isReady = true;
		expect([await statusOf('a'), await statusOf('b'), await statusOf('c')]).toEqual([
			200, 200, 200,
		]);
		expect([first.ids, second.ids]).toEqual([[], ['/a', '/b', '/c']]);
	});
});

describe('the gateway of the fault suite', () => {
	beforeEach(async () => {
		const proxy = await startFaultProxy({ target: first.url, seed: '1', share: 0 });
		entrance = proxy.url;
		close = async () => await proxy.close();
	});

	it('answers 503 until n8n is ready', async () => {
		expect(await statusOf('early')).toBe(503);
		first.isReady = true;
		expect(await statusOf('late')).toBe(200);
		expect(first.ids).toEqual(['/late']);
	});
});
