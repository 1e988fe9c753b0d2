import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { MetiganApi } from '../../credentials/MetiganApi.credentials';
import { executeAction } from '../shared/action/execute';
import { actionOutputs, actionProperties, actionSubtitle } from '../shared/action/properties';
import { searchMethods } from '../shared/action/listSearch';
import { credentialTests } from '../shared/credentialTest';
import { metigan } from './provider';

export class Metigan implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Metigan',
		name: 'metigan',
		icon: { light: 'file:metigan.svg', dark: 'file:metigan.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: actionSubtitle(metigan),
		description: 'Manage webhook endpoints of Metigan, and sign or verify deliveries',
		defaults: { name: 'Metigan' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: actionOutputs(metigan),
		credentials: [{ name: 'metiganApi', required: true, testedBy: 'testMetiganApi' }],
		properties: actionProperties(metigan),
	};

	methods = { ...searchMethods(metigan), ...credentialTests('testMetiganApi', new MetiganApi()) };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeAction(this, metigan);
	}
}
