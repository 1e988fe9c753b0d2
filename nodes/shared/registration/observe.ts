import { sleep } from 'n8n-workflow';

import type { RemoteEndpoint } from '../api/endpointAnswer';
import type { Lookup } from '../api/endpoints';
import { settingsError } from '../errors';
import type { RegistrationRecord } from '../state/triggerState';
import { sameUrl } from '../url';
import { otherTriggerAt } from './otherTriggerAt';
import {
	differencesOf,
	isOfOtherAccount,
	type Desired,
	type Observation,
	type Sighting,
} from './plan';
import type { EndpointSession } from './session';
import { whoAnswersAt, type Occupant } from './webhookProbe';
import { webhookUrlObjection } from './webhookUrl';

/** A list or a replica may lag behind, so an endpoint counts as gone only if it is missing twice. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Looks at the account. Where the API can get one endpoint and it is as it should be, the list is not read: that takes
 * one call, however many endpoints the account has.
 * @param thorough reads the list in any case, to find what is left over
 */
export async function observe(
	session: EndpointSession,
	record: RegistrationRecord | undefined,
	desired: Desired | undefined,
	thorough: boolean,
): Promise<Observation> {
	let got = record === undefined ? 'absent' : await lookUp(session, record);
	if (
		record &&
		desired &&
		isEndpoint(got) &&
		!thorough &&
		differencesOf(got, record, desired).length === 0
	) {
		return { own: got, isShown: true, orphans: [], others: new Set() };
	}
	// The provider has never shown such an endpoint, so it proves nothing that it does not show it now.
	const isHidden = record?.unlisted === true && record.removing !== true;
	let { endpoints: list, unreadable } = await session.api.readList();
	let shown = record && shownIn(got, list, record);
	if (record && !isHidden && shown === 'gone') {
		await sleep(LOOK_AGAIN_MS);
		got = await lookUp(session, record);
		({ endpoints: list, unreadable } = await session.api.readList());
		shown = shownIn(got, list, record);
	}
	session.assertCurrent();
	// An unreadable entry may be ours.
	if (record === undefined || (shown === 'gone' && !isHidden)) {
		assertReadable(session, unreadable);
	}
	if (isEndpoint(shown) && got === 'absent') session.installation.lacksGet = true;
	const own = record && shown === 'gone' && isHidden ? asRegistered(record) : shown;
	return {
		own,
		isShown: isEndpoint(shown),
		orphans: orphansIn(session, list, record?.endpointId),
		others: elsewhereIn(session, list, record?.endpointId),
		occupant:
			record && desired && isEndpoint(own) && !isOfOtherAccount(own, record, desired)
				? await occupantOf(session, own, record)
				: undefined,
	};
}

/** @throws NodeOperationError if an endpoint at our URL has no readable id: another create might add a second one */
export function assertReadable(
	{ context, provider, url }: EndpointSession,
	unreadable: readonly string[],
): void {
	if (!unreadable.some((theirs) => sameUrl(theirs, url))) return;
	throw settingsError(
		context,
		`${provider.displayName} has an endpoint for ${url} whose id cannot be read`,
		'Remove all endpoints with this URL in its dashboard, set Registration to Manual and add the URL there',
	);
}

/**
 * Endpoints at our URL other than our own one and those of other triggers of this process. An id that the list shows at
 * another URL, too, may be somebody else's.
 */
export function orphansIn(
	{ owner, url }: Pick<EndpointSession, 'owner' | 'url'>,
	endpoints: readonly RemoteEndpoint[],
	ownId: string | undefined,
): readonly RemoteEndpoint[] {
	return endpoints.filter(
		(endpoint) =>
			endpoint.id !== ownId &&
			isAt(endpoint, url) &&
			endpoints.every((other) => other.id !== endpoint.id || isAt(other, url)) &&
			otherTriggerAt(owner, url, ({ endpointId }) => endpointId === endpoint.id) === undefined,
	);
}

/** Ids of endpoints at other URLs than ours, our own one left out. */
function elsewhereIn(
	{ url }: EndpointSession,
	endpoints: readonly RemoteEndpoint[],
	ownId: string | undefined,
): ReadonlySet<string> {
	const isElsewhere = (endpoint: RemoteEndpoint) => endpoint.id !== ownId && !isAt(endpoint, url);
	return new Set(endpoints.filter(isElsewhere).map(({ id }) => id));
}

/** Whether an endpoint delivers to a URL. */
function isAt(endpoint: RemoteEndpoint, url: string): boolean {
	return endpoint.url !== undefined && sameUrl(endpoint.url, url);
}

/** Where the recorded endpoint delivers to; what is unknown is assumed to be as it was registered. */
export function addressOf(
	own: Sighting | undefined,
	record: RegistrationRecord,
	url: string,
): string {
	const address = isEndpoint(own) ? own.url : undefined;
	if (address === undefined || address === record.reported?.url) return record.url ?? url;
	return address;
}

export function isEndpoint(sighting: Lookup | undefined): sighting is RemoteEndpoint {
	return typeof sighting === 'object';
}

/** The recorded endpoint, where the API can get one. */
export async function lookUp(
	{ api, webhookApi, installation }: EndpointSession,
	{ endpointId }: Pick<RegistrationRecord, 'endpointId'>,
): Promise<Lookup> {
	if (webhookApi.operations.get === undefined || installation.lacksGet === true) return 'absent';
	return await api.find(endpointId);
}

/** What the provider says of one endpoint: in the answer to the call that gets it, or else in the list. */
export async function seeOne(
	session: EndpointSession,
	record: Pick<RegistrationRecord, 'endpointId'>,
): Promise<Sighting> {
	const got = await lookUp(session, record);
	return isEndpoint(got) ? got : shownIn(got, await session.api.list(), record);
}

/** What the answer for one endpoint and the list say together. */
export function shownIn(
	got: Lookup,
	list: readonly RemoteEndpoint[],
	{ endpointId }: Pick<RegistrationRecord, 'endpointId'>,
): Sighting {
	if (isEndpoint(got)) return got;
	const listed = list.find(({ id }) => id === endpointId);
	if (listed !== undefined) return listed;
	return got === 'unclear' ? 'unclear' : 'gone';
}

/** An endpoint that the provider never showed: only what was registered is known of it. */
function asRegistered({ endpointId }: RegistrationRecord): RemoteEndpoint {
	return { id: endpointId, active: true };
}

/**
 * Who answers at the URL of the recorded endpoint, if it is not ours. A restored or copied database has the record of
 * production's endpoint, and the answer shows whether production still uses it.
 */
async function occupantOf(
	{ context, credential, url }: EndpointSession,
	own: RemoteEndpoint,
	record: RegistrationRecord,
): Promise<Occupant | undefined> {
	const address = addressOf(own, record, url);
	if (sameUrl(address, url)) return undefined;
	// Only a local provider accepts private addresses.
	const reachable = webhookUrlObjection(address, credential.baseUrl) === undefined;
	return reachable ? await whoAnswersAt(context, address) : 'unknown';
}
