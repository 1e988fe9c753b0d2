import { randomUUID } from 'node:crypto';

import { beforeAll, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { chain, outputOf, type N8nHost } from '../../testkit/n8n-host/driver';
import { triggerNode } from '../../testkit/publishTrigger';
import { metigan } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/** Runs that do not start with a delivery: the trigger's `execute()` hands on what it is given. */

const ITEM = { provider: 'metigan', event: 'email.bounced', data: { email: 'ada@example.com' } };

let n8n: N8nHost;
let sandbox: Sandbox;
let credential: string;

useN8n((bed) => ({ n8n, sandbox } = bed));
beforeAll(async () => {
	const account = { baseUrl: sandbox.url, apiKey: sandbox.keys[metigan.provider] };
	credential = await n8n.createCredential('Metigan', metigan.credential, account);
}, 60_000);

/** A trigger and a node behind it, unpublished. */
async function store(
	after: { type: string; parameters?: Record<string, unknown> },
	pinned?: Record<string, unknown>,
): Promise<string> {
	const { id } = await n8n.createWorkflow({
		name: after.type,
		nodes: [
			triggerNode(
				metigan,
				credential,
				{ registration: 'automatic', events: [...metigan.events] },
				{ webhookId: randomUUID() },
			),
			{ name: 'After', ...after },
		],
		connections: chain('Trigger', 'After'),
		...(pinned === undefined ? {} : { pinData: { Trigger: [{ json: pinned }] } }),
	});
	return id;
}

it('a run that failed is retried with the item of its delivery', async () => {
	const id = await store({
		type: 'n8n-nodes-base.stopAndError',
		parameters: { errorMessage: 'Failed on purpose' },
	});
	await n8n.publish(id);
	const [event] = metigan.events;
	await sandbox.fire({ provider: metigan.provider, event, retry: false });
	const [failed] = await n8n.waitForExecutions(id, 1);
	expect(failed?.status).toBe('error');
	await n8n.retry(failed?.id ?? '');
	const [, again, ...others] = await n8n.waitForExecutions(id, 2);
	expect(others).toEqual([]);
	expect(again).toMatchObject({ mode: 'retry', status: 'error' });
	const items = async (run = '') => outputOf(await n8n.execution(run), 'Trigger');
	expect(await items(again?.id)).toEqual(await items(failed?.id));
	expect(await items(again?.id)).toMatchObject([{ event }]);
	await n8n.unpublish(id);
}, 120_000);

it('a run with pinned data registers nothing, and a part of it can run again', async () => {
	const id = await store({ type: 'n8n-nodes-base.noOp' }, ITEM);
	const calls = sandbox.requests().length;
	const first = await n8n.runByHand(id, { triggerToStartFrom: { name: 'Trigger' } });
	await n8n.waitForExecutions(id, 1);
	const execution = await n8n.execution(first);
	expect(outputOf(execution, 'Trigger')).toEqual([ITEM]);
	expect(outputOf(execution, 'After')).toEqual([ITEM]);

	const second = await n8n.runByHand(id, {
		runData: { Trigger: execution.data.resultData.runData['Trigger'] },
		destinationNode: { nodeName: 'After', mode: 'inclusive' },
		dirtyNodeNames: ['After'],
	});
	await n8n.waitForExecutions(id, 2);
	expect(outputOf(await n8n.execution(second), 'After')).toEqual([ITEM]);
	expect(sandbox.requests()).toHaveLength(calls);
}, 120_000);
