import type { IHookFunctions } from 'n8n-workflow';

import {
	fringeWarning,
	howToGetSecret,
	readCredential,
	requireSecrets,
	type ProviderCredential,
} from '../credential';
import { settingsError } from '../errors';
import { eventsToRegister } from '../events';
import { warn } from '../log';
import { requireProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { openSession, type EndpointSession } from '../registration/session';
import { readSettings, type TriggerSettings } from '../settings';
import { endpointLock } from '../state/endpointLock';
import type { RecordStore } from '../state/recordStore';
import { addressForMessage } from '../url';
import { isTestListener, webhookUrlOf } from './hookContext';

/** What else can be done where the credential holds no signing secret. */
const UNTIL_THERE_IS_ONE =
	'. Until you have it, you can switch on Options → Accept Unverified Deliveries: anybody who learns the webhook URL can start this workflow then';

/**
 * Checks everything that can be checked before the provider is called.
 * @returns undefined for manual registration, where there is nothing to call
 */
export async function readSession(
	context: IHookFunctions,
	family: ProviderFamily,
	store: RecordStore,
): Promise<EndpointSession | undefined> {
	const provider = selectProvider(context, family);
	const settings = readSettings(context, provider);
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'trigger');
	requireSecrets(context, credential);
	const warning = fringeWarning(credential);
	if (warning !== undefined) warn(context, warning);
	const url = webhookUrlOf(context);
	requireServedUrl(context, url);
	if (settings.recoverMissed) requireRecoveryKey(context, provider, credential);
	noteRecovery(context, settings, store);

	if (settings.registration === 'manual' || provider.api === undefined) {
		if (credential.signingSecret === '' && !settings.acceptUnverified) {
			throw settingsError(
				context,
				'The signing secret is missing',
				`Without it no delivery of ${provider.displayName} can be verified. ${howToGetSecret(provider)}${provider.secretOptional === true ? UNTIL_THERE_IS_ONE : ''}`,
			);
		}
		if (!isTestListener(context)) endpointLock(store.owner).publishedUrl = url;
		return undefined;
	}
	return openSession(
		{
			context,
			store,
			provider,
			credential,
			isTest: isTestListener(context),
			url,
			events: eventsToRegister(provider, settings.events),
			assertCurrent: () => {},
		},
		settings,
	);
}

/**
 * n8n puts the node's name into the webhook URL of a trigger without a webhook ID, which imported ones may lack, and
 * does not find the trigger at a URL with an encoded character.
 */
function requireServedUrl(context: IHookFunctions, url: string): void {
	if (context.getNode().webhookId !== undefined || !url.includes('%')) return;
	throw settingsError(
		context,
		`n8n does not answer at the webhook URL of this trigger (${addressForMessage(url)})`,
		'The workflow was imported without a webhook ID. Open it in the editor, delete the trigger, add it again and publish',
	);
}

export function requireRecoveryKey(
	context: IHookFunctions,
	provider: Provider,
	{ apiSecret }: ProviderCredential,
): void {
	if (apiSecret !== '') return;
	throw settingsError(
		context,
		'The API key is missing',
		`Recover Missed Events asks the ${provider.displayName} API what happened. Enter an API key in the credential, or switch the option off`,
	);
}

/** Starts the recovery cursor at the first publish with the option on. */
export function noteRecovery(
	context: IHookFunctions,
	{ recoverMissed, recoverNewest }: TriggerSettings,
	store: RecordStore,
): void {
	const { recovery } = store.state;
	if (!recoverMissed) {
		if (recovery !== undefined) store.change({ recovery: undefined });
		return;
	}
	if (isTestListener(context) || recovery !== undefined) return;
	const now = Date.now();
	const newest = recoverNewest === 0 ? {} : { newest: recoverNewest };
	store.change({ recovery: { ...store.owner, from: now, until: now, ...newest } });
}
