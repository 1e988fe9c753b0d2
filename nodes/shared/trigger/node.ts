import type {
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
	ITriggerFunctions,
	IWebhookFunctions,
} from 'n8n-workflow';

import type { ProviderFamily } from '../provider';
import { executeTrigger } from './execute';
import { webhookMethods } from './hooks';
import { outputsExpression } from './outputs';
import { triggerProperties } from './properties';
import { triggerTexts } from './texts';
import { watchEndpoint } from './watch';
import { receiveDelivery } from './webhook';

/**
 * What the descriptions of all triggers have in common; n8n's lint wants the rest written out in the class. Their
 * version is 2, although there never was a 1: for each delivery to a node of version 1, n8n evaluates an expression,
 * which takes longer than all the rest (`parseRequestBody` in n8n's webhook-helpers.js).
 *
 * @param name - what the user calls the provider, e.g. "Example Mail"
 * @param path - last part of the webhook URL
 */
export function triggerDescription(name: string, path: string, family: ProviderFamily) {
	return {
		...triggerTexts(name, family),
		group: ['trigger'],
		inputs: [],
		outputs: outputsExpression(family),
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// Empty: the answer is that of webhook(). n8n's default answers with the word firstEntryJson.
				responseData: '',
				// The same for each product: a path that names it would be an expression, which n8n evaluates for each delivery
				// (`getNodeWebhooks` in n8n's webhook.service.js).
				path,
			},
		],
		properties: triggerProperties(family),
		builderHint: {
			searchHint: `Receives, verifies and de-duplicates the webhooks of ${name} by itself: put no Webhook, Crypto or Remove Duplicates node in front of it. Choose the events here instead of filtering them with an IF or Switch node afterwards; the option Output per Event gives each an output of its own. What the provider sent about the event is in the field data.`,
		},
	} satisfies Partial<INodeTypeDescription>;
}

/** The methods of a trigger that n8n calls. */
export function triggerMethods(family: ProviderFamily) {
	return {
		webhookMethods: webhookMethods(family),
		async webhook(this: IWebhookFunctions) {
			return await receiveDelivery(this, family);
		},
		async trigger(this: ITriggerFunctions) {
			return await watchEndpoint(this, family);
		},
		async execute(this: IExecuteFunctions) {
			return await executeTrigger(this, family);
		},
	} satisfies Partial<INodeType>;
}
