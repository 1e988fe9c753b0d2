import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { isJsonObject } from '../jsonObject';
import type { ProviderFamily } from '../provider';
import { admit, answerQuestion } from '../recovery/admission';
import { applyState } from './record';

/**
 * Marks an item that carries what a trigger has to remember. No delivery can look like it: `webhook()`
 * makes the top level of each item itself.
 */
const STATE_KEY = 'endpointState';

/**
 * The item whose run saves what the trigger remembers of its endpoint.
 * @param since epoch milliseconds at which the check began that produced it
 */
export function stateItem(state: IDataObject, since: number): IDataObject {
	return { [STATE_KEY]: state, since };
}

/**
 * n8n's `execute()` of a trigger: passes deliveries on unchanged, and problems to the second output.
 * A run that only saves what the trigger remembers, or answers a question of the trigger's, ends here; so
 * does one whose event has run before, where missed events are recovered.
 */
export async function passOn(
	context: IExecuteFunctions,
	family: ProviderFamily,
): Promise<INodeExecutionData[][]> {
	const items = [...context.getInputData()];
	const { json = {} } = items[0] ?? {};
	if (context.getMode() !== 'manual') {
		const { [STATE_KEY]: state, since } = json;
		if (isJsonObject(state)) {
			applyState(context, state, Number(since));
			return [[]];
		}
		// Whoever retries a run wants it to run again.
		if (context.getMode() !== 'retry' && recoversMissed(context)) {
			if (await answerQuestion(context, json)) return [[]];
			const admitted = await admit(context, family, json);
			if (admitted === undefined) return [[]];
			items.splice(0, 1, { ...items[0], json: admitted });
		}
	}
	if (!items.some(isProblem)) return [items];
	return [items.filter((item) => !isProblem(item)), items.filter(isProblem)];
}

function recoversMissed(context: IExecuteFunctions): boolean {
	const options: unknown = context.getNodeParameter('options', 0, {});
	return isJsonObject(options) && options['recoverMissed'] === true;
}

function isProblem({ json }: INodeExecutionData): boolean {
	return typeof json['problem'] === 'string';
}
