import type { RemoteEndpoint } from '../api/endpointAnswer';
import { sameEvents } from '../events';
import type { Provider } from '../provider';
import type { Difference } from '../state/problem';
import type { RegistrationRecord } from '../state/triggerState';
import { sameUrl } from '../url';
import type { Occupant } from './webhookProbe';

/** What the provider says of the endpoint of a record; `unclear` is no reason to change anything. */
export type Sighting = RemoteEndpoint | 'gone' | 'unclear';

/** What the provider has, as far as it shows. */
export interface Observation {
	/** The endpoint of the record; undefined without a record. */
	readonly own: Sighting | undefined;
	/** Whether the provider showed it; one that it never shows is taken to be as it was registered. */
	readonly isShown: boolean;
	/** Other endpoints at our URL: left over from interrupted attempts. */
	readonly orphans: readonly RemoteEndpoint[];
	/** Ids of endpoints at other URLs, where the list was read. */
	readonly others: ReadonlySet<string>;
	/** Who answers where our endpoint delivers to, if that is not our URL. */
	readonly occupant?: Occupant | undefined;
}

/** How a trigger wants its endpoint, and what it can do about it. */
export interface Desired {
	readonly provider: Provider;
	readonly url: string;
	readonly events: readonly string[];
	/** The current credential gives the secret that the endpoint of the record has. */
	readonly secretIsCurrent: boolean;
	/** The record was made with the current API key, as far as is known. */
	readonly isSameAccount: boolean;
	/** Events and URL of an endpoint can be changed, as far as is known. */
	readonly canUpdate: boolean;
}

/**
 * What is to be done about a trigger's endpoint.
 *
 * - `keep`: it is as it should be.
 * - `update`: changes it in place.
 * - `replace`: creates another one, then deletes the old one.
 * - `create`: there is none that is ours; `forsake` says why the recorded one is left alone.
 * - `leave`: cannot tell, so nothing is changed.
 */
export type Plan =
	| { readonly do: 'keep' }
	| { readonly do: 'update' | 'replace'; readonly why: readonly Difference[] }
	| {
			readonly do: 'create';
			readonly why: readonly Difference[];
			readonly forsake?: 'inUse' | 'maybeInUse' | 'otherAccount';
	  }
	| { readonly do: 'leave' };

/** Decides what to do. Pure: the result depends on the arguments alone. */
export function planFor(
	{ own, occupant }: Pick<Observation, 'own' | 'occupant'>,
	record: RegistrationRecord | undefined,
	desired: Desired | undefined,
): Plan {
	if (record === undefined || own === undefined || desired === undefined)
		return { do: 'create', why: [] };
	if (own === 'unclear') return { do: 'leave' };
	if (isOfOtherAccount(own, record, desired)) {
		return { do: 'create', why: ['deleted'], forsake: 'otherAccount' };
	}
	if (own === 'gone') return { do: 'create', why: ['deleted'] };
	if (occupant !== undefined && !mayBeTaken(occupant, record, desired)) {
		const forsake = occupant === 'trigger' ? 'inUse' : 'maybeInUse';
		return { do: 'create', why: ['changed'], forsake };
	}
	const why = differencesOf(own, record, desired);
	if (why.length === 0) return { do: 'keep' };
	const inPlace = desired.canUpdate && !why.includes('secretChanged');
	return { do: inPlace ? 'update' : 'replace', why };
}

/**
 * Whether the recorded endpoint is in a different account from the API key's. What the key's account has under the same
 * id is ours only if it has our URL: ids can be small numbers.
 */
export function isOfOtherAccount(
	own: RemoteEndpoint | 'gone',
	record: RegistrationRecord,
	{ isSameAccount, url }: Pick<Desired, 'isSameAccount' | 'url'>,
): boolean {
	if (isSameAccount) return false;
	if (own === 'gone' || own.url === undefined) return true;
	const shown = own.url;
	const isOurs = (ours: string) => shown === record.reported?.url || sameUrl(shown, ours);
	return ![url, record.url ?? url].some(isOurs);
}

/**
 * Whether an endpoint with another URL may be pointed back to ours. One that this n8n registered at the current URL was
 * changed by somebody; one that was registered at another URL may belong to the n8n whose database was copied.
 */
function mayBeTaken(occupant: Occupant, { url }: RegistrationRecord, desired: Desired): boolean {
	if (occupant === 'nobody') return true;
	return occupant === 'silence' && url !== undefined && sameUrl(url, desired.url);
}

/**
 * How an endpoint differs from what is desired. What the provider does not report, or reports as it did right after the
 * endpoint was registered, is taken to be as it was registered.
 */
export function differencesOf(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	desired: Desired,
): readonly Difference[] {
	const { reported } = record;
	const url =
		own.url === undefined || own.url === reported?.url ? (record.url ?? desired.url) : own.url;
	const events =
		own.events === undefined || sameNames(own.events, reported?.events)
			? (record.events ?? desired.events)
			: own.events;
	const isChanged =
		!sameUrl(url, desired.url) || !sameEvents(desired.provider, events, desired.events);
	return [
		...(own.active || reported?.active === false ? [] : ['switchedOff' as const]),
		...(isChanged ? ['changed' as const] : []),
		...(desired.secretIsCurrent ? [] : ['secretChanged' as const]),
	];
}

function sameNames(left: readonly string[], right: readonly string[] | undefined): boolean {
	return (
		right !== undefined && JSON.stringify([...left].sort()) === JSON.stringify([...right].sort())
	);
}
