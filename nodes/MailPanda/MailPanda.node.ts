import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MailPandaApi } from '../../credentials/MailPandaApi.credentials';
import { searchMethods } from '../shared/action/listSearch';
import { actionDescription, actionMethods } from '../shared/action/node';
import { actionSubtitle } from '../shared/action/properties';
import { credentialTests } from '../shared/credentialTest';
import { mailPanda } from './provider';

const { execute } = actionMethods(mailPanda);

export class MailPanda implements INodeType {
	description: INodeTypeDescription = {
		...actionDescription(mailPanda),
		displayName: 'Mail Panda',
		name: 'mailPanda',
		icon: { light: 'file:mailPanda.svg', dark: 'file:mailPanda.dark.svg' },
		version: 1,
		subtitle: actionSubtitle(mailPanda),
		description:
			'Manage webhook endpoints of Mail Panda, record events, and sign or verify deliveries',
		defaults: { name: 'Mail Panda' },
		usableAsTool: true,
		credentials: [{ name: 'mailPandaApi', required: true, testedBy: 'testMailPandaApi' }],
	};

	methods = {
		...searchMethods(mailPanda),
		...credentialTests('testMailPandaApi', new MailPandaApi(), mailPanda),
	};

	execute = execute;
}
