import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { lastAnswer, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, storeTrigger } from '../../testkit/publishTrigger';
import { misarMail as trigger } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/**
 * n8n's publication service, the default from 2.41 on: it registers in the background, repeats a
 * create and a delete that failed, calls `delete` after each failed create, and at a restart calls
 * triggers with a `trigger()`, as ours are.
 */

let n8n: N8nHost;
let sandbox: Sandbox;
let workflowId: string;

useN8n((bed) => ({ n8n, sandbox } = bed), { publicationService: true });

beforeEach(async () => {
	const account = accountOf(trigger, 'automatic', sandbox);
	// A regular check would count as a call of the restart.
	const options = { options: { checkInterval: 0 } };
	({ workflowId } = await storeTrigger({ n8n, sandbox }, trigger, 'automatic', account, options));
});

afterEach(async () => {
	sandbox.clearFaults();
	await n8n.deleteWorkflow(workflowId);
});

const endpoints = () => sandbox.endpoints(trigger.provider);

async function expectOneRun(): Promise<void> {
	const [delivery] = await sandbox.fire({ provider: trigger.provider, event: trigger.events[0] });
	expect(lastAnswer(delivery)).toBe(200);
	expect(await n8n.waitForExecutions(workflowId, 1)).toHaveLength(1);
}

describe('with the publication service', () => {
	it('a publish ends with one endpoint even if the answers to the first creates are lost', async () => {
		// More than one call repeats by itself, so that n8n has to repeat it.
		sandbox.fault({
			provider: trigger.provider,
			method: 'POST',
			kind: 'status',
			status: 500,
			when: 'after',
			times: 4,
		});
		await n8n.publish(workflowId);
		expect(endpoints()).toMatchObject([{ active: true, events: [...trigger.events] }]);
		await expectOneRun();
	}, 90_000);

	it('a trigger goes on after a restart, and only looks at the endpoint within a minute', async () => {
		await n8n.publish(workflowId);
		const [registered] = endpoints();
		const before = sandbox.requests().length;
		await n8n.restart();
		const calls = () => sandbox.requests().slice(before);
		await expectOneRun();
		await until('n8n to look at the endpoint', 90_000, () => calls().length > 1 || undefined);
		expect(calls()).toMatchObject([
			{ method: 'GET', path: `${trigger.api.path}/${registered?.id}` },
			// Looks for what an interrupted attempt may have left.
			{ method: 'GET', path: expect.stringMatching(/webhooks$/) },
		]);
		expect(endpoints()).toEqual([registered]);
	}, 180_000);

	it('a trigger moves to a new address of n8n when it is unpublished and published', async () => {
		const moved = 'https://moved.example.com';
		await n8n.restart({ webhookUrl: moved });
		sandbox.setRoute(moved, n8n.url);
		await n8n.unpublish(workflowId);
		await n8n.publish(workflowId);
		expect(endpoints()).toMatchObject([{ active: true, url: expect.stringContaining(moved) }]);
		await expectOneRun();
	}, 90_000);

	it('an unpublish deletes the endpoint even if the first delete is answered with 500', async () => {
		await n8n.publish(workflowId);
		sandbox.fault({ provider: trigger.provider, method: 'DELETE', kind: 'status', status: 500 });
		await n8n.unpublish(workflowId);
		await until('the endpoint to be gone', 30_000, () =>
			endpoints().length === 0 ? true : undefined,
		);
	}, 60_000);
});
