/**
 * Lets those who ask for the same thing at the same time share one read. Nobody is given what was
 * read before they asked: who comes while a read is under way shares the next one, so that a change
 * that was made before the question is always seen.
 */
export class CoalescedReads<T> {
	private readonly running = new Map<string, Promise<T>>();
	/** Reads that begin when the running one has ended. */
	private readonly waiting = new Map<string, Promise<T>>();

	/**
	 * @param key what the outcome follows from
	 * @param read called now, later, or not at all when another's read is shared
	 * @throws what the read throws, for all who share it
	 */
	async read(key: string, read: () => Promise<T>): Promise<T> {
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
		return await running;
	}
}
