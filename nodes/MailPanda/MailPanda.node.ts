import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { executeAction } from '../shared/actions/execute';
import { ACTION_OUTPUTS, actionProperties } from '../shared/actions/properties';
import { searchMethods } from '../shared/actions/searchEndpoints';
import { actionSubtitle } from '../shared/editor/texts';
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
		outputs: ACTION_OUTPUTS,
		credentials: [{ name: 'mailPandaApi', required: true }],
		properties: actionProperties(mailPanda),
	};

	methods = searchMethods(mailPanda);

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeAction(this, mailPanda);
	}
}
