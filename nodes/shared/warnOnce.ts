import type { IWebhookFunctions } from 'n8n-workflow';

import type { Owner } from './registrationRecord';

const MAX_KNOWN = 1_000;
const known = new Set<string>();

/**
 * Writes a warning to n8n's log, once for each node and cause: deliveries and forgeries come by the
 * thousand.
 */
export function warnOnce(
	context: IWebhookFunctions,
	{ workflowId, nodeId }: Owner,
	cause: string,
	message: string,
): void {
	const key = JSON.stringify([workflowId, nodeId, cause]);
	if (known.has(key)) return;
	if (known.size >= MAX_KNOWN) known.clear();
	known.add(key);
	context.logger.warn(message, { workflowId, node: context.getNode().name });
}
