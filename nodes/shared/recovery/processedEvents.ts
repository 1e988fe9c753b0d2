import { sleep, type IExecuteFunctions } from 'n8n-workflow';

import type { Identity } from '../recoveryApi';
import { Mutex } from '../state/mutex';
import { PerTrigger } from '../state/perTrigger';
import { deliveredKeys, keysAround, recoveredKeys, recoveredKeysAround } from './identity';

/**
 * Which events of a trigger have run, delivered or recovered. They are kept in n8n's database, where n8n keeps what its
 * own node Remove Duplicates has seen, because all processes have to know them, and a kill must not lose them. Static
 * data cannot hold them: n8n writes it as a whole, and the last writer wins.
 */

/** n8n's store for one node. */
type Store = Pick<IExecuteFunctions['helpers'], 'checkProcessedAndRecord' | 'removeProcessed'>;

const MODE = { mode: 'entries' } as const;
/**
 * Entries that the store keeps for a node. A delivery takes one or two, a recovered event five. n8n reads and
 * writes all of them at each use.
 */
const MAX_ENTRIES = 15_000;
/**
 * n8n reads and writes the whole store, so two processes can overwrite each other's entries. A process that read the
 * store before an entry was written has written it back by then.
 */
const SETTLED_AFTER_MS = 2_000;
const MAX_RECENT = 1_000;
/** How many of the latest entries are written again with each write: more than a collision can lose. */
const WRITTEN_AGAIN = 100;
/** Keys that the memory of the process holds for a trigger. */
const MAX_KNOWN = 20_000;
const MAX_TRIGGERS = 200;
const MAX_RECOVERING_TRIGGERS = 10_000;

/** The run of an event with this key has begun, or is about to, and is not known to have ended. */
const open = (key: string) => `o|${key}`;
/** A recovered event has begun to run. */
const begun = (key: string) => `x|${key}`;

/** Runs of one trigger's events that this process knows to be under way. */
interface RunsHere {
	/** This process recovers what the trigger missed, so that all its runs end with this process. */
	all: boolean;
	/** Ids of runs, by the keys of their events. */
	readonly byKey: Map<string, string>;
}

/** The processed events of one trigger, as one process knows them. */
export class ProcessedEvents {
	/** What this process has seen run, the oldest first. */
	private readonly known = new Set<string>();
	/** What this process wrote recently, and when, in milliseconds of its own clock. */
	private readonly recent = new Map<string, number>();
	private readonly turns = new Mutex();
	private confirming = false;

	constructor(private readonly trigger: string) {}

	/** Whether this process knows that an event with one of the keys has run. */
	knows(keys: readonly string[]): boolean {
		return keys.some((key) => this.known.has(key));
	}

	/** Remembers in this process that an event has run. */
	note(keys: readonly string[]): void {
		addTo(this.known, keys, MAX_KNOWN);
	}

	/** From now on this process recovers what the trigger missed. */
	recoverHere(): void {
		this.here.all = true;
	}

	/** This process starts a run of an event. @param run its id, which no other run has */
	begin(keys: readonly string[], run: string): void {
		for (const key of keys) this.here.byKey.set(key, run);
	}

	/** Notes that a run has ended that `begin` was told of. */
	end(keys: readonly string[]): void {
		for (const key of keys) this.here.byKey.delete(key);
	}

	/** Whether this is the latest run of an event that this process has started. */
	isLatest([key = '']: readonly string[], run: string): boolean {
		return this.here.byKey.get(key) === run;
	}

	/**
	 * Claims the event of a delivery that is about to run.
	 * @param endIsTold whether `noteEnds` will be called when the run has ended
	 * @returns false when its event was recovered before, so that it must not run again
	 */
	async claimDelivery(store: Store, identity: Identity, endIsTold: boolean): Promise<boolean> {
		const keys = deliveredKeys(identity);
		const opened = endIsTold ? keys.map(open) : [];
		return await this.turns.run(async () => {
			this.note(keys);
			const before = await this.record(store, [...keys, ...opened]);
			const isKnown = keys.some((key) => before.has(key));
			if (isKnown && (await this.wasRecovered(store, identity, opened, before))) {
				await this.forget(store, without(opened, before));
				return false;
			}
			if (opened.length > 0) this.begin(keys, 'delivery');
			return true;
		});
	}

	/** Whether the event of a delivery was recovered, in a run that was not cut short by a kill. */
	private async wasRecovered(
		store: Store,
		identity: Identity,
		opened: readonly string[],
		before: ReadonlySet<unknown>,
	): Promise<boolean> {
		const keys = keysAround(identity);
		const { own, periods } = recoveredKeysAround(identity);
		const marks = [...own, ...periods];
		const opens = keys.map(open).filter((entry) => !opened.includes(entry));
		const found = await this.record(store, [...marks, ...opens]);
		const isRecovered = marks.some((mark) => found.has(mark));
		const isOpen = [...opened, ...opens].some((entry) => before.has(entry) || found.has(entry));
		if (isRecovered && !(isOpen && this.isDead(keys))) {
			// Copies of the delivery are recognised by its own id; another event about the same thing is not a copy.
			const kept = own.length > 0 ? own : periods.filter((mark) => found.has(mark));
			const asked = [...marks, ...without(opens, found)];
			await this.forget(
				store,
				asked.filter((entry) => !kept.includes(entry)),
			);
			return true;
		}
		// The delivery takes the place of a recovered run that was killed.
		await this.forget(store, [...marks, ...opens]);
		return false;
	}

