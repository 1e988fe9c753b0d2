import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { MailPandaApi } from '../../credentials/MailPandaApi.credentials';
import { executeAction } from '../shared/action/execute';
import { actionOutputs, actionProperties, actionSubtitle } from '../shared/action/properties';
import { searchMethods } from '../shared/action/listSearch';
import { credentialTests } from '../shared/credentialTest';
import { mailPanda } from './provider';

export class MailPanda implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Mail Panda',
		name: 'mailPanda',
		icon: { light: 'file:mailPanda.svg', dark: 'file:mailPanda.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: actionSubtitle(mailPanda),
		description:
			'Manage webhook endpoints of Mail Panda, record events, and sign or verify deliveries',
		defaults: { name: 'Mail Panda' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: actionOutputs(mailPanda),
		credentials: [{ name: 'mailPandaApi', required: true, testedBy: 'testMailPandaApi' }],
		properties: actionProperties(mailPanda),
	};

	methods = {
		...searchMethods(mailPanda),
		...credentialTests('testMailPandaApi', new MailPandaApi()),
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeAction(this, mailPanda);
	}
}
