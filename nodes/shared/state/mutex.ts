/** Runs pieces of work one after the other. */
export class Mutex {
	/** Pieces of work that have not ended. */
	pending = 0;
	private last: Promise<unknown> = Promise.resolve();

	async run<T>(work: () => Promise<T>): Promise<T> {
		this.pending += 1;
		const next = this.last.then(work, work);
		this.last = next.catch(() => undefined);
		return await next.finally(() => (this.pending -= 1));
	}
}
