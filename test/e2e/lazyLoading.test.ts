import { describe, expect, test } from '@jest/globals';

import { buildDelivery } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { metigan } from '../../testkit/triggers';
import { useRecordedN8n } from './recordedN8n';

/** n8n lists the nodes from the metadata in `dist`; their files are loaded when they are used. */

const SECRET = 'whsec_chosen_in_the_dashboard';
const WEBHOOK_ID = '9c7e4ad1-3f43-4d0b-8f5e-70f8f0b1c4d2';

let n8n: N8nHost;
const lines = useRecordedN8n((bed) => ({ n8n } = bed), 'recordLoads.cjs', 'LOADED_FILES');

/** Files of the package that n8n has loaded so far, below `dist`. */
const loadedFiles = () => lines().map((line) => line.replace('/n8n-nodes-misar-metigan/dist/', ''));

describe('files of the package in a real n8n', () => {
	test('a start loads no node; n8n itself loads every credential', () => {
		expect(loadedFiles().filter((file) => !file.startsWith('credentials/'))).toEqual([]);
	});

	test('a workflow loads its own node, and no other', async () => {
		const id = await n8n.createCredential('Metigan', metigan.credential, {
			signingSecret: SECRET,
		});
		const workflow = await n8n.createWorkflow({
			name: 'Metigan',
			nodes: [
				{
					name: 'Trigger',
					type: `n8n-nodes-misar-metigan.${metigan.node}`,
					webhookId: WEBHOOK_ID,
					parameters: { registration: 'manual', events: [...metigan.events] },
					credentials: { [metigan.credential]: { id, name: 'Metigan' } },
				},
			],
		});
		await n8n.publish(workflow.id);
		const { headers, body } = buildDelivery({
			provider: metigan.provider,
			event: metigan.events[0],
			scheme: metigan.scheme,
			secret: SECRET,
		});
		const response = await fetchOnNewConnection(n8n.webhookUrl(`${WEBHOOK_ID}/${metigan.path}`), {
			method: 'POST',
			headers,
			body: new Uint8Array(body),
		});
		expect(response.status).toBe(200);
		await n8n.waitForExecutions(workflow.id, 1, 120_000);

		const loaded = loadedFiles();
		expect(loaded).toContain(metigan.nodeFile);
		expect(loaded.filter((file) => file.endsWith('.node.js'))).toEqual([metigan.nodeFile]);
		expect(loaded.filter((file) => /^nodes\/(?!shared\/|Metigan\/)/.test(file))).toEqual([]);
	}, 240_000);
});
