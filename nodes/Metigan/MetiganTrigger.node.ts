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

import { MetiganApi } from '../../credentials/MetiganApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { receiveDelivery } from '../shared/delivery/receive';
import { triggerSubtitle, triggerTexts } from '../shared/trigger/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/trigger/properties';
import { watchEndpoint } from '../shared/registration/endpointWatch';
import { webhookMethods } from '../shared/registration/lifecycle';
import { passOn } from '../shared/registration/triggerRun';
import { metigan } from './provider';

export class MetiganTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Metigan Trigger',
		name: 'metiganTrigger',
		icon: { light: 'file:metigan.svg', dark: 'file:metigan.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: triggerSubtitle(metigan),
		description: 'Starts the workflow when something happens in Metigan',
		...triggerTexts('Metigan', metigan),
		defaults: { name: 'Metigan Trigger' },
		inputs: [],
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'metiganApi', required: true, testedBy: 'testMetiganApi' }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// Empty: the answer is that of webhook(). n8n's default answers with the word firstEntryJson.
				responseData: '',
				path: 'metigan',
			},
		],
		properties: triggerProperties(metigan),
	};

	methods = credentialTests('testMetiganApi', new MetiganApi());

	webhookMethods = webhookMethods(metigan);

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, metigan);
	}

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		return await watchEndpoint(this, metigan);
	}

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await passOn(this, metigan);
	}
}
