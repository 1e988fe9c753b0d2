import { NodeOperationError, type IHookFunctions } from 'n8n-workflow';

/** Any context that knows its node, those of action nodes included. */
export type NodeContext = Pick<IHookFunctions, 'getNode'>;

/**
 * The error for a setting that cannot work. Its message includes what to do, because n8n shows no description of such
 * an error when publishing fails.
 */
export function settingsError(
	context: NodeContext,
	what: string,
	whatToDo: string,
): NodeOperationError {
	return new NodeOperationError(context.getNode(), `${what}. ${whatToDo}.`);
}

/** A value as a message shows it, whatever an expression has returned. */
export function shown(value: unknown): string {
	return typeof value === 'string' ? value : String(JSON.stringify(value));
}
