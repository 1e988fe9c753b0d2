import type { IDataObject } from 'n8n-workflow';

/** What a provider's data says about the API that lists events whose deliveries were lost. */

/** What is known of an event, whether it came in a delivery or from the provider's API. */
export interface KnownEvent {
	/** Name of the event. */
	readonly event: string;
	/** Epoch milliseconds at which it happened. */
	readonly at: number;
	readonly data: IDataObject;
	/** `deliveryId` of its delivery, where it arrived in one. */
	readonly deliveryId?: string | undefined;
}

/** An event that a provider's API lists. */
export interface ListedEvent extends KnownEvent {
	/** The call that listed it, e.g. `GET /api/suppressions`. */
	readonly source: string;
}

/** A call of a provider's API, and how its answer is read. */
export interface RecoveryCall<T> {
	readonly path: string;
	readonly qs: IDataObject;
	/** @returns undefined for an answer that is not as documented */
	readonly read: (body: unknown) => T | undefined;
}

/** A page of what happened, the newest first. */
export interface EventPage {
	readonly events: readonly ListedEvent[];
	/** How many entries the page has, including those that are not events. */
	readonly size: number;
	/** How many entries there are on all pages; undefined where the answer does not say so. */
	readonly total?: number | undefined;
}

/** Which entries of a list to ask for. */
export interface PagePlace {
	/** Epoch milliseconds of the oldest event that is wanted. */
	readonly since: number;
	/** Counted from 0. */
	readonly number: number;
	/** How many entries come before it. */
	readonly offset: number;
	/** How many entries to ask for. */
	readonly size: number;
}

/**
 * Identifies an event. A listed event and a delivered one are the same event if they have the same `own`, or the same
 * `about` at about the same time.
 */
export interface Identity {
	/** An id that only this event has. */
	readonly own?: string | undefined;
	/** The event's name and what it is about. */
	readonly about: string;
	/** Epoch milliseconds. */
	readonly at: number;
	/** How far the two times of one event may differ, in milliseconds. */
	readonly toleranceMs: number;
}

/** The API that lists events whose deliveries were lost. */
export interface RecoveryApi {
	/** What it lists, in words, e.g. "articles". */
	readonly noun: string;
	/** The events it lists. */
	readonly events: readonly string[];
	/** What it can and cannot recover, for the editor. */
	readonly description: string;
	/** Calls a minute that the provider allows where its answers do not say so. */
	readonly callsPerMinute: number;
	/** The most entries that a page holds. */
	readonly pageSize: number;
	/** Whether a page can begin at any entry of the list; if not, it begins at a multiple of its size. */
	readonly startsAnywhere: boolean;
	/** Makes the call for one page; the page may also hold events older than `since`. */
	readonly page: (place: PagePlace) => RecoveryCall<EventPage>;
	/**
	 * Makes the call for the fields of one event that the list leaves out.
	 * @returns undefined for an event that cannot be requested
	 */
	readonly details?: (event: ListedEvent) => RecoveryCall<ListedEvent> | undefined;
	/** @returns undefined for what cannot be one of `events` */
	readonly identify: (event: KnownEvent) => Identity | undefined;
}
