import { NodeOperationError, type IExecuteFunctions, type INodeExecutionData } from 'n8n-workflow';

import { isJsonObject } from '../jsonObject';
import type { ProviderFamily } from '../provider';
import { answerQuery, claim } from '../recovery/claims';
import { readCommand, type Command } from '../state/commands';
import { ownerOf } from '../state/perTrigger';
import { newestStates } from '../state/recordStore';
import { writeStates } from '../state/triggerState';
import { eventOutputs, outputFor } from './outputs';

/**
 * n8n's `execute()` of a trigger: passes events on unchanged, and problems to the last output. Carries out what the
 * trigger tells its own runs, and drops an event that has run before, if missed events are recovered.
 * @throws NodeOperationError with the report for whoever listens for a test event, or for an event without an output
 */
export async function executeTrigger(
	context: IExecuteFunctions,
	family: ProviderFamily,
): Promise<INodeExecutionData[][]> {
	const read = context.getInputData().map((item) => ({ item, ...readCommand(item.json) }));
	for (const { command } of read) if (command?.do === 'tell') throw refusal(context, command);
	const mode = context.getMode();
	// A retried run has no static data, so writing would erase everything; its event is to run in any case.
	if (mode !== 'manual' && mode !== 'retry') {
		for (const { command } of read) if (command !== undefined) await obey(context, command);
	}
	const outputs = eventOutputs(context, family);
	const byOutput = outputs.map((): INodeExecutionData[] => []);
	const problems: INodeExecutionData[] = [];
	for (const { item, command, event } of read) {
		if (event === undefined) continue;
		if (typeof event['problem'] === 'string') problems.push({ ...item, json: event });
		else if (!claims(context) || (await claim(context, family, event, command))) {
			byOutput[outputFor(context, outputs, event['event'])]?.push({ ...item, json: event });
		}
	}
	if (problems.length > 0) return [...byOutput, problems];
	if (byOutput.every((events) => events.length === 0)) explainEmptyRun(context, read[0]?.command);
	return byOutput;
}

/** Explains runs that pass nothing on: the editor's “No output data” reads as if an event were lost. */
const EMPTY_RUNS: Readonly<Partial<Record<Command['do'], string>>> = {
	save: 'No event arrived: in this run the trigger saved what it knows of its endpoint.',
	query: 'No event arrived: in this run the trigger looked up which events have already run.',
	recover: 'This event has run before, so it did not run again.',
};

function explainEmptyRun(context: IExecuteFunctions, command: Command | undefined): void {
	const message = command && EMPTY_RUNS[command.do];
	if (message === undefined) return;
	context.addExecutionHints({ message, type: 'info', location: 'outputPane' });
}

async function obey(context: IExecuteFunctions, command: Command): Promise<void> {
	switch (command.do) {
		case 'save': {
			const owner = ownerOf(context);
			writeStates(context, owner, command.states);
			// This process may know newer states, because the run may have waited.
			writeStates(context, owner, newestStates(owner));
			return;
		}
		case 'query':
			return await answerQuery(context, command);
		case 'recover':
		case 'tell':
	}
}

function refusal(
	context: IExecuteFunctions,
	{ message, description }: Extract<Command, { do: 'tell' }>,
): NodeOperationError {
	return new NodeOperationError(context.getNode(), message, { description });
}

/** Whether an event that has run before must not run again. */
function claims(context: IExecuteFunctions): boolean {
	if (context.getMode() === 'manual') return false;
	const options: unknown = context.getNodeParameter('options', 0, {});
	return isJsonObject(options) && options['recoverMissed'] === true;
}
