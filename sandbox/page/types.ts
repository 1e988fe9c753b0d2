import type { FaultKind, ProviderId, SandboxEndpoint, Tamper } from '../types';
export type { CatalogueEntry } from '../types';

/** The JSON that the page and the commands receive. */

/** What became of a request. */
export interface Result {
	/** Absent where there was no answer. */
	status?: number;
	/** Why there was none. */
	error?: string;
	/** Of the answer; only the beginning of a long one. */
	body?: string;
	durationMs: number;
}

/** One try to deliver. */
export interface AttemptEntry {
	kind: 'attempt';
	/** Stays the same while the entry changes; later entries have higher ones. */
	key: number;
	/** Epoch milliseconds. */
	at: number;
	provider: ProviderId;
	event: string;
	/** Absent for a pasted URL. */
	endpointId?: string;
	url: string;
	deliveryId: string;
	/** 1 for the first try. */
	number: number;
	tamper?: Tamper;
	/** Of the request; empty until they are signed. */
	headers: Readonly<Record<string, string>>;
	body: string;
	/** Absent until the try is over. */
	result?: Result;
	/** When the next try is scheduled, in epoch milliseconds, and how many may follow. */
	retry?: { at: number; left: number };
}

/** A call of a provider's API. */
export interface CallEntry {
	kind: 'call';
	key: number;
	at: number;
	/** Absent when no provider serves the path. */
	provider?: ProviderId;
	method: string;
	path: string;
	body?: string;
	/** Absent until it is answered, so always if a fault lets it hang. */
	result?: Result;
}

export type Entry = AttemptEntry | CallEntry;

/** A fault that waits for API calls. */
export interface WaitingFault {
	provider?: ProviderId;
	kind: FaultKind;
	status?: number;
	delayMs?: number;
	/** How many calls it will still hit. */
	times: number;
}

/** The state of a user's accounts at the providers. */
export interface Account {
	keys: Record<ProviderId, string>;
	endpoints: SandboxEndpoint[];
	faults: WaitingFault[];
}

/** The whole present state; sent at each connection. */
export interface PageState {
	account: Account;
	/** Oldest first; only the newest are kept. */
	entries: Entry[];
}

/** What has changed since; an entry replaces the one with the same key. */
export interface PageChange {
	account?: Account;
	entries: Entry[];
}