	/**
	 * Of several events, claims those that have not run: one that runs in this process, has run to its end or came as
	 * a delivery is left out.
	 * @returns their indexes
	 */
	async claimMissing(store: Store, events: readonly Identity[]): Promise<number[]> {
		const asked = events.map(keysAround);
		return await this.turns.run(async () => {
			const before = await this.record(
				store,
				asked.flatMap((keys) => [...keys, ...keys.map(open)]),
			);
			const isMissing = asked.map((keys) => {
				const isOpen = keys.some((key) => before.has(open(key)));
				return !keys.some((key) => before.has(key)) || (isOpen && !this.isUnderWay(keys));
			});
			const settled = asked.filter((_, index) => isMissing[index] === false);
			await this.forget(store, without(settled.flat().map(open), before));
			const missing = [...events.keys()].filter((index) => isMissing[index]);
			const marks = events.filter((_, index) => isMissing[index]).flatMap(recoveredKeys);
			await this.record(store, marks);
			return missing;
		});
	}

	/**
	 * Claims a recovered event whose run begins in a process that did not start it.
	 * @param run its id, because n8n's queue starts a run again if its worker was lost
	 * @returns false when another run of the event has begun
	 */
	async beginOnce(store: Store, [key = '']: readonly string[], run: string): Promise<boolean> {
		return await this.turns.run(async () => {
			const before = await this.record(store, [begun(key), begun(run)]);
			return before.has(begun(run)) || !before.has(begun(key));
		});
	}

	/** Runs have ended. @param keys those of their events, and their ids */
	async noteEnds(store: Store, keys: readonly string[]): Promise<void> {
		await this.turns.run(
			async () => await this.forget(store, [...keys.map(open), ...keys.map(begun)]),
		);
		this.end(keys);
	}

	/** Whether this process recovers what the trigger missed. */
	get isRecoveredHere(): boolean {
		return this.here.all;
	}

	private isUnderWay(keys: readonly string[]): boolean {
		return keys.some((key) => this.here.byKey.has(key));
	}

	/** Whether an open run has died: if this process recovers, it would know of one that has not. */
	private isDead(keys: readonly string[]): boolean {
		return this.isRecoveredHere && !this.isUnderWay(keys);
	}

	private get here(): RunsHere {
		return runsHere.of(this.trigger);
	}

	/** @returns those of the entries that were in the store before */
	private async record(store: Store, entries: readonly string[]): Promise<ReadonlySet<unknown>> {
		if (entries.length === 0) return new Set();
		const latest = [...this.recent.keys()].slice(-WRITTEN_AGAIN);
		const all = [...new Set([...latest, ...entries])];
		const write = async () =>
			await store.checkProcessedAndRecord(all, 'node', { ...MODE, maxEntries: MAX_ENTRIES });
		// The first write of two processes at once fails for one of them.
		const { processed } = await write().catch(write);
		if (!this.isRecoveredHere) {
			// In queue mode other processes write, too.
			for (const entry of entries.slice(0, MAX_RECENT - this.recent.size)) {
				this.recent.set(entry, performance.now());
			}
			void this.confirm(store);
		}
		const wanted = new Set<unknown>(entries);
		return new Set(processed.filter((entry) => wanted.has(entry)));
	}

	private async forget(store: Store, entries: readonly string[]): Promise<void> {
		if (entries.length === 0) return;
		for (const entry of entries) this.recent.delete(entry);
		await store.removeProcessed([...entries], 'node', MODE);
	}

	/** Writes again what was lost to another process, until everything written recently is there. */
	async confirm(store: Store): Promise<void> {
		if (this.confirming) return;
		this.confirming = true;
		try {
			while (this.recent.size > 0) {
				// So that two processes do not keep colliding.
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

function without(entries: readonly string[], found: ReadonlySet<unknown>): string[] {
	return entries.filter((entry) => !found.has(entry));
}

const runsHere = new PerTrigger<RunsHere>(
	() => ({ all: false, byKey: new Map() }),
	MAX_RECOVERING_TRIGGERS,
);
const triggers = new PerTrigger((trigger) => new ProcessedEvents(trigger), MAX_TRIGGERS);

/** The processed events of a trigger, the same in the whole process. */
export function processedEventsOf(trigger: string): ProcessedEvents {
	return triggers.of(trigger);
}
