import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { MisarBlogApi } from '../../credentials/MisarBlogApi.credentials';
import { executeAction } from '../shared/action/execute';
import { actionOutputs, actionProperties, actionSubtitle } from '../shared/action/properties';
import { searchMethods } from '../shared/action/listSearch';
import { credentialTests } from '../shared/credentialTest';
import { misarBlog } from './provider';

export class MisarBlog implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Misar.Blog',
		name: 'misarBlog',
		icon: { light: 'file:misarBlog.svg', dark: 'file:misarBlog.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: actionSubtitle(misarBlog),
		description: 'Get articles of Misar.Blog, and sign or verify deliveries',
		defaults: { name: 'Misar.Blog' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: actionOutputs(misarBlog),
		credentials: [{ name: 'misarBlogApi', required: true, testedBy: 'testMisarBlogApi' }],
		properties: actionProperties(misarBlog),
	};

	methods = {
		...searchMethods(misarBlog),
		...credentialTests('testMisarBlogApi', new MisarBlogApi()),
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await executeAction(this, misarBlog);
	}
}
