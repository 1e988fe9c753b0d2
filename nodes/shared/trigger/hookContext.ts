import type { IHookFunctions } from 'n8n-workflow';

import { ownerOf } from '../state/perTrigger';
import { RecordStore } from '../state/recordStore';

/** What every hook of a trigger asks of n8n. */

export function storeOf(context: IHookFunctions): RecordStore {
	const owner = ownerOf(context);
	return isTestListener(context)
		? RecordStore.ofListener(context, owner)
		: RecordStore.ofHook(context, owner);
}

export function webhookUrlOf(context: IHookFunctions): string {
	return context.getNodeWebhookUrl('default') ?? '';
}

/** While n8n listens for a test event, it treats the workflow as unpublished. */
export function isTestListener(context: IHookFunctions): boolean {
	return context.getMode() === 'manual' || !context.getWorkflow().active;
}
