import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MetiganApi } from '../../credentials/MetiganApi.credentials';
import { searchMethods } from '../shared/action/listSearch';
import { actionDescription, actionMethods } from '../shared/action/node';
import { actionSubtitle } from '../shared/action/properties';
import { credentialTests } from '../shared/credentialTest';
import { metigan } from './provider';

const { execute } = actionMethods(metigan);

export class Metigan implements INodeType {
	description: INodeTypeDescription = {
		...actionDescription(metigan),
		displayName: 'Metigan',
		name: 'metigan',
		icon: { light: 'file:metigan.svg', dark: 'file:metigan.dark.svg' },
		version: 1,
		subtitle: actionSubtitle(metigan),
		description: 'Manage webhook endpoints of Metigan, and sign or verify deliveries',
		defaults: { name: 'Metigan' },
		usableAsTool: true,
		credentials: [{ name: 'metiganApi', required: true, testedBy: 'testMetiganApi' }],
	};

	methods = {
		...searchMethods(metigan),
		...credentialTests('testMetiganApi', new MetiganApi(), metigan),
	};

	execute = execute;
}
