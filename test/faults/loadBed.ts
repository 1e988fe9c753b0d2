import { randomUUID } from 'node:crypto';

import { startSandbox, type Sandbox } from '../../sandbox';
import { chain, startN8n, type N8nHost } from '../n8n-host/driver';
import { packedPackage } from '../n8n-host/packedPackage';
import { eventParameters, type TriggerCase } from '../triggers';

/** The public-looking origin n8n registers its webhooks under. */
export const ORIGIN = 'https://n8n.example.com';

/**
 * n8n's expression engine without an isolate for each webhook call and each run, which takes most of
 * n8n's time otherwise and has no part in what is tested.
 */
export const FAST_EXPRESSIONS = { N8N_EXPRESSION_ENGINE: 'legacy' };

/** A real n8n with the packed package, and the sandbox that delivers to it. */
export interface LoadBed {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
}

export interface BedOptions {
	/** Factor from the provider's retry intervals to real ones, see `SandboxOptions`. */
	readonly retryTimeScale?: number;
	/** Extra environment variables for n8n. */
	readonly env?: Record<string, string>;
}

/** Runs a test between a fresh n8n and a fresh sandbox, and ends both whatever happens. */
export async function withBed(
	{ retryTimeScale, env }: BedOptions,
	test: (bed: LoadBed) => Promise<void>,
): Promise<void> {
	const tarball = packedPackage();
	const sandbox = await startSandbox(retryTimeScale === undefined ? {} : { retryTimeScale });
	try {
		const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, ...(env && { env }) });
		try {
			sandbox.setRoute(ORIGIN, n8n.url);
			await test({ n8n, sandbox });
		} finally {
			await n8n.stop();
		}
	} finally {
		await sandbox.close();
	}
}

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
	{ n8n, sandbox }: LoadBed,
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
