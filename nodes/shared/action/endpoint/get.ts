import type { Operation } from '../../provider';
import { RESOURCES } from '../resources';
import { asOutput, endpointId, endpointOutput, throughApi } from './call';
import { ENDPOINT, reachFields } from './fields';

export const get: Operation = {
	resource: RESOURCES.endpoint,
	value: 'get',
	name: 'Get',
	action: 'Get webhook endpoint',
	description: 'Retrieve an endpoint',
	offered: ({ api }) => api?.operations.get,
	properties: (provider) => [ENDPOINT, ...reachFields(provider)],
	output: endpointOutput,
	run: throughApi(async (call) => [asOutput(await call.api.get(endpointId(call)))]),
};
