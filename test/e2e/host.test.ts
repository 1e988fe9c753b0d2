import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chain, HostError, outputOf, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { webhookNode } from './webhookNode';

const HOOK = 'driver-check';
const HOOK_ID = '6a8d2c1e-5d0f-4f5b-9a53-0d7a3f6c2b11';

/** Shows with n8n's own nodes that the driver works, so that the other tests can rely on it. */
describe('the real n8n and its driver', () => {
	let host: N8nHost;
	let workflowId: string;

	const deliver = async (url: string, body: object) =>
		await fetchOnNewConnection(url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		});

	beforeAll(async () => {
		host = await startN8n({ webhookUrl: 'https://n8n.example.com' });
		const workflow = await host.createWorkflow({
			name: 'Driver check',
			nodes: [webhookNode(HOOK), { name: 'Do Nothing', type: 'n8n-nodes-base.noOp' }],
			connections: chain('Webhook', 'Do Nothing'),
		});
		workflowId = workflow.id;
	}, 180_000);

	afterAll(async () => {
		await host.stop();
		expect(existsSync(host.userFolder)).toBe(false);
	}, 60_000);

	it('serves a webhook only while its workflow is published', async () => {
		const url = host.toLocalUrl(`https://n8n.example.com/webhook/${HOOK}`);
		expect(url).toBe(host.webhookUrl(HOOK));
		expect((await deliver(url, {})).status).toBe(404);

		await host.publish(workflowId);
		expect((await host.getWorkflow(workflowId)).active).toBe(true);
		expect((await deliver(url, { answer: 42 })).status).toBe(200);

		const [summary] = await host.waitForExecutions(workflowId, 1);
		expect(summary).toMatchObject({ status: 'success', mode: 'webhook' });
		const execution = await host.execution(summary?.id ?? '');
		expect(outputOf(execution, 'Do Nothing')).toMatchObject([{ body: { answer: 42 } }]);
	});

	it('keeps workflows, executions and the account over a restart and a crash', async () => {
		await host.restart();
		await host.kill();
		await expect(fetch(host.url)).rejects.toThrow();
		await host.restart();
		expect((await deliver(host.webhookUrl(HOOK), {})).status).toBe(200);
		expect(await host.waitForExecutions(workflowId, 2)).toHaveLength(2);
	}, 180_000);

	it('runs once for a test event', async () => {
		const workflow = await host.createWorkflow({
			name: 'Test event',
			nodes: [webhookNode('test-event')],
		});
		await host.listenForTestEvent(workflow.id, 'Webhook');
		expect((await deliver(host.testWebhookUrl('test-event'), {})).status).toBe(200);
		expect(await host.waitForExecutions(workflow.id, 1)).toMatchObject([{ mode: 'manual' }]);
		await host.deleteWorkflow(workflow.id);
		await expect(host.getWorkflow(workflow.id)).rejects.toThrow(HostError);
	});

	it('reports why n8n refuses to publish', async () => {
		const workflow = await host.createWorkflow({
			name: 'Incomplete',
			nodes: [{ name: 'GitHub', type: 'n8n-nodes-base.githubTrigger', webhookId: HOOK_ID }],
		});
		await expect(host.publish(workflow.id)).rejects.toThrow(
			host.version.startsWith('1.')
				? 'Node does not have any credentials set'
				: 'Missing required credential',
		);
	});

	it('stores, changes, tests and deletes credentials', async () => {
		// Port 1 answers nothing: the test of the credential has to say so.
		const data = { server: 'http://127.0.0.1:1', user: 'someone', accessToken: 'x' };
		const id = await host.createCredential('GitHub', 'githubApi', data);
		await host.updateCredential(id, 'GitHub', 'githubApi', { ...data, user: 'another' });
		expect(await host.testCredential(id)).toMatchObject({ status: 'Error' });
		await host.deleteCredential(id);
		await expect(host.testCredential(id)).rejects.toThrow(HostError);
	});

	it('takes a workflow out of service', async () => {
		await host.unpublish(workflowId);
		expect((await deliver(host.webhookUrl(HOOK), {})).status).toBe(404);
		expect((await host.getWorkflow(workflowId)).active).toBe(false);
	});

	it('runs two at once', async () => {
		const other = await startN8n();
		try {
			expect(other.port).not.toBe(host.port);
			expect((await fetchOnNewConnection(`${other.url}/healthz`)).status).toBe(200);
		} finally {
			await other.stop();
		}
	}, 180_000);
});
