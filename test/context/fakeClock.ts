/** A clock on which waiting takes no time: it moves forward by the time waited. */
export class FakeClock {
	private now = Date.now();
	/** What is to be aborted, and when. */
	private readonly deadlines = new Map<AbortController, number>();
	/** Restores the process's own clock. */
	private readonly restorers: Array<() => void> = [];

	/**
	 * Replaces the process's clock until `remove`. Not by Jest's mocks, which keep every call: thousands of cases
	 * would fill the memory.
	 */
	static install(): FakeClock {
		const clock = new FakeClock();
		clock.replace(Date, 'now', () => clock.now);
		clock.replace(globalThis, 'setTimeout', ((end: () => void, ms = 0) => {
			clock.pass(ms);
			return setImmediate(end);
		}) as never);
		clock.replace(AbortSignal, 'timeout', (ms) => {
			const deadline = new AbortController();
			clock.deadlines.set(deadline, clock.now + ms);
			return deadline.signal;
		});
		return clock;
	}

	remove(): void {
		for (const restore of this.restorers) restore();
	}

	/** Time goes by, in milliseconds. */
	pass(ms: number): void {
		this.now += ms;
		for (const [deadline, at] of this.deadlines) {
			if (at > this.now) continue;
			this.deadlines.delete(deadline);
			deadline.abort();
		}
	}

	/** Drops everything that is still waited for. */
	forget(): void {
		this.deadlines.clear();
	}

	private replace<T extends object, K extends keyof T>(owner: T, name: K, stand: T[K]): void {
		const { [name]: own } = owner;
		this.restorers.push(() => void (owner[name] = own));
		owner[name] = stand;
	}
}
