import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { isJsonObject } from '../jsonObject';
import { applyState } from './record';

/**
 * Marks an item that carries what a trigger has to remember. No delivery can look like it: `webhook()`
 * makes the top level of each item itself.
 */
const STATE_KEY = 'endpointState';

/**
 * The item whose run saves what the trigger remembers of its endpoint.
 * @param since epoch milliseconds at which the check began that found it out
 */
export function stateItem(state: IDataObject, since: number): IDataObject {
	return { [STATE_KEY]: state, since };
}

/**
 * n8n's `execute()` of a trigger: hands deliveries on as they came, problems to the second output.
 * A run that only saves what the trigger remembers ends here, with static data as it is now.
 */
export function passOn(context: IExecuteFunctions): INodeExecutionData[][] {
	const items = context.getInputData();
	const { [STATE_KEY]: state, since } = items[0]?.json ?? {};
	if (isJsonObject(state) && context.getMode() !== 'manual') {
		applyState(context, state, Number(since));
		return [[]];
	}
	if (!items.some(isProblem)) return [items];
	return [items.filter((item) => !isProblem(item)), items.filter(isProblem)];
}

function isProblem({ json }: INodeExecutionData): boolean {
	return typeof json['problem'] === 'string';
}
