import type { IBinaryKeyData, IDataObject, INodeProperties } from 'n8n-workflow';

import type { ProviderCredential } from '../credential';
import type { Confirmation, ListedResource, Provider, ProviderFamily } from '../provider';
import type { ActionItem } from './parameter';

/** One item of an action node, with what its operation works on. */
export interface ActionCall extends ActionItem {
	readonly provider: Provider;
	/** The provider and its other products. */
	readonly family: ProviderFamily;
	readonly credential: ProviderCredential;
}

/** An item that an operation returns. */
export interface ActionResult {
	readonly json: IDataObject;
	readonly binary?: IBinaryKeyData;
	/** Index of the output it goes to; the first one by default. */
	readonly output?: number;
}

/** What an operation works on, as the editor's Resource lists it. */
export type Resource = 'delivery' | 'endpoint' | 'event' | 'signature' | ListedResource;

/** One operation of an action node: how the editor offers it, and what it does. */
export interface Operation {
	readonly resource: Resource;
	/** Value of the parameter Operation, unique within the resource. */
	readonly value: string;
	readonly name: string;
	/** Its line in the list of actions. */
	readonly action: string;
	readonly description: string;
	/** The one that the editor chooses first within its resource. */
	readonly isDefault?: true;
	/** Names of its outputs, where it has more than one. */
	readonly outputs?: readonly string[];
	/** Whether a provider has it, and how sure the documents are of the call behind it. */
	readonly offered: (provider: Provider) => Confirmation | undefined;
	/**
	 * Its parameters, in the editor's order, without the conditions that follow from resource and
	 * operation. Equal parameters of several operations become one.
	 */
	readonly properties: (provider: Provider) => readonly INodeProperties[];
	/** Does it for one item. @throws NodeApiError or NodeOperationError that says what to do */
	readonly run: (call: ActionCall) => Promise<readonly ActionResult[]>;
}
