import { randomUUID } from 'node:crypto';

import type { Sandbox } from '../sandbox';
import { chain, type N8nHost, type NodeDefinition } from './n8n-host/driver';
import { eventParameters, type TriggerCase } from './triggers';

/** The public-looking origin n8n registers its webhooks under. */
export const ORIGIN = 'https://n8n.example.com';

export const PACKAGE = 'n8n-nodes-misar-metigan';

/** A signing secret that a person has copied from a provider's dashboard. */
export const SECRET = 'whsec_chosen_in_the_dashboard';

export type Registration = 'automatic' | 'manual';

/** Where a trigger is published. */
export interface Bed {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
}

/** A workflow that starts with a trigger of the package. */
export interface TriggerWorkflow {
	readonly workflowId: string;
	/** As the provider knows it. */
	readonly webhookUrl: string;
	/** Replaces the credential's fields, besides the product and the base URL. */
	setCredential(fields: Record<string, string>): Promise<void>;
}

/** What may differ from one trigger workflow to another. */
export interface TriggerWorkflowOptions {
	/** The package that the node is from, where it is one of a single service. */
	readonly packageName?: string;
	/** Names of the trigger and of the node after it. */
	readonly names?: readonly [trigger: string, after: string];
	/** The node after it, instead of a No Operation. */
	readonly after?: NodeDefinition;
	/** Further values of the trigger's Options. */
	readonly options?: Readonly<Record<string, unknown>>;
}

/** The credential's fields for a registration with the account's key, or manual with {@link SECRET}. */
export function accountOf(
	{ provider }: TriggerCase,
	registration: Registration,
	{ keys }: Sandbox,
): Record<string, string> {
	return registration === 'automatic' ? { apiKey: keys[provider] } : { signingSecret: SECRET };
}

/**
 * A trigger as a node of a workflow.
 *
 * @param credentialId - of a credential that is named like the trigger
 */
export function triggerNode(
	trigger: TriggerCase,
	credentialId: string,
	parameters: Readonly<Record<string, unknown>>,
	more: Partial<NodeDefinition> = {},
): NodeDefinition {
	return {
		name: 'Trigger',
		type: `${PACKAGE}.${trigger.node}`,
		parameters: { ...trigger.parameters, ...parameters },
		credentials: { [trigger.credential]: { id: credentialId, name: trigger.title } },
		...more,
	};
}

/** Stores a credential and a workflow of a trigger and a node after it, unpublished. */
export async function storeTrigger(
	{ n8n, sandbox }: Bed,
	trigger: TriggerCase,
	registration: Registration,
	credential: Record<string, string>,
	{
		packageName = PACKAGE,
		after,
		names = ['Trigger', after?.name ?? 'After'],
		options = {},
	}: TriggerWorkflowOptions = {},
): Promise<TriggerWorkflow> {
	const { title, credential: type } = trigger;
	const { options: ownOptions, ...selection } = eventParameters(trigger);
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
			triggerNode(
				trigger,
				credentialId,
				{ registration, ...selection, options: { ...ownOptions, ...options } },
				{ name: names[0], type: `${packageName}.${trigger.node}`, webhookId },
			),
			after ?? { name: names[1], type: 'n8n-nodes-base.noOp' },
		],
		connections: chain(...names),
	});
	return {
		workflowId: id,
		webhookUrl: `${ORIGIN}/webhook/${webhookId}/${trigger.path}`,
		setCredential: async (fields) =>
			await n8n.updateCredential(credentialId, title, type, complete(fields)),
	};
}

/** Stores a workflow as {@link storeTrigger} does, and publishes it. */
export async function publishTrigger(
	bed: Bed,
	...how: [TriggerCase, Registration, Record<string, string>, TriggerWorkflowOptions?]
): Promise<TriggerWorkflow> {
	const stored = await storeTrigger(bed, ...how);
	await bed.n8n.publish(stored.workflowId);
	return stored;
}
