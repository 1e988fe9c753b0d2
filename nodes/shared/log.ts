import type { IHookFunctions } from 'n8n-workflow';

import { triggerKey, type Owner } from './perTrigger';

/** What is needed to write about a node to n8n's log. */
type LogContext = Pick<IHookFunctions, 'logger' | 'getWorkflow' | 'getNode'>;

const MAX_KNOWN = 1_000;
const known = new Set<string>();

/** Writes a warning about a node to n8n's log. */
export function warn(context: LogContext, message: string): void {
	context.logger.warn(message, {
		workflowId: context.getWorkflow().id,
		node: context.getNode().name,
	});
}

/** The same, once for each node and cause: there can be thousands of deliveries and forgeries. */
export function warnOnce(context: LogContext, owner: Owner, cause: string, message: string): void {
	const key = `${triggerKey(owner)} ${cause}`;
	if (known.has(key)) return;
	if (known.size >= MAX_KNOWN) known.clear();
	known.add(key);
	warn(context, message);
}

/** The message of something that was thrown, for a log. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
