import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MisarApi } from '../../credentials/MisarApi.credentials';
import { credentialTests } from '../shared/credentialTest';
import { triggerDescription, triggerMethods } from '../shared/trigger/node';
import { triggerSubtitle } from '../shared/trigger/texts';
import { misar } from './provider';

const { webhookMethods, webhook, trigger, execute } = triggerMethods(misar);

export class MisarTrigger implements INodeType {
	description: INodeTypeDescription = {
		...triggerDescription('Misar', 'misar', misar),
		displayName: 'Misar Trigger',
		name: 'misarTrigger',
		icon: { light: 'file:misar.svg', dark: 'file:misar.dark.svg' },
		version: 2,
		subtitle: triggerSubtitle(misar),
		description: 'Starts the workflow when something happens in a Misar product',
		defaults: { name: 'Misar Trigger' },
		credentials: [{ name: 'misarApi', required: true, testedBy: 'testMisarApi' }],
	};

	methods = credentialTests('testMisarApi', new MisarApi(), misar);

	webhookMethods = webhookMethods;

	webhook = webhook;

	trigger = trigger;

	execute = execute;
}
