import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { isJsonObject } from '../jsonObject';
import type { ProviderFamily } from '../provider';
import { answerQuery, claim } from '../recovery/claims';
import { readCommand, type Command } from '../state/commands';
import { ownerOf } from '../state/perTrigger';
import { newestStates } from '../state/recordStore';
import { writeStates } from '../state/triggerState';

/**
 * n8n's `execute()` of a trigger: passes events on unchanged, and problems to the second output. What the trigger
 * tells its own runs ends here, and so does an event that has run before, where missed events are recovered.
 */
export async function executeTrigger(
	context: IExecuteFunctions,
	family: ProviderFamily,
): Promise<INodeExecutionData[][]> {
	const read = context.getInputData().map((item) => ({ item, ...readCommand(item.json) }));
	const mode = context.getMode();
	// A retried run has no static data, so that writing would erase all; whoever retries wants it to run.
	if (mode !== 'manual' && mode !== 'retry') {
		for (const { command } of read) if (command !== undefined) await obey(context, command);
	}
	const events: INodeExecutionData[] = [];
	const problems: INodeExecutionData[] = [];
	for (const { item, command, event } of read) {
		if (event === undefined) continue;
		if (typeof event['problem'] === 'string') problems.push({ ...item, json: event });
		else if (!claims(context) || (await claim(context, family, event, command))) {
			events.push({ ...item, json: event });
		}
	}
	return problems.length === 0 ? [events] : [events, problems];
}

async function obey(context: IExecuteFunctions, command: Command): Promise<void> {
	switch (command.do) {
		case 'save': {
			const owner = ownerOf(context);
			writeStates(context, owner, command.states);
			// The run may have waited while this process went on.
			writeStates(context, owner, newestStates(owner));
			return;
		}
		case 'query':
			return await answerQuery(context, command);
		case 'recover':
	}
}

/** Whether an event has to be one that has not run before. */
function claims(context: IExecuteFunctions): boolean {
	if (context.getMode() === 'manual') return false;
	const options: unknown = context.getNodeParameter('options', 0, {});
	return isJsonObject(options) && options['recoverMissed'] === true;
}
