import { NodeApiError, type IHookFunctions, type INodeType } from 'n8n-workflow';

import { managementOf, openEndpointApi } from '../api/endpoints';
import { readCredential, type ProviderCredential } from '../credential';
import { settingsError } from '../errors';
import { eventsToRegister } from '../events';
import { messageOf, warn } from '../log';
import { isForAnotherProduct, requireProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { readApiOptions, readRegistration, readSettings, type TriggerSettings } from '../settings';
import { sameUrl } from '../url';
import { endpointsAt, removeAll, removeOrWarn } from './provision';
import { addressOf, checkAndRepair, ensureEndpoint, getOwn, reconcile } from './reconcile';
import {
	forgetRecord,
	forgetRecoveryPoint,
	firstPoint,
	hasRecord,
	loadRecord,
	loadRecoveryPoint,
	notePublish,
	ownerOf,
	saveRecord,
	saveRecoveryPoint,
	saveReplaced,
	type RegistrationRecord,
} from './record';
import { noteInterruption, registering, takeInterruption } from './registering';
import { missingKey, openTarget, type Account, type Target } from './target';
import { removalsEnded, removeLater } from './testRemovals';

/** Activations in which n8n registers what was registered before, and no person waits. */
const STARTS: readonly unknown[] = ['init', 'leadershipChange', 'update'];

/** n8n's hooks of a trigger, which register its endpoint at the provider and remove it. */
export function webhookMethods(family: ProviderFamily) {
	return {
		default: {
			async checkExists(this: IHookFunctions) {
				return await alone(this, async () => await endpointExists(this, family));
			},
			async create(this: IHookFunctions) {
				return await alone(this, async () => await createEndpoint(this, family));
			},
			async delete(this: IHookFunctions) {
				if (isTestListener(this)) return await endTestListener(this, family);
				return await alone(this, async () => await deleteEndpoint(this, family));
			},
		},
	} satisfies INodeType['webhookMethods'];
}

/** Checks of the endpoint give way meanwhile; that of a test listener is not checked, but removed late. */
async function alone<T>(context: IHookFunctions, work: () => Promise<T>): Promise<T> {
	const owner = ownerOf(context);
	if (!isTestListener(context)) return await registering(owner, work);
	await removalsEnded(owner);
	return await work();
}

/**
 * n8n's `checkExists`. Repairs what can be repaired in place and removes what cannot.
 * @returns false when a fresh endpoint has to be created
 */
async function endpointExists(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	if (STARTS.includes(context.getActivationMode()) && hasRecord(context)) {
		await registerAgain(context, family);
		return true;
	}
	const target = await readTarget(context, family);
	if (target === undefined) return true;
	// n8n calls `create` next, which looks at the account.
	if (loadRecord(context, target.provider) === undefined) return false;
	const record = await reconcile(target);
	// Also an unchanged one: an attempt that failed after saving it leaves it in n8n's memory only,
	// and n8n writes what was assigned in this attempt.
	if (record === undefined) forgetRecord(context);
	else saveRecord(context, record);
	notePublish(context);
	return record !== undefined;
}

/**
 * Checks and repairs the endpoint at a start of n8n. Never throws: n8n would delete the endpoint,
 * drop the webhook URL and not try again. The next check while the workflow runs tries again.
 */
async function registerAgain(context: IHookFunctions, family: ProviderFamily): Promise<void> {
	const owner = ownerOf(context);
	const brokeOff = takeInterruption(owner);
	try {
		const target = await readTarget(context, family);
		if (target !== undefined) await checkAndRepair(target, brokeOff);
		notePublish(context);
	} catch (error) {
		noteInterruption(owner);
		warn(
			context,
			`The webhook endpoint could not be checked at this start and was left as it is: ${messageOf(error)}`,
		);
	}
}

/** n8n's `create`. May be called again and again: there is one endpoint in the end. */
async function createEndpoint(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const target = await readTarget(context, family);
	if (target === undefined) return true;

	await ensureEndpoint(target);
	notePublish(context);
	return true;
}

/**
 * n8n's `delete`. An endpoint that is gone already counts as deleted.
 * @throws NodeApiError when the provider could not be asked; the id is kept, so n8n can try again
 */
async function deleteEndpoint(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const remove = await prepareRemoval(context, family);
	await remove?.();
	return true;
}

/**
 * n8n's `delete` of a test listener. Never throws, and does not wait for the provider: while it is under
 * way, and forever after it threw, no trigger of the instance can listen ("Maximum call stack size exceeded").
 */
async function endTestListener(context: IHookFunctions, family: ProviderFamily): Promise<boolean> {
	const warnOfFailure = (error: unknown) =>
		warn(context, `The test endpoint could not be removed: ${messageOf(error)}`);
	try {
		const remove = await prepareRemoval(context, family);
		if (remove !== undefined) {
			removeLater(ownerOf(context), async () => await remove().catch(warnOfFailure));
		}
	} catch (error) {
		warnOfFailure(error);
	}
	return true;
}

/**
 * Reads all that the removal of an endpoint needs of n8n.
 * @returns removes it; undefined where there is nothing to remove
 */
async function prepareRemoval(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<(() => Promise<void>) | undefined> {
	const provider = selectProvider(context, family);
	const record = loadRecord(context, provider);
	if (record !== undefined) {
		const account = await openAccount(context, provider, record);
		return account && (async () => await removeRecorded(account, record));
	}
	if (provider.api === undefined || readRegistration(context, provider) === 'manual') return;
	// Nothing is known to be registered: only a passing fault is worth another attempt.
	const unlessPassing = (error: unknown): undefined => {
		if (isPassing(error)) throw error;
		warn(context, `No webhook endpoint was looked for or removed: ${messageOf(error)}`);
	};
	const account = await openAccount(context, provider).catch(unlessPassing);
	return account && (async () => await removeUnrecorded(account).catch(unlessPassing));
}

/** After an interrupted registration, any endpoint at our URL is useless. */
async function removeUnrecorded(account: Account): Promise<void> {
	await removeAll(account, await endpointsAt(account));
}

async function removeRecorded(account: Account, record: RegistrationRecord): Promise<void> {
	const { context, provider, api, url } = account;
	const own =
		(await getOwn(account, record)) ??
		(await api.list()).find(({ id }) => id === record.endpointId);
	const address = addressOf(own, record, url);
	if (!sameUrl(address, url)) {
		// The record stays: the next publish finds out whether the endpoint can be taken along.
		warn(
			context,
			`Endpoint ${record.endpointId} of ${provider.displayName} delivers to ${address} and not to ${url}, so it was not deleted. If no other n8n uses it, publish this workflow, or remove the endpoint in the dashboard`,
		);
		return;
	}
	// Otherwise the record stays: with its secret the endpoint can be used again by the next publish.
	const gone = own === undefined && record.unlisted !== true;
	if (gone || (await removeOrWarn(account, record.endpointId))) {
		saveReplaced(account.memory, record);
		forgetRecord(account.memory);
	}
}

/** Reads leniently, because a node with unusable settings has to be unpublished too. */
async function openAccount(
	context: IHookFunctions,
	provider: Provider,
	record?: RegistrationRecord,
): Promise<Account | undefined> {
	const management = managementOf(provider);
	const credential = await readCredential(context, provider);
	if (isForAnotherProduct(credential, provider)) {
		const endpoint = record?.endpointId ?? webhookUrlOf(context);
		warn(
			context,
			`The credential is not for ${provider.displayName}, so the endpoint of this trigger was not deleted. Remove ${endpoint} in its dashboard, or publish with the right credential and unpublish`,
		);
		return undefined;
	}
	if (credential.apiSecret === '') throw missingKey(context, provider);
	const options = readApiOptions(context.getNodeParameter('options', {}));
	const api = openEndpointApi(context, provider, management, credential, {
		...options,
		recordedPath: record?.apiPath,
	});
	return { context, memory: context, provider, management, api, url: webhookUrlOf(context) };
}

/**
 * Checks everything that can be checked before the provider is called.
 * @returns undefined for manual registration, where there is nothing to call
 */
async function readTarget(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<Target | undefined> {
	const provider = selectProvider(context, family);
	const settings = readSettings(context, provider);
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'trigger');
	noteRecovery(context, provider, settings, credential);

	if (settings.registration === 'manual' || provider.api === undefined) {
		if (credential.signingSecret === '' && !settings.acceptUnverified) {
			throw settingsError(
				context,
				'The signing secret is missing',
				`Without it no delivery of ${provider.displayName} can be verified. Copy it from the provider's dashboard to Signing Secret in the credential`,
			);
		}
		return undefined;
	}
	const wanted = {
		...settings,
		url: webhookUrlOf(context),
		events: eventsToRegister(provider, settings.events),
	};
	const place = { context, memory: context };
	return openTarget(place, provider, provider.api, credential, wanted);
}

/** What happens from the first publish on is recovered, where that is wanted. */
function noteRecovery(
	context: IHookFunctions,
	provider: Provider,
	{ recoverMissed }: TriggerSettings,
	credential: ProviderCredential,
): void {
	if (!recoverMissed) return forgetRecoveryPoint(context);
	if (credential.apiSecret === '') {
		throw settingsError(
			context,
			'The API key is missing',
			`Recover Missed Events asks the ${provider.displayName} API what happened. Enter an API key in the credential, or switch the option off`,
		);
	}
	if (isTestListener(context) || loadRecoveryPoint(context) !== undefined) return;
	saveRecoveryPoint(context, firstPoint(ownerOf(context), Date.now()));
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
