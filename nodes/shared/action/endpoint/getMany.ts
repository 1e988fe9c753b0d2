import type { Operation } from '../../provider';
import { limitFields, readLimit } from '../limit';
import { RESOURCES } from '../resources';
import { asOutput, endpointOutput, throughApi } from './call';
import { reachFields } from './fields';

export const getMany: Operation = {
	resource: RESOURCES.endpoint,
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many webhook endpoints',
	description: 'List endpoints',
	isDefault: true,
	offered: ({ api }) => api && 'documented',
	properties: (provider) => [...limitFields('endpoints'), ...reachFields(provider)],
	output: endpointOutput,
	run: throughApi(async (call) => (await call.api.list(readLimit(call))).map(asOutput)),
};
