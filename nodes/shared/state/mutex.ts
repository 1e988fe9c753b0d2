/** Does one piece of work after the other. */
export class Mutex {
	private last: Promise<unknown> = Promise.resolve();

	async run<T>(work: () => Promise<T>): Promise<T> {
		const next = this.last.then(work, work);
		this.last = next.catch(() => undefined);
		return await next;
	}
}
