import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

import { MisarApi } from '../../credentials/MisarApi.credentials';
import { searchMethods } from '../shared/action/listSearch';
import { actionDescription, actionMethods } from '../shared/action/node';
import { actionSubtitle } from '../shared/action/properties';
import { credentialTests } from '../shared/credentialTest';
import { misar } from './provider';

const { execute } = actionMethods(misar);

export class Misar implements INodeType {
	description: INodeTypeDescription = {
		...actionDescription(misar),
		displayName: 'Misar',
		name: 'misar',
		icon: { light: 'file:misar.svg', dark: 'file:misar.dark.svg' },
		version: 1,
		subtitle: actionSubtitle(misar),
		description: 'Manage webhook endpoints of Misar products, and sign or verify deliveries',
		defaults: { name: 'Misar' },
		usableAsTool: true,
		credentials: [{ name: 'misarApi', required: true, testedBy: 'testMisarApi' }],
	};

	methods = { ...searchMethods(misar), ...credentialTests('testMisarApi', new MisarApi(), misar) };

	execute = execute;
}
