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
import { triggerSubtitle, triggerTexts } from '../shared/editor/texts';
import { TRIGGER_OUTPUTS, triggerProperties } from '../shared/editor/triggerProperties';
import { executeTrigger } from '../shared/trigger/execute';
import { webhookMethods } from '../shared/trigger/hooks';
import { watchEndpoint } from '../shared/trigger/watch';
import { receiveDelivery } from '../shared/trigger/webhook';
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
		return await executeTrigger(this, misarBlog);
	}
}
