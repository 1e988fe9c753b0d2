import { randomUUID } from 'node:crypto';

import type { Sandbox } from '../../sandbox';
import { chain, type N8nHost } from '../../testkit/n8n-host/driver';
import { eventParameters, type TriggerCase } from '../../testkit/triggers';

/** What happened to one trigger, as a row of the table that `npm start` prints. */
export interface Demonstration {
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

const MANUAL_SECRET = 'whsec_pasted_from_the_dashboard';

/**
 * Drives one trigger: credential, workflow, publish, a signed event, its run. A step that does not
 * hold becomes part of the row, it is not thrown.
 */
export async function demonstrate(
	trigger: TriggerCase,
	sandbox: Sandbox,
	n8n: N8nHost,
	origin: string,
): Promise<Demonstration> {
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
		const webhookId = randomUUID();
		const credentialId = await n8n.createCredential(trigger.title, trigger.credential, {
			...trigger.parameters,
			baseUrl: sandbox.url,
			...(registration === 'automatic'
				? { apiKey: sandbox.keys[trigger.provider] }
				: { signingSecret: MANUAL_SECRET }),
		});
		const workflow = await n8n.createWorkflow({
			name: `${trigger.title}: ${trigger.events[0]}`,
			nodes: [
				{
					name: `${trigger.title} Trigger`,
					type: `n8n-nodes-misar-metigan.${trigger.node}`,
					webhookId,
					parameters: { ...trigger.parameters, registration, ...eventParameters(trigger) },
					credentials: { [trigger.credential]: { id: credentialId, name: trigger.title } },
				},
				{ name: 'Your Next Step', type: 'n8n-nodes-base.noOp' },
			],
			connections: chain(`${trigger.title} Trigger`, 'Your Next Step'),
		});
		await n8n.publish(workflow.id);

		const endpoint = sandbox.endpoints(trigger.provider).find(({ url }) => url.includes(webhookId));
		const target =
			endpoint === undefined
				? { url: `${origin}/webhook/${webhookId}/${trigger.path}`, secret: MANUAL_SECRET }
				: { endpointId: endpoint.id };
		const [delivery] = await sandbox.fire({
			provider: trigger.provider,
			event: trigger.events[0],
			scheme: trigger.scheme,
			...target,
		});
		const answer = delivery?.attempts.at(-1)?.status;
		const [run] = await n8n.waitForExecutions(workflow.id, 1);
		return {
			...row,
			endpoint: endpoint?.id ?? (registration === 'manual' ? 'by hand' : 'none'),
			answer: String(answer ?? 'none'),
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
