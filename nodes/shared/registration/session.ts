import type { IHookFunctions, ITriggerFunctions, NodeOperationError } from 'n8n-workflow';

import { webhookApiOf, openEndpointApi, type ApiChoice, type EndpointApi } from '../api/endpoints';
import type { Installation } from '../api/installation';
import type { ProviderCredential } from '../credential';
import { settingsError, type NodeContext } from '../errors';
import type { Provider } from '../provider';
import type { WebhookApi } from '../webhookApi';
import { PerTrigger, triggerKey, type Owner } from '../state/perTrigger';
import type { RecordStore } from '../state/recordStore';
import type { SecretContext } from '../state/secrets';
import { addressForMessage, ADDRESS_VARIABLE, isHttpUrl } from '../url';
import { webhookUrlObjection } from './webhookUrl';

/** The contexts in which an endpoint is managed: at a publish or a start, and while the workflow is published. */
export type RegistrationContext = IHookFunctions | ITriggerFunctions;

/** What is needed to look up, change and delete a trigger's endpoint. */
export interface EndpointSession extends SecretContext {
	readonly context: RegistrationContext;
	readonly store: RecordStore;
	readonly webhookApi: WebhookApi;
	readonly api: EndpointApi;
	/** What calls have shown about this installation of the API; shared by all sessions of the trigger. */
	readonly installation: Installation;
	/** The webhook URL of the node. */
	readonly url: string;
	/** The events to register. */
	readonly events: readonly string[];
	/** @throws once a hook has overtaken this check, whose work must not be undone, or the trigger was closed */
	readonly assertCurrent: () => void;
}

/** What a session is opened with. */
export type SessionPlace = Pick<
	EndpointSession,
	'context' | 'store' | 'provider' | 'credential' | 'isTest' | 'url' | 'events' | 'assertCurrent'
>;

/**
 * How long a session may begin calls: a person waits for a publish, proxies give up after a minute, and a tick does
 * nothing else meanwhile.
 */
const SESSION_LIMIT_MS = 60_000;
const MAX_INSTALLATIONS = 10_000;
const installations = new PerTrigger<Installation>(() => ({}), MAX_INSTALLATIONS);

/**
 * Opens the provider's API for a trigger. Makes no call.
 * @throws NodeOperationError if the credential holds no API key
 */
export function openSession(place: SessionPlace, choice: ApiChoice): EndpointSession {
	const { context, provider, credential, store } = place;
	if (credential.apiSecret === '') throw missingKey(context, provider);
	const { owner } = store;
	const webhookApi = webhookApiOf(provider);
	const installation = installationOf(owner, provider, credential);
	const api = openEndpointApi(context, provider, webhookApi, credential, {
		...choice,
		installation,
		endAt: Date.now() + SESSION_LIMIT_MS,
	});
	return { ...place, owner, webhookApi, api, installation };
}

/**
 * Checks everything that can be checked before the provider is called.
 * @throws NodeOperationError for a Base URL or a webhook URL that cannot be used
 */
export function assertUsable({ context, provider, credential, url }: EndpointSession): void {
	if (!isHttpUrl(credential.baseUrl)) {
		throw settingsError(
			context,
			`The Base URL "${addressForMessage(credential.baseUrl)}" is not a web address`,
			'Enter one such as https://api.example.com in the credential',
		);
	}
	const objection = webhookUrlObjection(url, credential.baseUrl);
	if (objection !== undefined) {
		throw settingsError(
			context,
			`${provider.displayName} cannot deliver to this webhook URL: ${objection}`,
			`Set the environment variable ${ADDRESS_VARIABLE} of n8n to its public https:// address, or use a tunnel, then publish again`,
		);
	}
}

function missingKey(context: NodeContext, { displayName }: Provider): NodeOperationError {
	return settingsError(
		context,
		'The API key is missing',
		`Automatic registration calls the ${displayName} API. Enter an API key (or, where there is one, the login) in the credential, or set Registration to Manual`,
	);
}

function installationOf(
	owner: Owner,
	{ id, product }: Provider,
	{ baseUrl }: ProviderCredential,
): Installation {
	return installations.of(JSON.stringify([triggerKey(owner), id, product, baseUrl]));
}
