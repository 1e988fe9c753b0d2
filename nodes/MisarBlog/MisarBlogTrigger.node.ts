import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MisarBlogApi } from '../../credentials/MisarBlogApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { triggerDescription, triggerMethods } from '../shared/trigger/node';
import { triggerSubtitle } from '../shared/trigger/texts';
import { misarBlog } from './provider';

const { webhookMethods, webhook, trigger, execute } = triggerMethods(misarBlog);

export class MisarBlogTrigger implements INodeType {
	description: INodeTypeDescription = {
		...triggerDescription('Misar.Blog', 'misar-blog', misarBlog),
		displayName: 'Misar.Blog Trigger',
		name: 'misarBlogTrigger',
		icon: { light: 'file:misarBlog.svg', dark: 'file:misarBlog.dark.svg' },
		version: 2,
		subtitle: triggerSubtitle(misarBlog),
		description: 'Starts the workflow when something happens in Misar.Blog',
		defaults: { name: 'Misar.Blog Trigger' },
		credentials: [{ name: 'misarBlogApi', required: true, testedBy: 'testMisarBlogApi' }],
	};

	methods = credentialTests('testMisarBlogApi', new MisarBlogApi(), misarBlog);

	webhookMethods = webhookMethods;

	webhook = webhook;

	trigger = trigger;

	execute = execute;
}
