import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MisarBlogApi } from '../../credentials/MisarBlogApi.credentials';
import { searchMethods } from '../shared/action/listSearch';
import { actionDescription, actionMethods } from '../shared/action/node';
import { actionSubtitle } from '../shared/action/properties';
import { credentialTests } from '../shared/credentialTest';
import { misarBlog } from './provider';

const { execute } = actionMethods(misarBlog);

export class MisarBlog implements INodeType {
	description: INodeTypeDescription = {
		...actionDescription(misarBlog),
		displayName: 'Misar.Blog',
		name: 'misarBlog',
		icon: { light: 'file:misarBlog.svg', dark: 'file:misarBlog.dark.svg' },
		version: 1,
		subtitle: actionSubtitle(misarBlog),
		description: 'Get articles of Misar.Blog, and sign or verify deliveries',
		defaults: { name: 'Misar.Blog' },
		usableAsTool: true,
		credentials: [{ name: 'misarBlogApi', required: true, testedBy: 'testMisarBlogApi' }],
	};

	methods = {
		...searchMethods(misarBlog),
		...credentialTests('testMisarBlogApi', new MisarBlogApi(), misarBlog),
	};

	execute = execute;
}
