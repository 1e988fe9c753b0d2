import {
	NodeApiError,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type ILoadOptionsFunctions,
	type INodeExecutionData,
	type INodeListSearchResult,
} from 'n8n-workflow';

import { providerFor, requireProduct } from '../product';
import { offeredAction } from './endpoint';
import { openEndpointApi } from '../api/endpoints';
import type { ProviderFamily } from '../provider';
import { signPayload, verifyPayload } from './signature';
import { readApiOptions } from '../settings';
import { readCredential } from '../credential';
import { settingsError } from '../errors';

/** Items of one input item, and the output they leave by. */
interface Result {
	readonly output: 0 | 1;
	readonly items: INodeExecutionData[];
}

/**
 * n8n's `execute()` of an action node: runs the chosen operation for each item. With "continue on
 * fail" an item that cannot be done yields `{ error }` and the others go on.
 */
export async function executeAction(
	context: IExecuteFunctions,
	family: ProviderFamily,
): Promise<INodeExecutionData[][]> {
	const verifies =
		context.getNodeParameter('resource', 0, '') === 'signature' &&
		context.getNodeParameter('operation', 0, '') === 'verify';
	// A tool has one output: an agent has to get the verdict "invalid" as well.
	const apart = verifies && context.getNodeOutputs().length > 1;
	const outputs: INodeExecutionData[][] = apart ? [[], []] : [[]];
	for (let itemIndex = 0; itemIndex < context.getInputData().length; itemIndex++) {
		const result = await runItem(context, family, itemIndex);
		if (!(result instanceof Error)) outputs[apart ? result.output : 0]?.push(...result.items);
		else if (context.continueOnFail()) {
			outputs.at(-1)?.push({ json: { error: result.message }, pairedItem: { item: itemIndex } });
		} else throw result;
	}
	return outputs;
}

async function runItem(
	context: IExecuteFunctions,
	family: ProviderFamily,
	itemIndex: number,
): Promise<Result | Error> {
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
): Promise<Result> {
	const product = family[0].product && context.getNodeParameter('product', itemIndex);
	const provider = providerFor(context, family, product);
	const resource = String(context.getNodeParameter('resource', itemIndex, ''));
	const operation = String(context.getNodeParameter('operation', itemIndex, ''));
	const credential = await readCredential(
		{
			getNode: () => context.getNode(),
			getCredentials: async (type) => await context.getCredentials(type, itemIndex),
		},
		provider,
	);
	requireProduct(context, family, provider, credential, 'node');
	const pairedItem = { item: itemIndex };

	if (resource === 'signature') {
		const call = { context, itemIndex, provider, credential };
		const input = context.getInputData()[itemIndex];
		// The next node sends, or works on, the very bytes that the signature is about.
		const binary = input?.binary === undefined ? {} : { binary: input.binary };
		if (operation === 'sign') {
			return { output: 0, items: [{ json: await signPayload(call), ...binary, pairedItem }] };
		}
		const verification = await verifyPayload(call);
		const json: IDataObject = { ...input?.json, verification };
		return { output: verification.valid ? 0 : 1, items: [{ json, ...binary, pairedItem }] };
	}

	const action = provider.api && offeredAction(provider.api, resource, operation);
	if (provider.api === undefined || action === undefined) {
		throw settingsError(
			context,
			`${provider.displayName} has no API for "${[operation, resource].filter(Boolean).join(' ')}"`,
			'Choose another product or operation',
		);
	}
	const options = readApiOptions(context.getNodeParameter('options', itemIndex, {}));
	const api = openEndpointApi(context, provider, provider.api, credential, {
		...options,
		itemIndex,
	});
	const results = await action({ context, itemIndex, provider, management: provider.api, api });
	return { output: 0, items: results.map((json) => ({ json, pairedItem })) };
}

/** The endpoints of the account for the resource locator, by their URL. */
export async function searchEndpoints(
	context: ILoadOptionsFunctions,
	family: ProviderFamily,
	filter = '',
): Promise<INodeListSearchResult> {
	const product = family[0].product && context.getCurrentNodeParameter('product');
	const provider = providerFor(context, family, product);
	if (provider.api === undefined) return { results: [] };
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'node');
	const options = readApiOptions(context.getCurrentNodeParameter('options') ?? {});
	const all = await openEndpointApi(context, provider, provider.api, credential, options).list();
	const wanted = filter.toLowerCase();
	return {
		results: all
			.map(({ id, url = `Endpoint ${id}`, active }) => ({
				name: active ? url : `${url} (inactive)`,
				value: id,
			}))
			.filter(({ name }) => name.toLowerCase().includes(wanted)),
	};
}
