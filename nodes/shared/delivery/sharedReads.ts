const MAX_KEPT = 1_000;

/**
 * Shares expensive reads between many callers. `recent` returns the cached value; `fresh` reads again,
 * beginning after the call, so that an earlier change is always seen. Callers that wait for the same
 * read share it.
 */
export class SharedReads<T> {
	private readonly kept = new Map<string, { readonly value: T; readonly at: number }>();
	private readonly running = new Map<string, Promise<T>>();
	/** Reads that begin when the running one has ended. */
	private readonly waiting = new Map<string, Promise<T>>();

	constructor(private readonly maxAgeMs: number) {}

	/** The value of the last read, if that ended at most `maxAgeMs` ago. */
	recent(key: string): T | undefined {
		const last = this.kept.get(key);
		// A time in the future is not recent either: the clock may have been set back.
		const age = Math.abs(Date.now() - (last?.at ?? 0));
		return last !== undefined && age <= this.maxAgeMs ? last.value : undefined;
	}

	/**
	 * @param key identifies what is read
	 * @param read called now, later, or not at all when another's read is shared
	 * @throws what the read throws, for all who share it
	 */
	async fresh(key: string, read: () => Promise<T>): Promise<T> {
		const shared = this.waiting.get(key);
		if (shared !== undefined) return await shared;
		const running = this.running.get(key);
		if (running === undefined) return await this.begin(key, read);
		const begin = async () => {
			this.waiting.delete(key);
			return await this.begin(key, read);
		};
		const next = running.then(begin, begin);
		this.waiting.set(key, next);
		return await next;
	}

	private async begin(key: string, read: () => Promise<T>): Promise<T> {
		const running = read().finally(() => this.running.delete(key));
		this.running.set(key, running);
		const value = await running;
		if (this.kept.size >= MAX_KEPT) this.kept.clear();
		this.kept.set(key, { value, at: Date.now() });
		return value;
	}
}
