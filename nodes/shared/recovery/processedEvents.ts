import { sleep, type IExecuteFunctions } from 'n8n-workflow';

import { Mutex } from '../state/mutex';
import { PerTrigger } from '../state/perTrigger';

/**
 * Which events of a trigger have run, delivered or recovered: remembered in n8n's database, where
 * it keeps what its own node Remove Duplicates has seen, because all processes have to know, and a
 * kill must not forget it. Static data cannot hold it: n8n writes it as a whole, and the last writer wins.
 */

/** n8n's store for one node. */
type Store = Pick<IExecuteFunctions['helpers'], 'checkProcessedAndRecord' | 'removeProcessed'>;

const MODE = { mode: 'entries' } as const;
/** Entries that the store keeps for a node; a delivery takes up to four. */
const MAX_ENTRIES = 20_000;
/**
 * n8n reads and writes the whole store, so two processes can lose an entry to each other. A process that
 * read before an entry was written has written by then.
 */
const SETTLED_AFTER_MS = 2_000;
const MAX_RECENT = 1_000;
/** How many of the latest entries are written again with each write: more than a collision can lose. */
const WRITTEN_AGAIN = 100;
/** Keys that the memory of the process holds for a trigger. */
const MAX_KNOWN = 20_000;
const MAX_TRIGGERS = 200;

/** A key as a delivery records it for the question which events are missing. */
const asked = (key: string) => `q|${key}`;
/** A key of an event that was recovered. */
const recovered = (key: string) => `r|${key}`;
/** The first key of an event whose recovered run ends with the process that started it. */
const begunHere = (key: string) => `i|${key}`;
/** The first key of an event whose recovered run has ended. */
const ended = (key: string) => `f|${key}`;

/** What is known of the run of a recovered event. */
export interface RecoveredRun {
	readonly id: string;
	readonly inProcess: boolean;
	readonly finished: readonly string[];
}

/** The processed events of one trigger, as one process knows them. */
export class ProcessedEvents {
	/** What this process has seen run, the oldest first. */
	private readonly known = new Set<string>();
	/** What this process wrote recently, and when, in milliseconds of its own clock. */
	private readonly recent = new Map<string, number>();
	private readonly turns = new Mutex();
	private confirming = false;

	/** Whether this process knows that an event with one of the keys has run. */
	knows(keys: readonly string[]): boolean {
		return keys.some((key) => this.known.has(key));
	}

	/** Remembers in this process that an event has run. */
	note(keys: readonly string[]): void {
		addTo(this.known, keys, MAX_KNOWN);
	}

	/**
	 * A delivery is about to run.
	 * @returns false when its event was recovered before, so that it must not run again. A second
	 * delivery with the same keys is another event.
	 */
	async claimDelivery(store: Store, keys: readonly string[]): Promise<boolean> {
		return await this.turns.run(async () => {
			this.note(keys);
			const processed = await this.record(store, [...keys, ...keys.map(asked)]);
			if (processed.size === 0) return true;
			const marks = keys.map(recovered);
			const late = (await this.record(store, marks)).size > 0;
			await this.forget(store, marks);
			return !late;
		});
	}

	/**
	 * A recovered event is about to run.
	 * @param keys those under which its delivery may have run
	 * @param run its id, because n8n's queue starts a run again whose worker was lost; whether it ends
	 * with the process that recovers; and the first keys of events whose runs have ended since
	 * @returns false when the event has run already. One whose run was killed runs again.
	 */
	async claimRecovered(
		store: Store,
		keys: readonly string[],
		{ id, inProcess, finished }: RecoveredRun,
	): Promise<boolean> {
		return await this.turns.run(async () => {
			this.note(keys);
			const [key = ''] = keys;
			const own = `x|${id}|${key}`;
			const marks = keys.map(recovered);
			const begun = inProcess ? [begunHere(key)] : [];
			const entries = [own, ...keys, ...marks, ...begun];
			const processed = await this.record(store, [...entries, ...finished.map(ended)]);
			if (processed.has(own) || !keys.some((one) => processed.has(one))) return true;
			if (begun.some((one) => processed.has(one)) && !(await this.hasEnded(store, key)))
				return true;
			await this.forget(
				store,
				[own, ...marks, ...begun].filter((entry) => !processed.has(entry)),
			);
			return false;
		});
	}

