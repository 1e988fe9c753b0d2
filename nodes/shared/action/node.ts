import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import type { ProviderFamily } from '../provider';
import { executeAction } from './execute';
import { actionOutputs, actionProperties } from './properties';

/** What the descriptions of all action nodes have in common; n8n's lint wants the rest written out in the class. */
export function actionDescription(family: ProviderFamily) {
	return {
		group: ['output'],
		inputs: [NodeConnectionTypes.Main],
		outputs: actionOutputs(family),
		properties: actionProperties(family),
	} satisfies Partial<INodeTypeDescription>;
}

/** The methods of an action node that n8n calls. */
export function actionMethods(family: ProviderFamily) {
	return {
		async execute(this: IExecuteFunctions) {
			return await executeAction(this, family);
		},
	} satisfies Partial<INodeType>;
}
