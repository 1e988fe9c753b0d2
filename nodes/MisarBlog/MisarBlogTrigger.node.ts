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

import { MisarBlogApi } from '../../credentials/MisarBlogApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { receiveDelivery } from '../shared/delivery/receive';
import { triggerSubtitle, triggerTexts } from '../shared/trigger/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/trigger/properties';
import { watchEndpoint } from '../shared/registration/endpointWatch';
import { webhookMethods } from '../shared/registration/lifecycle';
import { passOn } from '../shared/registration/triggerRun';
import { misarBlog } from './provider';

export class MisarBlogTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Misar.Blog Trigger',
		name: 'misarBlogTrigger',
		icon: { light: 'file:misarBlog.svg', dark: 'file:misarBlog.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: triggerSubtitle(misarBlog),
		description: 'Starts the workflow when something happens in Misar.Blog',
		...triggerTexts('Misar.Blog', misarBlog),
		defaults: { name: 'Misar.Blog Trigger' },
		inputs: [],
		outputs: TRIGGER_OUTPUTS,
		credentials: [{ name: 'misarBlogApi', required: true, testedBy: 'testMisarBlogApi' }],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				// Empty: the answer is that of webhook(). n8n's default answers with the word firstEntryJson.
				responseData: '',
				path: 'misar-blog',
			},
		],
		properties: triggerProperties(misarBlog),
	};

	methods = credentialTests('testMisarBlogApi', new MisarBlogApi());

	webhookMethods = webhookMethods(misarBlog);

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await receiveDelivery(this, misarBlog);
	}

	async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
		return await watchEndpoint(this, misarBlog);
	}

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await passOn(this, misarBlog);
	}
}
