import {
	NodeConnectionTypes,
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';

import { receiveDelivery } from '../shared/delivery';
import { triggerSubtitle, triggerTexts } from '../shared/editorTexts';
import { createEndpoint, deleteEndpoint, endpointExists } from '../shared/registration';
import { triggerProperties } from '../shared/triggerProperties';
import { misar } from './provider';

export class MisarTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Misar Trigger',
		name: 'misarTrigger',
		icon: { light: 'file:misar.svg', dark: 'file:misar.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: triggerSubtitle(misar),
		description: 'Starts the workflow when something happens in a Misar product',
		...triggerTexts('Misar', misar),
		defaults: { name: 'Misar Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'misarApi', required: true }],
		webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'misar' }],
		properties: triggerProperties(misar),
	};

	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				return await endpointExists(this, misar);
			},
			async create(this: IHookFunctions): Promise<boolean> {
				return await createEndpoint(this, misar);
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				return await deleteEndpoint(this, misar);
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, misar);
	}
}