	/** Remembers that the runs of recovered events have ended. @param keys the first key of each */
	async noteEnds(store: Store, keys: readonly string[]): Promise<void> {
		await this.turns.run(async () => await this.record(store, keys.map(ended)));
	}

	private async hasEnded(store: Store, key: string): Promise<boolean> {
		if ((await this.record(store, [ended(key)])).size > 0) return true;
		await this.forget(store, [ended(key)]);
		return false;
	}

	/**
	 * Of several events, those that a delivery brought.
	 * @param events the keys of each
	 * @returns their indexes
	 */
	async delivered(store: Store, events: ReadonlyArray<readonly string[]>): Promise<number[]> {
		return await this.turns.run(async () => {
			const entries = [...new Set(events.flat().map(asked))];
			const { processed, new: unknown } = await store.checkProcessedAndRecord(
				entries,
				'node',
				MODE,
			);
			// n8n's store cannot be asked without writing to it.
			await store.removeProcessed(unknown, 'node', MODE);
			const found = new Set(processed);
			return [...events.keys()].filter((index) =>
				events[index]?.some((key) => found.has(asked(key))),
			);
		});
	}

	/** @returns those of the entries that were in the store before */
	private async record(store: Store, entries: readonly string[]): Promise<ReadonlySet<unknown>> {
		const latest = [...this.recent.keys()].slice(-WRITTEN_AGAIN);
		const all = [...new Set([...latest, ...entries])];
		const write = async () =>
			await store.checkProcessedAndRecord(all, 'node', { ...MODE, maxEntries: MAX_ENTRIES });
		// The first write of two processes at once fails for one of them.
		const { processed } = await write().catch(write);
		for (const entry of entries.slice(0, MAX_RECENT - this.recent.size)) {
			this.recent.set(entry, performance.now());
		}
		void this.confirm(store);
		const wanted = new Set<unknown>(entries);
		return new Set(processed.filter((entry) => wanted.has(entry)));
	}

	private async forget(store: Store, entries: readonly string[]): Promise<void> {
		for (const entry of entries) this.recent.delete(entry);
		await store.removeProcessed([...entries], 'node', MODE);
	}

	/** Writes again what was lost to another process, until everything written recently is there. */
	async confirm(store: Store): Promise<void> {
		if (this.confirming) return;
		this.confirming = true;
		try {
			while (this.recent.size > 0) {
				// Two processes must not go on colliding.
				await sleep(SETTLED_AFTER_MS * (1 + Math.random()));
				await this.turns.run(async () => await this.confirmOnce(store));
			}
		} catch {
			// The entries were written when they came.
			this.recent.clear();
		} finally {
			this.confirming = false;
		}
	}

	private async confirmOnce(store: Store): Promise<void> {
		const entries = [...this.recent.keys()];
		const { new: lost } = await store.checkProcessedAndRecord(entries, 'node', {
			...MODE,
			maxEntries: MAX_ENTRIES,
		});
		const now = performance.now();
		for (const [entry, at] of this.recent) {
			if (now - at > SETTLED_AFTER_MS) this.recent.delete(entry);
		}
		for (const entry of lost) this.recent.set(String(entry), now);
	}
}

function addTo(set: Set<string>, entries: readonly string[], capacity: number): void {
	for (const entry of entries) {
		set.delete(entry);
		set.add(entry);
	}
	for (const oldest of set) {
		if (set.size <= capacity) return;
		set.delete(oldest);
	}
}

const triggers = new PerTrigger(() => new ProcessedEvents(), MAX_TRIGGERS);

/** The processed events of a trigger, the same in the whole process. */
export function processedEventsOf(trigger: string): ProcessedEvents {
	return triggers.of(trigger);
}
