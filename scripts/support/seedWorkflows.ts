import { lastAnswer, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { accountOf, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import type { TriggerCase } from '../../testkit/triggers';

/** What happened to one trigger, as a row of the table that `npm start` prints. */
export interface SeededWorkflow {
	readonly trigger: string;
	readonly registration: 'automatic' | 'manual';
	readonly endpoint: string;
	readonly event: string;
	/** HTTP status that the provider got for its delivery. */
	readonly answer: string;
	readonly runId: string;
	readonly runStatus: string;
	readonly held: boolean;
}

/**
 * Drives one trigger: credential, workflow, publish, a signed event, its run. A step that fails
 * is reported in the row, not thrown.
 */
export async function seedWorkflow(
	trigger: TriggerCase,
	sandbox: Sandbox,
	n8n: N8nHost,
): Promise<SeededWorkflow> {
	const registration = trigger.api === undefined ? 'manual' : 'automatic';
	const row = {
		trigger: trigger.title,
		registration,
		endpoint: '-',
		event: trigger.events[0],
		answer: '-',
		runId: '-',
		runStatus: '-',
		held: false,
	} as const;
	try {
		const { workflowId, webhookUrl } = await publishTrigger(
			{ n8n, sandbox },
			trigger,
			registration,
			accountOf(trigger, registration, sandbox),
			{ names: [`${trigger.title} Trigger`, 'Your Next Step'] },
		);

		const endpoint = sandbox.endpoints(trigger.provider).find(({ url }) => url === webhookUrl);
		const target =
			endpoint === undefined ? { url: webhookUrl, secret: SECRET } : { endpointId: endpoint.id };
		const [delivery] = await sandbox.fire({
			provider: trigger.provider,
			event: trigger.events[0],
			scheme: trigger.scheme,
			...target,
		});
		const answer = lastAnswer(delivery);
		const [run] = await n8n.waitForExecutions(workflowId, 1);
		return {
			...row,
			endpoint: endpoint?.id ?? (registration === 'manual' ? 'by hand' : 'none'),
			answer: String(answer),
			runId: run?.id ?? 'none',
			runStatus: run?.status ?? 'none',
			held:
				(endpoint !== undefined) === (registration === 'automatic') &&
				answer === 200 &&
				run?.status === 'success',
		};
	} catch (error) {
		return { ...row, runStatus: error instanceof Error ? error.message : String(error) };
	}
}
