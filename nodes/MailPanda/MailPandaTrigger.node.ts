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
import { triggerSubtitle, triggerTexts } from '../shared/editor/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/editor/triggerProperties';
import { executeTrigger } from '../shared/trigger/execute';
import { webhookMethods } from '../shared/trigger/hooks';
import { watchEndpoint } from '../shared/trigger/watch';
import { receiveDelivery } from '../shared/trigger/webhook';
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
		return await executeTrigger(this, mailPanda);
	}
}
