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

import { MailPandaApi } from '../../credentials/MailPandaApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { receiveDelivery } from '../shared/delivery/receive';
import { triggerSubtitle, triggerTexts } from '../shared/trigger/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/trigger/properties';
import { watchEndpoint } from '../shared/registration/endpointWatch';
import { webhookMethods } from '../shared/registration/lifecycle';
import { passOn } from '../shared/registration/triggerRun';
import { mailPanda } from './provider';

export class MailPandaTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Mail Panda Trigger',
		name: 'mailPandaTrigger',
		icon: { light: 'file:mailPanda.svg', dark: 'file:mailPanda.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: triggerSubtitle(mailPanda),
		description: 'Starts the workflow when something happens in Mail Panda',
		...triggerTexts('Mail Panda', mailPanda),
		defaults: { name: 'Mail Panda Trigger' },
		inputs: [],
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'mailPandaApi', required: true, testedBy: 'testMailPandaApi' }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// Empty: the answer is that of webhook(). n8n's default answers with the word firstEntryJson.
				responseData: '',
				path: 'mail-panda',
			},
		],
		properties: triggerProperties(mailPanda),
	};

	methods = credentialTests('testMailPandaApi', new MailPandaApi());

	webhookMethods = webhookMethods(mailPanda);

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, mailPanda);
	}

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		return await watchEndpoint(this, mailPanda);
	}

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await passOn(this, mailPanda);
	}
}
