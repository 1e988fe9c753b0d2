import {
	NodeApiError,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
} from 'n8n-workflow';

import { readCredential } from '../credential';
import { settingsError } from '../errors';
import { providerFor, requireProduct } from '../product';
import type { ActionResult, Operation, ProviderFamily } from '../provider';
import { operationsIn, operationsOf } from './operations';

/**
 * n8n's `execute()` of an action node: runs the chosen operation for each item. With "continue on
 * fail", and for an agent, an item that fails becomes `{ error, details, httpCode }` and the others go on.
 */
export async function executeAction(
	context: IExecuteFunctions,
	family: ProviderFamily,
): Promise<INodeExecutionData[][]> {
	// A tool has one output: an agent has to get every verdict.
	const forAgent = isTool(context);
	const count = forAgent
		? 1
		: (chosenOperation(context, operationsIn(family), 0)?.outputs?.length ?? 1);
	const outputs: INodeExecutionData[][] = Array.from({ length: count }, () => []);
	for (let itemIndex = 0; itemIndex < context.getInputData().length; itemIndex++) {
		const pairedItem = { item: itemIndex };
		const results = await runItem(context, family, itemIndex);
		if (!(results instanceof Error)) {
			for (const { output = 0, ...item } of results) {
				outputs[Math.min(output, outputs.length - 1)]?.push({ ...item, pairedItem });
			}
		} else if (goesOn(context, forAgent)) {
			outputs.at(-1)?.push({ json: failureItem(context, results), pairedItem });
		} else throw results;
	}
	return outputs;
}

/** Whether the others go on after an item has failed. Of an error, n8n would tell an agent the message only. */
function goesOn(context: IExecuteFunctions, forAgent: boolean): boolean {
	return context.continueOnFail() || (forAgent && context.getNode().onError !== 'stopWorkflow');
}

/**
 * What went wrong, with the provider's own words and what to do. n8n sends an item to the error output only if it has
 * nothing but `error` and `message`.
 */
function failureItem(context: IExecuteFunctions, failure: Error): IDataObject {
	const error = failure.message;
	if (!(failure instanceof NodeApiError)) return { error };
	const details = failure.description ?? '';
	if (context.getNode().onError === 'continueErrorOutput') return { error, message: details };
	const { httpCode } = failure;
	return { error, details, ...(httpCode === null ? {} : { httpCode }) };
}

/**
 * n8n adds "Tool" to the type of a node that an agent uses. Its outputs would tell as well, but they are an
 * expression, and n8n's default engine takes milliseconds to evaluate one.
 */
function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool');
}

async function runItem(
	context: IExecuteFunctions,
	family: ProviderFamily,
	itemIndex: number,
): Promise<readonly ActionResult[] | Error> {
	try {
		return await runOperation(context, family, itemIndex);
	} catch (error) {
		if (error instanceof NodeApiError) return error;
		if (error instanceof NodeOperationError) {
			error.context['itemIndex'] = itemIndex;
			return error;
		}
		const message = error instanceof Error ? error.message : String(error);
		return new NodeOperationError(context.getNode(), message, { itemIndex });
	}
}

async function runOperation(
	context: IExecuteFunctions,
	family: ProviderFamily,
	itemIndex: number,
): Promise<readonly ActionResult[]> {
	const product = family[0].product && context.getNodeParameter('product', itemIndex);
	const provider = providerFor(context, family, product);
	const credential = await readCredential(
		{
			getNode: () => context.getNode(),
			getCredentials: async (type) => await context.getCredentials(type, itemIndex),
		},
		provider,
	);
	requireProduct(context, family, provider, credential, 'node');
	const operation = chosenOperation(context, operationsOf(provider), itemIndex);
	if (operation !== undefined) {
		return await operation.run({ context, itemIndex, provider, family, credential });
	}
	const { resource, operation: name } = choice(context, itemIndex);
	throw settingsError(
		context,
		`${provider.displayName} has no API for "${[name, resource].filter(Boolean).join(' ')}"`,
		'Choose another product or operation',
	);
}

function chosenOperation(
	context: IExecuteFunctions,
	operations: readonly Operation[],
	itemIndex: number,
): Operation | undefined {
	const { resource, operation: value } = choice(context, itemIndex);
	return operations.find((one) => one.resource.value === resource && one.value === value);
}

function choice(context: IExecuteFunctions, itemIndex: number) {
	return {
		resource: String(context.getNodeParameter('resource', itemIndex, '')),
		operation: String(context.getNodeParameter('operation', itemIndex, '')),
	};
}
