import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MetiganApi } from '../../credentials/MetiganApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { triggerDescription, triggerMethods } from '../shared/trigger/node';
import { triggerSubtitle } from '../shared/trigger/texts';
import { metigan } from './provider';

const { webhookMethods, webhook, trigger, execute } = triggerMethods(metigan);

export class MetiganTrigger implements INodeType {
	description: INodeTypeDescription = {
		...triggerDescription('Metigan', 'metigan', metigan),
		displayName: 'Metigan Trigger',
		name: 'metiganTrigger',
		icon: { light: 'file:metigan.svg', dark: 'file:metigan.dark.svg' },
		version: 2,
		subtitle: triggerSubtitle(metigan),
		description: 'Starts the workflow when something happens in Metigan',
		defaults: { name: 'Metigan Trigger' },
		credentials: [{ name: 'metiganApi', required: true, testedBy: 'testMetiganApi' }],
	};

	methods = credentialTests('testMetiganApi', new MetiganApi(), metigan);

	webhookMethods = webhookMethods;

	webhook = webhook;

	trigger = trigger;

	execute = execute;
}
