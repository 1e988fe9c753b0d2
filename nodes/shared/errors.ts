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
