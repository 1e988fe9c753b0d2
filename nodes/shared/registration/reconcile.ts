import type { RemoteEndpoint } from '../api/endpointAnswer';
import { settingsError } from '../errors';
import { warn } from '../log';
import { problemsOf } from '../state/problems';
import { isSameAccount, secretIsCurrent } from '../state/secrets';
import {
	recordsFor,
	replacedBy,
	type RegistrationRecord,
	type TriggerState,
} from '../state/triggerState';
import { sameUrl } from '../url';
import { applyPlan } from './apply';
import {
	addressOf,
	assertReadable,
	isEndpoint,
	lookUp,
	observe,
	orphansIn,
	shownIn,
} from './observe';
import { otherTriggerAt } from './otherTriggerAt';
import { isOfOtherAccount, planFor, type Desired, type Plan, type Sighting } from './plan';
import { forsake, noteLeftovers, removeLeftovers, removeOrWarn } from './remove';
import { assertUsable, type EndpointSession } from './session';

/**
 * Makes the endpoint what the node wants: observes, plans, acts. Even if a step fails in between, there is exactly one
 * endpoint in the end, and we hold its secret. Can be repeated at any time, and takes one call if nothing is wrong.
 * @param thorough also looks for endpoints that an interrupted attempt has left
 * @returns what was done
 * @throws NodeApiError or NodeOperationError if it could not be done
 */
export async function reconcile(session: EndpointSession, thorough: boolean): Promise<Plan> {
	assertUsable(session);
	const record = ownRecord(session);
	if (record === undefined) assertOnlyOne(session);
	const desiredOf = (of: RegistrationRecord): Desired => ({
		provider: session.provider,
		url: session.url,
		events: session.events,
		secretIsCurrent: secretIsCurrent(of, session),
		isSameAccount: isSameAccount(of, session),
		canUpdate: session.webhookApi.operations.update !== undefined,
	});
	const desired = record && desiredOf(record);
	const seen = await observe(session, record, desired, thorough);
	const plan = planFor(seen, record, desired);
	await applyPlan(session, plan, { record, seen, desiredOf });
	if (plan.do === 'leave' && record !== undefined) warnOfUnclear(session, record);
	return plan;
}

/** Whether the next check has to look for endpoints that a lagging list did not show. */
export function mayHaveLeftOne(plan: Plan, { registration }: TriggerState): boolean {
	const isReplacement = plan.do === 'replace' || (plan.do === 'create' && plan.why.length > 0);
	return isReplacement || registration?.unlisted === true;
}

/**
 * Deletes the endpoint, and what is left over at our URL. One that is gone already counts as deleted.
 * @throws NodeApiError when the provider could not be asked; the record stays, so that n8n can try again
 */
export async function removeEndpoint(session: EndpointSession): Promise<void> {
	const { store, api, url, context, provider } = session;
	const record = ownRecord(session);
	if (record === undefined) {
		const { endpoints, unreadable } = await api.readList();
		noteLeftovers(session, orphansIn(session, endpoints, undefined));
		await removeLeftovers(session);
		return assertReadable(session, unreadable);
	}
	const got = await lookUp(session, record);
	const list = isEndpoint(got) ? await listIfPossible(session) : await api.list();
	const own = shownIn(got, list, record);
	const address = addressOf(own, record, url);
	const isSame = isSameAccount(record, session);
	const isOther =
		own !== 'unclear' && isOfOtherAccount(own, record, { isSameAccount: isSame, url });
	if (!isOther && !sameUrl(address, url)) {
		// The record stays, so that the next publish can find out whether to point the endpoint to the new URL.
		warn(
			context,
			`Endpoint ${record.endpointId} of ${provider.displayName} delivers to ${address} and not to ${url}, so it was not deleted. If no other n8n uses it, publish this workflow, or remove the endpoint in the dashboard`,
		);
		return;
	}
	if (isOther) forsake(session, record);
	// If it cannot be deleted, the record stays: with its secret the next publish can use the endpoint again.
	if (isOther || (await removeOwn(session, record, own))) {
		store.change({ registration: undefined, replaced: replacedBy(record) });
	}
	noteLeftovers(session, orphansIn(session, list, record.endpointId));
	await removeLeftovers(session);
}

/** Deletes the recorded endpoint, even if it seems to be gone. @returns whether it is gone */
async function removeOwn(
	session: EndpointSession,
	{ endpointId, unlisted }: RegistrationRecord,
	own: Sighting,
): Promise<boolean> {
	const removal = removeOrWarn(session, endpointId);
	return own === 'gone' && unlisted !== true ? await removal.catch(() => true) : await removal;
}

/** The account's endpoints, for cleaning up only: none if they cannot be listed. */
async function listIfPossible({ api }: EndpointSession): Promise<readonly RemoteEndpoint[]> {
	return await api.list().catch(() => []);
}

/** The record of this product. One of another product cannot be managed with this product's key. */
function ownRecord(session: EndpointSession): RegistrationRecord | undefined {
	const { store, provider } = session;
	const { record } = recordsFor(store.state, provider);
	const { registration } = store.state;
	if (record === undefined && registration !== undefined) {
		forsake(session, registration);
		store.change({ registration: undefined });
	}
	return record;
}

/** Two triggers with one webhook URL would take the endpoint from each other. */
function assertOnlyOne({ context, owner, url }: EndpointSession): void {
	const other = otherTriggerAt(owner, url);
	if (other === undefined) return;
	throw settingsError(
		context,
		`Another trigger of this n8n has the same webhook URL, in workflow ${other.workflowId}`,
		'Only one of them can have it: delete one trigger, or add it to its workflow again, which gives it a URL of its own',
	);
}

function warnOfUnclear(session: EndpointSession, { endpointId }: RegistrationRecord): void {
	const { context, owner, provider } = session;
	if (!problemsOf(owner).isFirst(`unclear ${endpointId}`)) return;
	warn(
		context,
		`${provider.displayName} answers with another endpoint when asked for ${endpointId}, and does not list it. It cannot be told whether it still exists, so nothing was changed`,
	);
}
