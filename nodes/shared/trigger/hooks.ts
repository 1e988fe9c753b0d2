import { NodeApiError, type IHookFunctions, type INodeType } from 'n8n-workflow';

import { readCredential } from '../credential';
import { messageOf, warn } from '../log';
import { selectProvider } from '../product';
import type { ProviderFamily } from '../provider';
import { mayHaveLeftOne, reconcile } from '../registration/reconcile';
import type { EndpointSession } from '../registration/session';
import { readSettings } from '../settings';
import { endpointLock } from '../state/endpointLock';
import { ownerOf } from '../state/perTrigger';
import type { RecordStore } from '../state/recordStore';
import { recordsFor } from '../state/triggerState';
import { isTestListener, storeOf, webhookUrlOf } from './hookContext';
import { noteRecovery, readSession, requireRecoveryKey } from './publishSession';
import { deleteEndpoint, endTestListener } from './unpublish';

/** Activation modes in which the endpoint may exist already: starts of n8n, and a publish of a new version. */
const TRUST_RECORD_MODES: readonly unknown[] = ['init', 'leadershipChange', 'update'];

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
	if (session === undefined && store.state.registration !== undefined) {
		// Registration was automatic before, and the unpublish failed.
		await deleteEndpoint(context, family).catch((error: unknown) =>
			warn(
				context,
				`The endpoint of the automatic registration may still deliver: ${messageOf(error)}`,
			),
		);
	}
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
