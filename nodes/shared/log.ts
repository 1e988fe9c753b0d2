import type { IHookFunctions } from 'n8n-workflow';

/** What is needed to write about a node to n8n's log. */
type LogContext = Pick<IHookFunctions, 'logger' | 'getWorkflow' | 'getNode'>;

/** Writes a warning about a node to n8n's log. */
export function warn(context: LogContext, message: string): void {
	context.logger.warn(message, {
		workflowId: context.getWorkflow().id,
		node: context.getNode().name,
	});
}

/** The message of something that was thrown, for a log. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
