import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';

import { buildDelivery } from '../../sandbox';
import { listen, stop } from '../../testkit/loopback';
import { chain, outputOf, type N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE, SECRET } from '../../testkit/publishTrigger';
import { useN8nAlone } from '../useN8n';
import { webhookNode } from './webhookNode';

/** Webhook → Receive → work in a real n8n, where the provider is answered after the work. */

let n8n: N8nHost;
/** The system that the workflow's work is done in. */
let crm: Server;
let crmUrl: string;
let requests = 0;
/** How it answers. */
let answer: () => Promise<number>;

useN8nAlone((started) => (n8n = started));

beforeAll(async () => {
	crm = createServer((_request, response) => {
		requests += 1;
		void answer().then((status) => response.writeHead(status).end('{}'));
	});
	crmUrl = `${await listen(crm)}/`;
});

afterEach(() => {
	requests = 0;
});

afterAll(async () => {
	await stop(crm);
}, 60_000);

const respond = (name: string, responseCode: number | string) => ({
	name,
	type: 'n8n-nodes-base.respondToWebhook',
	typeVersion: 1.1,
	parameters: { respondWith: 'json', responseBody: '{}', options: { responseCode } },
});

/** Publishes Webhook → Receive → work, and Respond to Webhook nodes where they answer. */
async function publish(responseMode: 'responseNode' | 'lastNode') {
	const path = crypto.randomUUID();
	const credential = await n8n.createCredential('Metigan', 'metiganApi', { signingSecret: SECRET });
	const byNode = responseMode === 'responseNode';
	const { id } = await n8n.createWorkflow({
		name: `Receive, ${responseMode}`,
		nodes: [
			webhookNode(path, { responseMode, options: { rawBody: true } }),
			{
				name: 'Receive',
				type: `${PACKAGE}.metigan`,
				parameters: { resource: 'delivery', operation: 'receive', events: ['*'] },
				credentials: { metiganApi: { id: credential, name: 'Metigan' } },
			},
			{
				name: 'Work',
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: { method: 'POST', url: crmUrl },
			},
			...(byNode
				? [respond('Done', 200), respond('Refused', '={{ $json.status }}')]
				: [{ name: 'Refused', type: 'n8n-nodes-base.noOp' }]),
		],
		connections: {
			...chain('Webhook', 'Receive'),
			Receive: {
				main: ['Work', 'Refused'].map((node) => [{ node, type: 'main', index: 0 }]),
			},
			...(byNode ? chain('Work', 'Done') : {}),
		},
	});
	await n8n.publish(id);
	return { id, url: n8n.toLocalUrl(`${ORIGIN}/webhook/${path}`) };
}

describe.each(['responseNode', 'lastNode'] as const)('Receive, answered by %s,', (responseMode) => {
	it('runs a failed delivery again, puts off a copy during the run, and drops one after it', async () => {
		const workflow = await publish(responseMode);
		const { headers, body } = buildDelivery({
			provider: 'metigan',
			event: 'email.bounced',
			secret: SECRET,
		});
		const send = async () => {
			const sent = { method: 'POST', headers, body: new Uint8Array(body) };
			return (await fetchOnNewConnection(workflow.url, sent)).status;
		};

		answer = async () => 500;
		expect([await send(), await send()]).toEqual([500, 500]);
		expect(requests).toBe(2);

		let finish: (status: number) => void = () => {};
		answer = async () =>
			await new Promise((resolve) => {
				finish = resolve;
			});
		const first = send();
		await until('the work', 30_000, () => (requests === 3 ? true : undefined));
		expect(await send()).toBe(responseMode === 'responseNode' ? 503 : 500);
		finish(500);
		expect(await first).toBe(500);

		answer = async () => 200;
		expect(await send()).toBe(200);
		expect(requests).toBe(4);
		expect([await send(), await send()]).toEqual([200, 200]);
		expect(requests).toBe(4);

		const [last] = (await n8n.waitForExecutions(workflow.id, 7)).slice(-1);
		const run = await n8n.execution(last?.id ?? '');
		expect(outputOf(run, 'Receive', 1)).toMatchObject([{ status: 200, reason: 'duplicate' }]);
	}, 120_000);
});
