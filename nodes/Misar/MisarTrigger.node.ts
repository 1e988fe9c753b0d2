import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	ITriggerFunctions,
	ITriggerResponse,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';

import { MisarApi } from '../../credentials/MisarApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { receiveDelivery } from '../shared/delivery/receive';
import { triggerSubtitle, triggerTexts } from '../shared/trigger/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/trigger/properties';
import { watchEndpoint } from '../shared/registration/endpointWatch';
import { webhookMethods } from '../shared/registration/lifecycle';
import { passOn } from '../shared/registration/triggerRun';
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
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'misarApi', required: true, testedBy: 'testMisarApi' }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// Empty: the answer is that of webhook(). n8n's default answers with the word firstEntryJson.
				responseData: '',
				path: 'misar',
			},
		],
		properties: triggerProperties(misar),
	};

	methods = credentialTests('testMisarApi', new MisarApi());

	webhookMethods = webhookMethods(misar);

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, misar);
	}

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		return await watchEndpoint(this, misar);
	}

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await passOn(this, misar);
	}
}
