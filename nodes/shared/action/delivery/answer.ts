import type { IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import type { RunEnd } from '../../delivery/duplicates';

/** n8n's Webhook node in front of this node, and how it answers if its answer waits for the run. */

const WEBHOOK = 'n8n-nodes-base.webhook';
const RESPOND = 'n8n-nodes-base.respondToWebhook';

const statusSchema = z.object({ options: z.object({ responseCode: z.number() }) });

/**
 * How the provider learns how the run ended: from a Respond to Webhook node, or from n8n at the end.
 * @returns undefined if the Webhook node answers at once
 */
export function lateAnswer(context: IExecuteFunctions): 'byNode' | 'atEnd' | undefined {
	const modes = context
		.getParentNodes(context.getNode().name, { includeNodeParameters: true })
		.filter(({ type, disabled }) => type === WEBHOOK && !disabled)
		.map(({ parameters }) => parameters?.['responseMode'] ?? 'onReceived')
		.filter((mode) => mode !== 'onReceived');
	if (modes.length === 0) return undefined;
	return modes.every((mode) => mode === 'responseNode') ? 'byNode' : 'atEnd';
}

/** How a run of this workflow ended, as n8n's database has it. */
export async function runEnd(context: IExecuteFunctions, executionId: string): Promise<RunEnd> {
	const data = await context.getExecutionDataById(executionId);
	if (data === undefined) {
		// n8n has deleted the execution, because it is set not to keep such ones.
		return context.getWorkflowSettings().saveDataErrorExecution === 'none' ? 'failed' : 'succeeded';
	}
	const { error, lastNodeExecuted = '', runData } = data.resultData;
	// n8n answers 500 in both cases.
	if (error !== undefined || runData[lastNodeExecuted]?.at(-1)?.error !== undefined)
		return 'failed';
	const nodesToCome = data.executionData?.nodeExecutionStack ?? [];
	if (nodesToCome.length > 0 || data.waitTill !== undefined) return 'running';
	const refused = context
		.getChildNodes(context.getNode().name, { includeNodeParameters: true })
		.some(
			({ name, type, parameters }) =>
				type === RESPOND && runData[name] !== undefined && refuses(parameters),
		);
	return refused ? 'failed' : 'succeeded';
}

/** Whether a Respond to Webhook node answers with a status other than 2xx. An expression counts as 2xx. */
function refuses(parameters: unknown): boolean {
	const status = statusSchema.safeParse(parameters).data?.options.responseCode ?? 200;
	return status < 200 || status >= 300;
}
