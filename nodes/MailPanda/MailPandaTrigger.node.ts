import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MailPandaApi } from '../../credentials/MailPandaApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { triggerDescription, triggerMethods } from '../shared/trigger/node';
import { triggerSubtitle } from '../shared/trigger/texts';
import { mailPanda } from './provider';

const { webhookMethods, webhook, trigger, execute } = triggerMethods(mailPanda);

export class MailPandaTrigger implements INodeType {
	description: INodeTypeDescription = {
		...triggerDescription('Mail Panda', 'mail-panda', mailPanda),
		displayName: 'Mail Panda Trigger',
		name: 'mailPandaTrigger',
		icon: { light: 'file:mailPanda.svg', dark: 'file:mailPanda.dark.svg' },
		version: 2,
		subtitle: triggerSubtitle(mailPanda),
		description: 'Starts the workflow when something happens in Mail Panda',
		defaults: { name: 'Mail Panda Trigger' },
		credentials: [{ name: 'mailPandaApi', required: true, testedBy: 'testMailPandaApi' }],
	};

	methods = credentialTests('testMailPandaApi', new MailPandaApi(), mailPanda);

	webhookMethods = webhookMethods;

	webhook = webhook;

	trigger = trigger;

	execute = execute;
}
