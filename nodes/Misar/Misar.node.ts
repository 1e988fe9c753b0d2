import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { MisarApi } from '../../credentials/MisarApi.credentials';
import { executeAction } from '../shared/action/execute';
import { actionOutputs, actionProperties, actionSubtitle } from '../shared/action/properties';
import { searchMethods } from '../shared/action/listSearch';
import { credentialTests } from '../shared/credentialTest';
import { misar } from './provider';

export class Misar implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Misar',
		name: 'misar',
		icon: { light: 'file:misar.svg', dark: 'file:misar.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: actionSubtitle(misar),
		description: 'Manage webhook endpoints of Misar products, and sign or verify deliveries',
		defaults: { name: 'Misar' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: actionOutputs(misar),
		credentials: [{ name: 'misarApi', required: true, testedBy: 'testMisarApi' }],
		properties: actionProperties(misar),
	};

	methods = { ...searchMethods(misar), ...credentialTests('testMisarApi', new MisarApi()) };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeAction(this, misar);
	}
}
