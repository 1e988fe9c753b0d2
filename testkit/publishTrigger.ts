import { randomUUID } from 'node:crypto';

import type { Sandbox } from '../sandbox';
import { chain, type N8nHost } from './n8n-host/driver';
import { eventParameters, type TriggerCase } from './triggers';

/** The public-looking origin n8n registers its webhooks under. */
export const ORIGIN = 'https://n8n.example.com';

/** A published workflow that starts with a trigger of the package. */
export interface PublishedTrigger {
	readonly workflowId: string;
	/** As the provider knows it. */
	readonly webhookUrl: string;
	/** Replaces the credential's fields, besides the product and the base URL. */
	setCredential(fields: Record<string, string>): Promise<void>;
}

/** Stores a credential and a workflow `Trigger → After` that uses it, and publishes the workflow. */
export async function publishTrigger(
	{ n8n, sandbox }: { readonly n8n: N8nHost; readonly sandbox: Sandbox },
	trigger: TriggerCase,
	registration: 'automatic' | 'manual',
	credential: Record<string, string>,
): Promise<PublishedTrigger> {
	const { title, credential: type } = trigger;
	const complete = (fields: Record<string, string>) => ({
		...trigger.parameters,
		baseUrl: sandbox.url,
		...fields,
	});
	const credentialId = await n8n.createCredential(title, type, complete(credential));
	const webhookId = randomUUID();
	const { id } = await n8n.createWorkflow({
		name: `${title}, ${registration}`,
		nodes: [
			{
				name: 'Trigger',
				type: `n8n-nodes-misar-metigan.${trigger.node}`,
				webhookId,
				parameters: { ...trigger.parameters, registration, ...eventParameters(trigger) },
				credentials: { [type]: { id: credentialId, name: title } },
			},
			{ name: 'After', type: 'n8n-nodes-base.noOp' },
		],
		connections: chain('Trigger', 'After'),
	});
	await n8n.publish(id);
	return {
		workflowId: id,
		webhookUrl: `${ORIGIN}/webhook/${webhookId}/${trigger.path}`,
		setCredential: async (fields) =>
			await n8n.updateCredential(credentialId, title, type, complete(fields)),
	};
}
