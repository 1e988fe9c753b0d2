import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { numberSchema, readParameter, type ActionItem } from './parameter';

const limitSchema = numberSchema.pipe(z.number().int().min(1));

/**
 * The parameters for how many results to return.
 * @param noun - what is listed, in the plural
 */
export function limitFields(noun: string): INodeProperties[] {
	return [
		{
			displayName: 'Return All',
			name: 'returnAll',
			type: 'boolean',
			default: false,
			description: 'Whether to return all results or only up to a given limit',
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			description: 'Max number of results to return',
			hint: `How many ${noun} at most`,
			displayOptions: { show: { returnAll: [false] } },
		},
	];
}

/** The limit that the user chose; Infinity for all. @throws NodeOperationError for anything but a number from 1 */
export function readLimit(item: ActionItem): number {
	const all = item.context.getNodeParameter('returnAll', item.itemIndex) === true;
	return all ? Number.POSITIVE_INFINITY : readParameter(item, 'limit', limitSchema);
}
