import { sleep } from 'n8n-workflow';

const MAX_KEPT = 1_000;
/** After a read of one second nobody reads the same again for this many seconds. */
const REST = 4;
const MAX_REST_MS = 500;

/**
 * Reads that cost much and are asked for often. What was read lately may do; who needs to be sure
 * gets a read that begins after the question, so that a change made before it is always seen, and
 * shares it with all others who wait: however many ask, reads take a fifth of the time at most.
 */
export class SharedReads<T> {
	private readonly kept = new Map<string, { readonly value: T; readonly at: number }>();
	/** Reads under way, and the rest after them. */
	private readonly running = new Map<string, Promise<void>>();
	/** Reads that begin when the running one has ended and rested. */
	private readonly waiting = new Map<string, Promise<T>>();

	constructor(
		private readonly maxAgeMs: number,
		private readonly now: () => number = Date.now,
	) {}

	/** What the last read gave, when it ended not longer than `maxAgeMs` ago. */
	recent(key: string): T | undefined {
		const last = this.kept.get(key);
		return last !== undefined && this.now() - last.at <= this.maxAgeMs ? last.value : undefined;
	}

	/**
	 * @param key what the outcome follows from
	 * @param read called now, later, or not at all when another's read is shared
	 * @throws what the read throws, for all who share it
	 */
	async fresh(key: string, read: () => Promise<T>): Promise<T> {
		const shared = this.waiting.get(key);
		if (shared !== undefined) return await shared;
		const running = this.running.get(key);
		if (running === undefined) return await this.begin(key, read);
		const next = running.then(async () => {
			this.waiting.delete(key);
			return await this.begin(key, read);
		});
		this.waiting.set(key, next);
		return await next;
	}

	private async begin(key: string, read: () => Promise<T>): Promise<T> {
		const began = this.now();
		const outcome = read();
		this.running.set(key, this.rest(key, outcome, began));
		const value = await outcome;
		if (this.kept.size >= MAX_KEPT) this.kept.clear();
		this.kept.set(key, { value, at: this.now() });
		return value;
	}

	private async rest(key: string, read: Promise<T>, began: number): Promise<void> {
		await read.catch(() => undefined);
		const restMs = Math.min(REST * (this.now() - began), MAX_REST_MS);
		if (restMs > 0) await sleep(restMs);
		this.running.delete(key);
	}
}
