import { NodeApiError, type IHookFunctions, type INodeType } from 'n8n-workflow';

import {
	fringeWarning,
	howToGetSecret,
	readCredential,
	requireSecrets,
	type ProviderCredential,
} from '../credential';
import { settingsError } from '../errors';
import { eventsToRegister } from '../events';
import { messageOf, warn } from '../log';
import { isForAnotherProduct, requireProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { mayHaveLeftOne, reconcile, removeEndpoint } from '../registration/reconcile';
import { openSession, type EndpointSession } from '../registration/session';
import { readApiOptions, readRegistration, readSettings, type TriggerSettings } from '../settings';
import { endpointLock } from '../state/endpointLock';
import { ownerOf } from '../state/perTrigger';
import { RecordStore } from '../state/recordStore';
import { recordsFor } from '../state/triggerState';
import { addressForMessage, withoutUserInfo } from '../url';

/** Activation modes in which the endpoint may exist already: starts of n8n, and a publish of a new version. */
const TRUST_RECORD_MODES: readonly unknown[] = ['init', 'leadershipChange', 'update'];

/** What else can be done where the credential holds no signing secret. */
const UNTIL_THERE_IS_ONE =
	'. Until you have it, you can switch on Options → Accept Unverified Deliveries: anybody who learns the webhook URL can start this workflow then';

/** n8n's hooks of a trigger, which register its endpoint at the provider and remove it. */
export function webhookMethods(family: ProviderFamily) {
	return {
		default: {
			async checkExists(this: IHookFunctions) {
				return await asOnlyHook(this, async () => await endpointExists(this, family));
			},
			async create(this: IHookFunctions) {
				return await asOnlyHook(this, async () => await createEndpoint(this, family));
			},
			async delete(this: IHookFunctions) {
				if (isTestListener(this)) return await endTestListener(this, family);
				return await asOnlyHook(this, async () => await deleteEndpoint(this, family));
			},
		},
	} satisfies INodeType['webhookMethods'];
}

/**
 * Does the work of a hook while no check is at work. Test listeners have no checks, but their endpoint is removed late.
 */
async function asOnlyHook<T>(context: IHookFunctions, work: () => Promise<T>): Promise<T> {
	const lock = endpointLock(ownerOf(context));
	try {
		if (!isTestListener(context)) return await lock.hook(work);
		await lock.removed();
		return await work();
	} catch (error) {
		throw withAdvice(error);
	}
}

/** Of an error that a publish throws, n8n keeps only the message, so the message has to say what to do as well. */
function withAdvice(error: unknown): unknown {
	if (!(error instanceof NodeApiError)) return error;
	error.message = [error.message, error.description].filter(Boolean).join(' — ');
	return error;
}

/**
 * n8n's `checkExists`. When n8n starts, or publishes a new version, the trigger's record is the answer, because a
 * provider that hangs would keep all of n8n waiting; the first tick checks the endpoint. Otherwise an endpoint that
 * exists is repaired.
 * @returns false when a new endpoint has to be created
 */
async function endpointExists(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const store = storeOf(context);
	const lock = endpointLock(store.owner);
	if (
		TRUST_RECORD_MODES.includes(context.getActivationMode()) &&
		store.state.registration !== undefined
	) {
		await prepareCheck(context, family, store);
		lock.publishedUrl = webhookUrlOf(context);
		lock.isReachUnknown = context.getActivationMode() === 'update';
		lock.nextCheck = lock.isReachUnknown ? 'atOnce' : 'withinAMinute';
		return true;
	}
	const session = await readSession(context, family, store);
	// n8n calls `create` next, which looks at the account.
	if (session && recordsFor(store.state, session.provider).record === undefined) return false;
	await publish(store, session);
	return true;
}

/**
 * Prepares the first tick. The credential is read only if it matters, because n8n makes an isolate for that, and does
 * so for each trigger when it starts. Never throws: n8n would delete the endpoint, and drop the webhook URL.
 */
async function prepareCheck(
	context: IHookFunctions,
	family: ProviderFamily,
	store: RecordStore,
): Promise<void> {
	try {
		const provider = selectProvider(context, family);
		const settings = readSettings(context, provider);
		if (settings.recoverMissed) {
			requireRecoveryKey(context, provider, await readCredential(context, provider));
		}
		noteRecovery(context, settings, store);
		await store.commit();
	} catch (error) {
		warn(context, `The settings of this trigger cannot be used: ${messageOf(error)}`);
	}
}

/** n8n's `create`. Can be repeated: there is one endpoint in the end. */
async function createEndpoint(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const store = storeOf(context);
	await publish(store, await readSession(context, family, store));
	if (!TRUST_RECORD_MODES.includes(context.getActivationMode())) return true;
	// n8n had lost the record before this start. The run that erased it may still be under way and erase it again, and
	// the main process of queue mode does not see that: the first check saves the record once more.
	store.change({});
	endpointLock(store.owner).nextCheck = 'withinAMinute';
	return true;
}

/** @param session undefined for manual registration */
async function publish(store: RecordStore, session: EndpointSession | undefined): Promise<void> {
	if (session === undefined) return await store.commit();
	const { owner, isTest, url } = session;
	if (isTest) {
		await reconcile(session, false);
		return;
	}
	const lock = endpointLock(owner);
	const { nextCheck } = lock;
	// Until everything is done, because any failure may leave an endpoint behind.
	lock.nextCheck = 'thorough';
	const plan = await reconcile(session, nextCheck !== 'ordinary');
	await store.commit();
	lock.publishedUrl = url;
	lock.isReachUnknown = true;
	lock.nextCheck = mayHaveLeftOne(plan, store.state) ? 'thorough' : 'ordinary';
}

/**
 * n8n's `delete`. An endpoint that is gone already counts as deleted.
 * @throws NodeApiError when the provider could not be asked; the id is kept, so n8n can try again
 */
async function deleteEndpoint(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const store = storeOf(context);
	endpointLock(store.owner).publishedUrl = undefined;
	const remove = await prepareRemoval(context, family, store);
	await remove?.();
	await store.commit();
	return true;
}

/**
 * n8n's `delete` of a test listener. Never throws, and does not wait for the provider: while it is at work, and forever
 * after it has thrown, no trigger of the instance can listen ("Maximum call stack size exceeded").
 */
async function endTestListener(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const warnOfFailure = (error: unknown) =>
		warn(context, `The test endpoint could not be removed: ${messageOf(error)}`);
	try {
		const store = storeOf(context);
		const remove = await prepareRemoval(context, family, store);
		if (remove !== undefined) {
			endpointLock(store.owner).removeLater(async () => await remove().catch(warnOfFailure));
		}
	} catch (error) {
		warnOfFailure(error);
	}
	return true;
}

/**
 * Reads everything that the removal of an endpoint needs from n8n.
 * @returns a function that removes it; undefined if there is nothing to remove
 */
async function prepareRemoval(
	context: IHookFunctions,
	family: ProviderFamily,
	store: RecordStore,
): Promise<(() => Promise<void>) | undefined> {
	const provider = selectProvider(context, family);
	const { record } = recordsFor(store.state, provider);
	if (record !== undefined) {
		const session = await openForRemoval(context, provider, store).catch((error: unknown) => {
			warn(
				context,
				`Endpoint ${record.endpointId} of ${provider.displayName} (${record.url ?? ''}) could not be deleted and still delivers. Remove it in the dashboard`,
			);
			throw error;
		});
		return session && (async () => await removeEndpoint(session));
	}
	if (provider.api === undefined || readRegistration(context, provider) === 'manual') return;
	// Nothing is known to be registered, so that only a temporary failure is worth another attempt.
	const unlessPassing = (error: unknown): undefined => {
		if (isPassing(error)) throw error;
		warn(context, `The webhook endpoint was not removed: ${messageOf(error)}`);
	};
	const session = await openForRemoval(context, provider, store).catch(unlessPassing);
	return session && (async () => await removeEndpoint(session).catch(unlessPassing));
}

/** Opens a session leniently, because a node with unusable settings has to be unpublished, too. */
async function openForRemoval(
	context: IHookFunctions,
	provider: Provider,
	store: RecordStore,
): Promise<EndpointSession | undefined> {
	const credential = await readCredential(context, provider);
	const { record } = recordsFor(store.state, provider);
	if (isForAnotherProduct(credential, provider)) {
		warn(
			context,
			`The credential is not for ${provider.displayName}, so the endpoint of this trigger was not deleted. Remove ${record?.endpointId ?? addressForMessage(webhookUrlOf(context))} in its dashboard, or publish with the right credential and unpublish`,
		);
		return undefined;
	}
	const options = readApiOptions(context.getNodeParameter('options', {}));
	const place = { context, store, provider, credential, events: [] };
	return openSession(
		{
			...place,
			isTest: isTestListener(context),
			// Warnings and the trigger's state show this URL for what is not removed.
			url: withoutUserInfo(webhookUrlOf(context)),
			assertCurrent: () => {},
		},
		{ ...options, recordedPath: record?.apiPath },
	);
}

/**
 * Checks everything that can be checked before the provider is called.
 * @returns undefined for manual registration, where there is nothing to call
 */
async function readSession(
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
		'The workflow was imported without a webhook ID. Open it in the editor, delete the trigger, add it anew and publish again',
	);
}

function requireRecoveryKey(
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
function noteRecovery(
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

function storeOf(context: IHookFunctions): RecordStore {
	const owner = ownerOf(context);
	return isTestListener(context)
		? RecordStore.ofListener(context, owner)
		: RecordStore.ofHook(context, owner);
}

function webhookUrlOf(context: IHookFunctions): string {
	return context.getNodeWebhookUrl('default') ?? '';
}

/** While n8n listens for a test event, it treats the workflow as unpublished. */
function isTestListener(context: IHookFunctions): boolean {
	return context.getMode() === 'manual' || !context.getWorkflow().active;
}

/** Whether another attempt may help: the provider did not answer, limits its calls, or is down. */
function isPassing(error: unknown): error is NodeApiError {
	if (!(error instanceof NodeApiError)) return false;
	const status = Number(error.httpCode ?? 0);
	return status === 0 || status === 429 || status >= 500;
}
