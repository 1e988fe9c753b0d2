import { jest } from '@jest/globals';

/** A clock on which waiting takes no time: it goes on by as much as somebody waits. */
export class FakeClock {
	private now = Date.now();
	/** What is to be told that its time is over, and when. */
	private readonly deadlines = new Map<AbortController, number>();

	/** Replaces the process's clock, until Jest restores its mocks. */
	static install(): FakeClock {
		const clock = new FakeClock();
		jest.spyOn(Date, 'now').mockImplementation(() => clock.now);
		jest.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms = 0) => {
			clock.pass(ms);
			return setImmediate(end);
		}) as never);
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
			const deadline = new AbortController();
			clock.deadlines.set(deadline, clock.now + ms);
			return deadline.signal;
		});
		return clock;
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

	/** Nobody waits for anything any more. */
	forget(): void {
		this.deadlines.clear();
	}
}
