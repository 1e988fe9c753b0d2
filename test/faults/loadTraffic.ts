import type { DeliveryRecord } from '../../sandbox';

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Works through a list in its order, so many pieces at once. */
export async function inParallel<T>(
	pieces: Iterable<T>,
	atOnce: number,
	work: (piece: T) => Promise<void>,
): Promise<void> {
	// All workers draw from one iterator.
	const queue = pieces[Symbol.iterator]();
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
		}),
	);
}

/** The answers to the provider, attempt by attempt. */
export function statusesOf(deliveries: readonly DeliveryRecord[]): Array<number | 'no answer'> {
	return deliveries.flatMap(({ attempts }) => attempts.map(({ status }) => status ?? 'no answer'));
}

/** How often each value occurs, most frequent first, as `200: 17, 503: 2`. */
export function tally(values: Iterable<string | number>): string {
	const counts = new Map<string | number, number>();
	for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
	return [...counts]
		.sort(([, a], [, b]) => b - a)
		.map(([value, count]) => `${value}: ${count}`)
		.join(', ');
}

/** Traffic that flows until it is stopped. */
export interface Stream {
	/** Resolves when every piece of work that is under way now has ended. */
	drained(): Promise<void>;
	/** Starts nothing more; resolves when everything has ended, rejects when a piece of work failed. */
	stop(): Promise<void>;
}

/** Does a piece of work again and again, so many at once. The work has to wait for something, or nothing else runs. */
export function startStream(atOnce: number, work: () => Promise<void>): Stream {
	let stopped = false;
	const underWay = new Set<Promise<void>>();
	async function loop(): Promise<void> {
		while (!stopped) {
			const piece = work();
			underWay.add(piece);
			await piece.finally(() => underWay.delete(piece));
		}
	}
	const loops = Promise.all(Array.from({ length: atOnce }, loop));
	// `stop` reports it; until then a failure must not end the process.
	loops.catch(() => undefined);
	return {
		drained: async () => {
			await Promise.all(underWay);
		},
		stop: async () => {
			stopped = true;
			await loops;
		},
	};
}
