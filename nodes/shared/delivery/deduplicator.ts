import { PerTrigger } from '../state/perTrigger';

/** Whether a delivery is new, already accepted, or being answered at this moment. */
export type DeliveryState = 'new' | 'inProgress' | 'accepted';

/** The part of an HTTP response that shows how a delivery ended. */
export interface Answer {
	readonly statusCode: number;
	readonly writableEnded: boolean;
	once(event: 'finish', listener: () => void): unknown;
}

interface Entry {
	/** Undefined once the delivery was accepted. */
	pending?: { readonly answer: Answer; readonly since: number };
	/** Id of the run that decides, until the delivery is accepted. */
	run?: string;
	/** When the same key stands for a new delivery. */
	readonly endsAt: number;
}

/** After so long without an answer a delivery counts as failed, so that a copy may run. */
export const GIVE_UP_MS = 120_000;

/**
 * Remembers accepted deliveries in process memory, so that a provider's retry does not run twice.
 *
 * A delivery counts as accepted only once its response ended with 2xx or, where its run decides, once the run
 * succeeded: what n8n refused or never answered may come again. Best effort by design: the memory is this process's
 * own, and it keeps the newest `capacity` keys.
 */
export class Deduplicator {
	private readonly entries = new Map<string, Entry>();
	/** Continues where it stopped: a new iterator would pass all entries that were dropped before, each time. */
	private readonly oldestFirst = this.entries.keys();

	/** Entries without an answer yet, oldest first: each holds a response, with its request and body. */
	private readonly unanswered = new Map<Entry, string>();

	constructor(
		private readonly capacity = 10_000,
		/** Milliseconds of a clock that nobody sets. */
		private readonly now = () => performance.now(),
	) {}

	get size(): number {
		return this.entries.size;
	}

	/** How many responses are held because they have not ended yet. */
	get waiting(): number {
		return this.unanswered.size;
	}

	/**
	 * Reports a delivery; a `new` one counts as accepted from the moment its answer ends with 2xx, or its run succeeds.
	 * @param decision the response that decides, or a run; undefined for a delivery that counts as accepted at once
	 * @param lifetimeMs how long the key stands for this delivery
	 */
	see(
		key: string,
		decision: Answer | { readonly run: string } | undefined,
		lifetimeMs = Number.POSITIVE_INFINITY,
	): DeliveryState {
		this.releaseUnanswered();
		const state = this.stateOf(key);
		if (state !== 'new') return state;

		// Deleting first moves the key to the end of the map, where the newest are.
		this.entries.delete(key);
		const now = this.now();
		const entry: Entry = { endsAt: now + lifetimeMs };
		this.entries.set(key, entry);
		if (this.entries.size > this.capacity) {
			const oldest = this.oldestFirst.next();
			if (oldest.done !== true) this.entries.delete(oldest.value);
		}
		if (decision === undefined) return 'new';
		if ('run' in decision) entry.run = decision.run;
		else {
			entry.pending = { answer: decision, since: now };
			this.unanswered.set(entry, key);
			decision.once('finish', () => this.settle(key, entry, decision));
		}
		return 'new';
	}

	/** The run that has a delivery, while its end is not known. */
	runOf(key: string): string | undefined {
		return this.entries.get(key)?.run;
	}

	/** Reports the end of the run that has a delivery. @param accepted false: the delivery may come again */
	endRun(key: string, run: string, accepted: boolean): void {
		const entry = this.entries.get(key);
		if (entry?.run !== run) return;
		if (accepted) delete entry.run;
		else this.entries.delete(key);
	}

	private stateOf(key: string): DeliveryState {
		const entry = this.entries.get(key);
		if (entry === undefined || this.now() > entry.endsAt) return 'new';
		if (entry.run !== undefined) return 'inProgress';
		if (entry.pending === undefined) return 'accepted';
		// `finish` never comes when the sender hung up first, although n8n may have accepted the run.
		if (entry.pending.answer.writableEnded) {
			return this.settle(key, entry, entry.pending.answer) ? 'accepted' : 'new';
		}
		return this.now() - entry.pending.since > GIVE_UP_MS ? 'new' : 'inProgress';
	}

	/** Releases responses that will never finish, because their senders hung up. */
	private releaseUnanswered(): void {
		for (const [entry, key] of this.unanswered) {
			const { pending } = entry;
			if (pending === undefined || this.now() - pending.since <= GIVE_UP_MS) return;
			if (pending.answer.writableEnded) this.settle(key, entry, pending.answer);
			else this.forget(key, entry);
		}
	}

	private forget(key: string, entry: Entry): void {
		this.unanswered.delete(entry);
		if (this.entries.get(key) === entry) this.entries.delete(key);
	}

	private settle(key: string, entry: Entry, { statusCode }: Answer): boolean {
		const accepted = isAccepting(statusCode);
		if (accepted) {
			delete entry.pending;
			this.unanswered.delete(entry);
		} else this.forget(key, entry);
		return accepted;
	}
}

/** Whether a provider takes a delivery with this status for accepted. */
export function isAccepting(status: number): boolean {
	return status >= 200 && status < 300;
}

/** One deduplicator for each trigger. */
export class DeduplicatorPool extends PerTrigger<Deduplicator> {
	constructor(capacity = 200) {
		super(() => new Deduplicator(), capacity);
	}
}
