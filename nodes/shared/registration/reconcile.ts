import type { RemoteEndpoint } from '../api/endpointAnswer';
import { sameEvents } from '../events';
import { warn } from '../log';
import { problemsOf, type Difference } from '../problems';
import { sameUrl } from '../url';
import { createFresh, isAt, removeAll } from './provision';
import { loadRecord, ownerOf, saveRecord, saveReplaced, type RegistrationRecord } from './record';
import { secretIsCurrent, withCurrentKeys } from './recordSecrets';
import type { Account, Target } from './target';
import { whoAnswersAt } from './webhookProbe';
import { webhookUrlObjection } from './webhookUrl';

/**
 * A trigger's endpoint at the provider: looked up, created, repaired and deleted. Even if a step
 * fails in between, there is exactly one endpoint in the end, and we hold its secret. An endpoint with
 * another URL belongs to someone else, usually the n8n that this one's database was copied from.
 */

/** Creates in flight in this process: a second call for the same endpoint waits for the first. */
const creating = new Map<string, Promise<RegistrationRecord>>();

/** What the provider has: our endpoint, and others at our URL. */
interface Found {
	readonly own: RemoteEndpoint | undefined;
	readonly strays: readonly RemoteEndpoint[];
}

/**
 * Makes sure that there is an endpoint, and remembers it. May be called again and again.
 * @param found what the provider has, where the caller has just looked
 */
export async function ensureEndpoint(target: Target, found?: Found): Promise<void> {
	const { memory, url, events } = target;
	const { workflowId, nodeId } = ownerOf(memory);
	// A check does not share: when it is overtaken it undoes what it created.
	const key = JSON.stringify([workflowId, nodeId, url, events, target.persist === undefined]);
	const running =
		creating.get(key) ?? createOnce(target, found).finally(() => creating.delete(key));
	creating.set(key, running);
	saveRecord(memory, await running);
}

/** What was wrong, as n8n's log says it. */
const WORDS: Readonly<Record<Difference, string>> = {
	deleted: 'was deleted',
	switchedOff: 'was switched off',
	changed: 'had another URL or other events',
	secretChanged: 'had another secret or API key than the credential',
};

/**
 * Compares the registered endpoint with what the node wants, and repairs it when they differ. Costs
 * one call where nothing is wrong. Without a record there is nothing to compare with: the endpoint is
 * created.
 * @param brokeOff an earlier attempt was interrupted and may have left endpoints at our URL: they are removed
 */
export async function checkAndRepair(target: Target, brokeOff = false): Promise<void> {
	const { context, memory, provider } = target;
	const record = loadRecord(memory, provider);
	if (record === undefined) return await ensureEndpoint(target);
	const found = await look(target, record, brokeOff);
	const { own, strays } = found;
	const wrong = differencesOf(own, record, target);
	if (wrong.length === 0) {
		if (brokeOff) await removeAll(target, strays);
		// An endpoint that the list leaves out cannot be compared.
		return saveRecord(memory, own === undefined ? record : upToDate(record, target));
	}
	await ensureEndpoint(target, found);
	const endpointId = loadRecord(memory, provider)?.endpointId ?? '';
	problemsOf(ownerOf(memory)).repaired(wrong, endpointId, Date.now());
	const what = wrong.map((difference) => WORDS[difference]).join(' and ');
	warn(
		context,
		`Endpoint ${record.endpointId} of ${provider.displayName} ${what}. It was repaired; the endpoint is now ${endpointId}`,
	);
}

/**
 * Looks at the account, compares, repairs, and returns what to remember.
 *
 * Our own endpoint is the one with the recorded id, while its URL is ours. Endpoints at our URL that
 * we do not hold the secret of are left over from an interrupted publish: they are removed, never
 * adopted.
 * @returns our record, or undefined when there is no endpoint to keep
 */
export async function reconcile(
	target: Target,
	found?: Found,
): Promise<RegistrationRecord | undefined> {
	const { memory, provider } = target;
	const record = loadRecord(memory, provider);
	const { own, strays } = found ?? (await look(target, record));
	await removeAll(target, strays);
	if (record === undefined) return undefined;
	if (own === undefined) {
		if (record.unlisted === true) return record;
		saveReplaced(memory, record);
		return undefined;
	}
	if (matches(own, record, target)) return upToDate(record, target);
	if (!(await isOurs(own, record, target))) return undefined;
	return (await updateInPlace(own, record, target)) ?? (await replace(own, record, target));
}

/**
 * Our endpoint, and the others at our URL. Where the API can get one endpoint and it is as it should
 * be, the list is not read: one call in any account. An endpoint that cannot be got may still be in
 * the list, because an installation may not serve that call.
 * @param readList always reads the list, to find the others
 */
