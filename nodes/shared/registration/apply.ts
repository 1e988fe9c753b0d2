import type { RemoteEndpoint } from '../api/endpointAnswer';
import { warn } from '../log';
import type { Difference } from '../state/problem';
import { mayHaveNewSecret, withCurrentKeys } from '../state/secrets';
import { replacedBy, type RegistrationRecord } from '../state/triggerState';
import { within } from '../state/within';
import { createEndpoint, learnHowItIsShown, type AccountBefore } from './create';
import { sameUrl } from '../url';
import { addressOf, isEndpoint, seeOne } from './observe';
import { differencesOf, type Desired, type Observation, type Plan } from './plan';
import { forsake, noteLeftovers, removeAll, removeLeftovers } from './remove';
import type { EndpointSession } from './session';

/** How long a create waits for n8n's database to store that an endpoint is being created. */
const ANNOUNCE_MS = 20_000;

/** What a plan was made from. */
export interface Situation {
	readonly record: RegistrationRecord | undefined;
	readonly seen: Observation;
	/** What is wanted of an endpoint, given how the recorded one was registered. */
	readonly desiredOf: (record: RegistrationRecord) => Desired;
}

/** What a new endpoint replaces. */
interface Replaced {
	/** Its record: deliveries that it signed may still be on their way. */
	readonly former?: RegistrationRecord;
	/** The endpoint itself, which is removed afterwards. */
	readonly own?: RemoteEndpoint;
	readonly wasOff?: boolean;
	/**
	 * Endpoints that may exist although the provider does not show them, so that it may refuse another one beside them.
	 */
	readonly unseen?: readonly RemoteEndpoint[];
}

/**
 * Carries out a plan. The state is changed between the calls, so that there is exactly one endpoint in the end
 * even if any call fails, and we hold its secret.
 */
export async function applyPlan(
	session: EndpointSession,
	plan: Plan,
	{ record, seen, desiredOf }: Situation,
): Promise<void> {
	const { own } = seen;
	if (plan.do === 'leave') return;
	noteLeftovers(session, seen.orphans);
	if (record === undefined) {
		await createAndRemember(session, seen);
	} else if (plan.do === 'create') {
		if (plan.forsake === undefined) await createInPlaceOf(session, record, seen);
		else await createForsaking(session, record, plan.forsake, seen);
	} else if (isEndpoint(own)) {
		if (plan.do === 'keep') {
			refresh(session, record, seen.isShown);
		} else if (plan.do === 'replace' || !(await updateInPlace(session, record, own, desiredOf))) {
			await replace(session, record, own, seen, plan.why);
		}
	}
	await removeLeftovers(session);
}

/** Updates the record of an endpoint that is as it should be. */
function refresh(session: EndpointSession, record: RegistrationRecord, isShown: boolean): void {
	const { store, url, events } = session;
	const unlisted = isShown ? undefined : record.unlisted;
	const known = { ...record, url, events: [...events], unlisted, removing: undefined };
	const fresh = withCurrentKeys(known, session);
	const isEqual = JSON.stringify(sorted(fresh)) === JSON.stringify(sorted(record));
	if (!isEqual || store.state.creating === true) {
		store.change({ registration: fresh, creating: undefined });
	}
}

/** @returns false if the endpoint has to be replaced instead */
async function updateInPlace(
	session: EndpointSession,
	record: RegistrationRecord,
	own: RemoteEndpoint,
	desiredOf: Situation['desiredOf'],
): Promise<boolean> {
	const { api, url, events } = session;
	session.assertCurrent();
	if (!(await api.update(own.id, { url, events, active: true }))) return false;
	// A provider may ignore what it does not know, and a proxy may answer in its place.
	const now = await seeOne(session, record);
	session.assertCurrent();
	const updated = { ...record, url, events: [...events] };
	if (!isEndpoint(now)) return now === 'unclear';
	if (differencesOf(now, updated, desiredOf(updated)).length > 0) return false;
	refresh(session, updated, true);
	return true;
}

/**
 * Creates the new endpoint first, so that no event is missed, and deletes the old one only once every process can
 * verify what the new one signs.
 */
