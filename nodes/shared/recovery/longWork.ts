import { within } from '../state/within';

/** Work that may take longer than one wait for it: it continues, and the next call waits for it again. */
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
		// Also handles a failure while nobody waits for the work.
		work.then(end, end);
		await within(work, limitMs);
		if (!ended) return false;
		this.underWay = undefined;
		await work;
		return true;
	}
}
