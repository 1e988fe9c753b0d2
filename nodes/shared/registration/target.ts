import type { IHookFunctions, ITriggerFunctions, NodeOperationError } from 'n8n-workflow';

import { openEndpointApi, type ApiChoice, type EndpointApi } from '../api/endpoints';
import type { ProviderCredential } from '../credential';
import { settingsError, type NodeContext } from '../errors';
import type { ManagementApi, Provider } from '../provider';
import { isHttpUrl, withoutUserInfo } from '../url';
import type { NodeMemory } from './record';
import { webhookUrlObjection } from './webhookUrl';

/** Where an endpoint is looked after: at a publish or a start, and while the workflow is published. */
export type RegistrationContext = IHookFunctions | ITriggerFunctions;

/** What is needed to look up and delete endpoints. */
export interface Account {
	readonly context: RegistrationContext;
	/** Holds the record of the endpoint. */
	readonly memory: NodeMemory;
	readonly provider: Provider;
	readonly management: ManagementApi;
	readonly api: EndpointApi;
	/** The webhook URL of the node. */
	readonly url: string;
}

/** An account, and what the node's endpoint has to look like. */
export interface Target extends Account {
	readonly credential: ProviderCredential;
	readonly events: readonly string[];
	/**
	 * Saves what `memory` holds, where n8n does not soon do so itself.
	 * @throws when it could not be saved
	 */
	readonly persist?: () => Promise<void>;
	/** @throws when somebody else looks after the endpoint by now, whose work must not be undone */
	readonly assertNotOvertaken?: () => void;
	/** Called when the installation turns out not to serve the call that gets one endpoint. */
	readonly onGetNotServed?: () => void;
}

/** What a node wants of its endpoint, read from its parameters. */
export interface Wanted extends ApiChoice {
	readonly url: string;
	readonly events: readonly string[];
}

/**
 * Checks everything that can be checked before the provider is called.
 * @throws NodeOperationError for a credential or a webhook URL that cannot be used
 */
export function openTarget(
	place: Pick<Target, 'context' | 'memory' | 'persist' | 'assertNotOvertaken' | 'onGetNotServed'>,
	provider: Provider,
	management: ManagementApi,
	credential: ProviderCredential,
	wanted: Wanted,
): Target {
	const { context } = place;
	const { url, events } = wanted;
	if (credential.apiSecret === '') throw missingKey(context, provider);
	if (!isHttpUrl(credential.baseUrl)) {
		throw settingsError(
			context,
			`The Base URL "${withoutUserInfo(credential.baseUrl)}" is not a web address`,
			'Enter one such as https://api.example.com in the credential',
		);
	}
	const objection = webhookUrlObjection(url, credential.baseUrl);
	if (objection !== undefined) {
		throw settingsError(
			context,
			`${provider.displayName} cannot deliver to this webhook URL: ${objection}`,
			'Set the environment variable WEBHOOK_URL of n8n to its public https:// address, or use a tunnel, then publish again',
		);
	}
	const api = openEndpointApi(context, provider, management, credential, wanted);
	return { ...place, provider, management, credential, api, url, events };
}

export function missingKey(context: NodeContext, { displayName }: Provider): NodeOperationError {
	return settingsError(
		context,
		'The API key is missing',
		`Automatic registration calls the ${displayName} API. Enter an API key (or, where there is one, the login) in the credential, or set Registration to Manual`,
	);
}
