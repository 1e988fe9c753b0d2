import { beforeAll, describe, expect, it } from '@jest/globals';

import { lastAnswer, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, publishTrigger, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { misarMail, triggerCases, type TriggerCase } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/**
 * Providers that cannot be reached around a start of n8n: no endpoint is lost, deliveries run as soon
 * as they come, and once the provider is back the checks change nothing.
 */

/** Longer than the minute in which each trigger is checked. */
const OUTAGE_MS = 120_000;

const withApi = triggerCases.filter(({ api }) => api !== undefined);

describe.each([undefined, false])('with the publication service %p', (publicationService) => {
	const published = new Map<TriggerCase, TriggerWorkflow>();
	let sandbox: Sandbox;
	let n8n: N8nHost;

	useN8n((bed) => ({ n8n, sandbox } = bed), { env: LAZY_ISOLATES, publicationService });

	beforeAll(async () => {
		for (const trigger of withApi) {
			const account = accountOf(trigger, 'automatic', sandbox);
			const options = { options: { checkInterval: 1 } };
			const bed = { n8n, sandbox };
			published.set(trigger, await publishTrigger(bed, trigger, 'automatic', account, options));
		}
	}, 600_000);

	const endpointIds = () =>
		withApi.map(({ provider }) => sandbox.endpoints(provider).map(({ id }) => id));

	/** Sends an event to a trigger's endpoint, which has to run. */
	async function expectToRun(trigger: TriggerCase): Promise<void> {
		const workflowId = published.get(trigger)?.workflowId ?? '';
		const before = (await n8n.executions(workflowId)).length;
		const [event] = trigger.events;
		const [delivery] = await sandbox.fire({
			provider: trigger.provider,
			event,
			scheme: trigger.scheme,
			retry: false,
		});
		expect([trigger.title, lastAnswer(delivery)]).toEqual([trigger.title, 200]);
		const runs = await n8n.waitForExecutions(workflowId, before + 1);
		expect(runs.map(({ status, mode }) => [status, mode])).toEqual(
			runs.map(() => ['success', 'webhook']),
		);
	}

	/** Calls since a point in time, by trigger. */
	const callsSince = (mark: number, { api }: TriggerCase) =>
		sandbox
			.requests()
			.slice(mark)
			.filter(({ path }) => path.startsWith(api?.path ?? ''));

	it('loses no endpoint, and runs what is delivered meanwhile', async () => {
		const before = endpointIds();
		await n8n.kill();
		// A gateway may answer with 403 during a passing fault: no reason to give up either.
		const { api } = misarMail;
		sandbox.fault({ kind: 'status', status: 403, path: api.path, times: 1 });
		sandbox.fault({ kind: 'drop', times: Number.POSITIVE_INFINITY });
		const mark = sandbox.requests().length;
		await n8n.restart();
		for (const trigger of withApi) await expectToRun(trigger);
		// One check at the start if n8n makes one, and one in the minute after it.
		await until('every trigger to have been checked in the outage', OUTAGE_MS, () =>
			withApi.every((trigger) => callsSince(mark, trigger).length > 0) ? true : undefined,
		);
		expect(endpointIds()).toEqual(before);
		for (const trigger of withApi) await expectToRun(trigger);

		sandbox.clearFaults();
		const back = sandbox.requests().length;
		await until('every trigger to be checked twice', 2 * OUTAGE_MS, () =>
			withApi.every((trigger) => callsSince(back, trigger).length > 1) ? true : undefined,
		);
		const calls = sandbox.requests().slice(back);
		expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['GET']));
		expect(endpointIds()).toEqual(before);
		for (const trigger of withApi) await expectToRun(trigger);
	}, 600_000);
});
