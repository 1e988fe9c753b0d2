import type { INodeProperties } from 'n8n-workflow';

import type { Operation } from '../../provider';
import { endpointId, throughApi, toData } from '../endpoint/call';
import { ENDPOINT, reachFields } from '../endpoint/fields';
import { limitFields, readLimit } from '../limit';
import { RESOURCES } from '../resources';
import { hasFailed } from './attempt';

const FAILED_ONLY: INodeProperties = {
	displayName: 'Failed Only',
	name: 'failedOnly',
	type: 'boolean',
	default: false,
	description: 'Whether to return only attempts that failed',
};

export const getMany: Operation = {
	resource: RESOURCES.delivery,
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many delivery attempts',
	description: 'List the last delivery attempts of an endpoint, 100 at most',
	isDefault: true,
	offered: ({ api }) => api?.operations.deliveries,
	properties: (provider) => [
		ENDPOINT,
		...limitFields('deliveries'),
		FAILED_ONLY,
		...reachFields(provider),
	],
	output: () => undefined,
	run: throughApi(async (call) => {
		const attempts = await call.api.deliveries(endpointId(call));
		const failedOnly = call.context.getNodeParameter('failedOnly', call.itemIndex, false) === true;
		const wanted = failedOnly ? attempts.filter(hasFailed) : attempts;
		return wanted.slice(0, readLimit(call)).map(toData);
	}),
};
