import { within } from '../state/within';

/** Work that may take longer than one wait for it: it goes on, and the next wait finds it further. */
export class LongWork {
	private underWay: Promise<void> | undefined;

	get isUnderWay(): boolean {
		return this.underWay !== undefined;
	}

	/**
	 * Begins the work, unless it is under way, and waits for its end.
	 * @returns whether it has ended within the time
	 * @throws what it has thrown, once
	 */
	async endsWithin(limitMs: number, begin: () => Promise<void>): Promise<boolean> {
		const work = (this.underWay ??= begin());
		let ended = false;
		const end = () => void (ended = true);
		// Also hears of a failure that nobody waits for at that moment.
		work.then(end, end);
		await within(work, limitMs);
		if (!ended) return false;
		this.underWay = undefined;
		await work;
		return true;
	}
}