async function look(
	target: Target,
	record: RegistrationRecord | undefined,
	readList = false,
): Promise<Found> {
	const { api, url } = target;
	const got = record && (await getOwn(target, record));
	if (record && got && !readList && matches(got, record, target)) return { own: got, strays: [] };
	const all = await api.list();
	// Otherwise what it has created would count as left over.
	target.assertNotOvertaken?.();
	const own = got ?? all.find(({ id }) => id === record?.endpointId);
	if (own !== undefined && got === undefined) target.onGetNotServed?.();
	return { own, strays: all.filter((endpoint) => endpoint.id !== own?.id && isAt(endpoint, url)) };
}

/** The recorded endpoint, where the API can get one. */
export async function getOwn(
	{ api, management }: Account,
	{ endpointId }: RegistrationRecord,
): Promise<RemoteEndpoint | undefined> {
	return management.operations.get === undefined ? undefined : await api.find(endpointId);
}

/** Where the recorded endpoint delivers to; what is unknown is assumed to be as the node wants it. */
export function addressOf(
	own: RemoteEndpoint | undefined,
	record: RegistrationRecord,
	url: string,
): string {
	return own?.url ?? record.url ?? url;
}

/**
 * Whether an endpoint is as the node wants it, and was given a secret that we hold. What the provider
 * does not report is assumed to be as it was registered.
 */
function matches(own: RemoteEndpoint, record: RegistrationRecord, target: Target): boolean {
	return differencesOf(own, record, target).length === 0;
}

function differencesOf(
	own: RemoteEndpoint | undefined,
	record: RegistrationRecord,
	{ provider, management, credential, url, events }: Target,
): readonly Difference[] {
	if (own === undefined) return record.unlisted === true ? [] : ['deleted'];
	const changed =
		!sameUrl(addressOf(own, record, url), url) ||
		!sameEvents(provider, own.events ?? record.events ?? events, events);
	return [
		...(own.active ? [] : ['switchedOff' as const]),
		...(changed ? ['changed' as const] : []),
		...(secretIsCurrent(record, credential, management) ? [] : ['secretChanged' as const]),
	];
}

function upToDate(record: RegistrationRecord, target: Target): RegistrationRecord {
	const { url, events, credential } = target;
	return withCurrentKeys({ ...record, url, events, unlisted: undefined }, credential);
}

/**
 * Whether the endpoint with our id is this n8n's. A restored or copied database names production's
 * endpoint: it is taken over only when no trigger of ours answers at its address any more, as after a
 * change of WEBHOOK_URL.
 */
async function isOurs(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	{ context, provider, credential, url }: Target,
): Promise<boolean> {
	const address = addressOf(own, record, url);
	if (sameUrl(address, url)) return true;
	// Only a local provider can have a private address registered.
	const reachable = webhookUrlObjection(address, credential.baseUrl) === undefined;
	const occupant = reachable ? await whoAnswersAt(context, address) : 'unknown';
	if (occupant === 'nobody') return true;
	const finding =
		occupant === 'trigger'
			? 'where another n8n with this workflow answers'
			: 'and it cannot be told whether another n8n with this workflow answers there';
	warn(
		context,
		`Endpoint ${own.id} of ${provider.displayName} delivers to ${address}, ${finding}. It was left alone, and an endpoint of this workflow’s own is registered for ${url}. If no other n8n uses it, remove endpoint ${own.id} in the dashboard`,
	);
	return false;
}

async function updateInPlace(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	target: Target,
): Promise<RegistrationRecord | undefined> {
	const { api, management, credential, url, events } = target;
	if (!secretIsCurrent(record, credential, management)) return undefined;
	if (management.operations.update === undefined) return undefined;
	const outcome = await api.update(own.id, { url, events, active: true });
	if (outcome === 'notServed') return undefined;
	if (outcome === 'unconfirmed') {
		const { own: now } = await look(target, record);
		if (now === undefined || !matches(now, record, target)) return undefined;
	}
	return upToDate(record, target);
}

/**
 * The new one comes first, so that no event falls into a gap, and the old one goes only once every
 * process can verify what the new one signs.
 */
async function replace(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	target: Target,
): Promise<RegistrationRecord> {
	const { memory } = target;
	const replacement = await createFresh(target, own.id);
	saveRecord(memory, replacement);
	saveReplaced(memory, record);
	await target.persist?.();
	await removeAll(target, [own]);
	return replacement;
}

async function createOnce(target: Target, found?: Found): Promise<RegistrationRecord> {
	return (await reconcile(target, found)) ?? (await createFresh(target));
}
