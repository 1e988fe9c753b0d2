import { expect, it } from '@jest/globals';

import { lastAnswer, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import {
	accountOf,
	ORIGIN,
	publishTrigger,
	type TriggerWorkflow,
} from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

const MOVED = 'https://moved.example.com';

let n8n: N8nHost;
let sandbox: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), { env: FEW_ISOLATES });

const endpointsAt = (trigger: TriggerCase, { webhookUrl }: Pick<TriggerWorkflow, 'webhookUrl'>) =>
	sandbox.endpoints(trigger.provider).filter(({ url }) => url === webhookUrl);

/** Fires one event at the only endpoint of a workflow, and returns the last answer it got. */
async function fire(trigger: TriggerCase, workflow: Pick<TriggerWorkflow, 'webhookUrl'>) {
	const [endpoint] = endpointsAt(trigger, workflow);
	const [delivery] = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		endpointId: endpoint?.id ?? 'none',
	});
	return lastAnswer(delivery);
}

it('every trigger keeps its endpoint over restarts, and gets another one at a new address of n8n', async () => {
	const published: Array<[TriggerCase, TriggerWorkflow]> = [];
	for (const trigger of triggerCases.filter(({ api }) => api !== undefined)) {
		const account = accountOf(trigger, 'automatic', sandbox);
		published.push([
			trigger,
			await publishTrigger({ n8n, sandbox }, trigger, 'automatic', account),
		]);
	}
	const before = published.map(([trigger, workflow]) => endpointsAt(trigger, workflow)[0]?.id);

	// With n8n's default, and then like older 2.x, which look at each endpoint at a start.
	for (const [runs, publicationService] of [undefined, false].entries()) {
		await n8n.restart({ publicationService });
		for (const [index, [trigger, workflow]] of published.entries()) {
			expect(endpointsAt(trigger, workflow)).toMatchObject([{ id: before[index] }]);
			expect(await fire(trigger, workflow)).toBe(200);
			expect(await n8n.waitForExecutions(workflow.workflowId, runs + 1)).toHaveLength(runs + 1);
		}
	}

	await n8n.restart({ webhookUrl: MOVED });
	sandbox.setRoute(MOVED, n8n.url);
	for (const [trigger, workflow] of published) {
		await n8n.publish(workflow.workflowId);
		const moved = { webhookUrl: workflow.webhookUrl.replace(ORIGIN, MOVED) };
		// n8n 1.x leaves a published workflow alone, and tries again by itself what failed at its start.
		// A delivery that comes before it has saved what it registered is put off with 503.
		const answer = await until(`deliveries of ${trigger.title} to go on`, 60_000, async () => {
			if (endpointsAt(trigger, moved).length === 0) return undefined;
			const status = await fire(trigger, moved);
			return status === 503 ? undefined : status;
		});
		expect(answer).toBe(200);
		expect(endpointsAt(trigger, moved)).toHaveLength(1);
		// The old address does not answer, so another n8n may be there.
		const [left] = endpointsAt(trigger, workflow);
		expect(n8n.log()).toContain(`remove endpoint ${left?.id} in the dashboard`);
	}
}, 600_000);