async function replace(
	session: EndpointSession,
	record: RegistrationRecord,
	own: RemoteEndpoint,
	seen: Observation,
	why: readonly Difference[],
): Promise<void> {
	const wasOff = why.includes('switchedOff');
	await createAndRemember(session, seen, { former: record, own, wasOff });
	const { registration } = session.store.state;
	if (!wasOff || registration?.reported?.active !== false) return;
	warn(
		session.context,
		`${session.provider.displayName} shows endpoint ${registration.endpointId} as switched off although it was just created. If no events arrive, look at it in the dashboard`,
	);
}

/** Replaces a recorded endpoint that seems to be gone; a list that lags behind can make it seem so. */
async function createInPlaceOf(
	session: EndpointSession,
	record: RegistrationRecord,
	seen: Observation,
): Promise<void> {
	// One that was registered at another URL may belong to the n8n whose database this one is a copy of.
	const isOurs = record.url !== undefined && sameUrl(record.url, session.url);
	const unseen = isOurs ? [{ id: record.endpointId, active: true }] : [];
	await createAndRemember(session, seen, { former: record, unseen });
	const { registration } = session.store.state;
	const left = unseen.filter(({ id }) => id !== registration?.endpointId);
	await removeAll(session, left).catch(() => false);
}

/** Another n8n or another account has the recorded endpoint: this trigger gets one of its own. */
async function createForsaking(
	session: EndpointSession,
	record: RegistrationRecord,
	reason: 'inUse' | 'maybeInUse' | 'otherAccount',
	seen: Observation,
): Promise<void> {
	const { context, provider, url } = session;
	if (reason === 'otherAccount') forsake(session, record);
	else {
		const finding =
			reason === 'inUse'
				? 'where another n8n with this workflow answers'
				: 'and it is not clear whether another n8n with this workflow answers there';
		warn(
			context,
			`Endpoint ${record.endpointId} of ${provider.displayName} delivers to ${addressOf(seen.own, record, url)}, ${finding}. It was left alone, and an endpoint of this workflow’s own is registered for ${url}. If no other n8n uses it, remove endpoint ${record.endpointId} in the dashboard`,
		);
	}
	await createAndRemember(session, seen);
}

/**
 * Creates an endpoint and remembers it. What it replaces, and what else is at our URL, is removed afterwards, or before
 * if the provider has no room for another one.
 */
async function createAndRemember(
	session: EndpointSession,
	{ orphans, others }: Observation,
	{ former, own, wasOff = false, unseen = [] }: Replaced = {},
): Promise<void> {
	const { store } = session;
	const existing = own === undefined ? orphans : [own, ...orphans];
	const before = { ours: [...existing, ...unseen], others };
	store.change({ creating: true });
	const record = await createWhileCurrent(session, before).catch((error: unknown) => {
		store.change({ creating: undefined });
		throw error;
	});
	noteLeftovers(session, existing);
	store.change({
		registration: record,
		replaced: former ? replacedBy(former) : store.state.replaced,
		creating: undefined,
	});
	const shown = await learnHowItIsShown(session, record, wasOff);
	session.assertCurrent();
	if (Object.keys(shown).length > 0) store.change({ registration: { ...record, ...shown } });
	await store.commit();
}

/** Creates an endpoint. @throws also if a hook has overtaken the check; the new endpoint is then removed */
async function createWhileCurrent(
	session: EndpointSession,
	before: AccountBefore,
): Promise<RegistrationRecord> {
	// Other processes have to know that they cannot verify yet what it signs.
	if (mayHaveNewSecret(session)) await within(session.store.commit(), ANNOUNCE_MS);
	session.assertCurrent();
	const record = await createEndpoint(session, before);
	let isWanted = false;
	try {
		session.assertCurrent();
		isWanted = true;
		return record;
	} finally {
		if (!isWanted) await removeAll(session, [{ id: record.endpointId }]);
	}
}

function sorted(record: RegistrationRecord): unknown[] {
	return Object.entries(record)
		.filter(([, value]) => value !== undefined)
		.sort(([left], [right]) => (left < right ? -1 : 1));
}
