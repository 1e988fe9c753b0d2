import { NodeApiError, type IHookFunctions } from 'n8n-workflow';

import { readCredential } from '../credential';
import { messageOf, warn } from '../log';
import { isForAnotherProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { removeEndpoint } from '../registration/reconcile';
import { openSession, type EndpointSession } from '../registration/session';
import { readApiOptions, readRegistration } from '../settings';
import { endpointLock } from '../state/endpointLock';
import type { RecordStore } from '../state/recordStore';
import { recordsFor } from '../state/triggerState';
import { addressForMessage, withoutUserInfo } from '../url';
import { isTestListener, storeOf, webhookUrlOf } from './hookContext';

/**
 * n8n's `delete`. An endpoint that is gone already counts as deleted.
 * @throws NodeApiError when the provider could not be asked; the id is kept, so n8n can try again
 */
export async function deleteEndpoint(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
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
export async function endTestListener(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
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
	// An expression may no longer name the product: then it is the one that was registered.
	const provider = selectProvider(context, family, store.state.registration?.product);
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

/** Whether another attempt may help: the provider did not answer, limits its calls, or is down. */
function isPassing(error: unknown): error is NodeApiError {
	if (!(error instanceof NodeApiError)) return false;
	const status = Number(error.httpCode ?? 0);
	return status === 0 || status === 429 || status >= 500;
}
