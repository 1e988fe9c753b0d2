import type { IDataObject } from 'n8n-workflow';

import { endpointIdSchema } from '../../api/endpointAnswer';
import { managementOf, openEndpointApi, type EndpointApi } from '../../api/endpoints';
import { settingsError } from '../../errors';
import type { ManagementApi } from '../../provider';
import { readApiOptions } from '../../settings';
import type { ActionCall, Operation } from '../operation';

/** A call of an operation that works through the provider's webhook API. */
export interface EndpointCall extends ActionCall {
	readonly management: ManagementApi;
	readonly api: EndpointApi;
}

/** Makes the `run` of an operation that works through the webhook API. */
export function throughApi(
	work: (call: EndpointCall) => Promise<readonly IDataObject[]>,
): Operation['run'] {
	return async (call) => {
		const { context, itemIndex, provider, credential } = call;
		const management = managementOf(provider);
		const options = readApiOptions(context.getNodeParameter('options', itemIndex, {}));
		const api = openEndpointApi(context, provider, management, credential, {
			...options,
			itemIndex,
		});
		return (await work({ ...call, management, api })).map((json) => ({ json }));
	};
}

/** The id that the parameter Endpoint holds. @throws NodeOperationError when none is chosen */
export function endpointId({ context, itemIndex }: EndpointCall): string {
	const value = context.getNodeParameter('endpoint', itemIndex, '', { extractValue: true });
	const id = endpointIdSchema.safeParse(typeof value === 'string' ? value.trim() : value);
	if (id.success) return id.data;
	throw settingsError(context, 'No endpoint is chosen', 'Choose one from the list or enter its ID');
}

/** An API's answer as plain JSON. */
export function toData(value: Record<string, unknown>): IDataObject {
	return JSON.parse(JSON.stringify(value));
}
