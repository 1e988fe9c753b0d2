import type { Identity } from '../recoveryApi';

/**
 * How a listed event is recognised as one that was delivered: by entries in n8n's database, which can only be asked
 * whether they exist. A delivery leaves one for the event's own id, and one for what the event is about in a period of
 * time. A listed event is looked for in the two periods around its own time.
 */

/** What a delivery leaves: one or two entries. */
export function deliveredKeys(identity: Identity): string[] {
	return [...ownKeys(identity), periodOf(identity, identity.at)];
}

/** What a delivery of the event may have left. */
export function keysAround(identity: Identity): string[] {
	return [...ownKeys(identity), ...periodsAround(identity)];
}

/** What a recovered event leaves, in addition to the keys it was looked for by: one or two entries. */
export function recoveredKeys(identity: Identity): string[] {
	return deliveredKeys(identity).map(recovered);
}

/** What the event of a delivery may have left when it was recovered. */
export function recoveredKeysAround(identity: Identity): { own: string[]; periods: string[] } {
	return {
		own: ownKeys(identity).map(recovered),
		periods: periodsAround(identity).map(recovered),
	};
}

/** A name of the event for people and for the memory of a process. */
export function nameOf({ own, about, at }: Identity): string {
	return own ?? `${about}|${at}`;
}

const recovered = (key: string) => `r|${key}`;

function ownKeys({ own }: Identity): string[] {
	return own === undefined ? [] : [own];
}

/** The two periods that the tolerance around an event's time reaches into; the event's own is one of them. */
function periodsAround(identity: Identity): string[] {
	const { at, toleranceMs } = identity;
	return [at - toleranceMs, at + toleranceMs].map((time) => periodOf(identity, time));
}

function periodOf({ about, toleranceMs }: Identity, at: number): string {
	return `${about}|${Math.floor(at / (2 * toleranceMs))}`;
}
