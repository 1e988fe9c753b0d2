/** Runs a piece of work, at once or when its turn comes. */
export type Lanes = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets `width` pieces of work go on at a time, in the order in which they were asked for. */
export function openLanes(width: number): Lanes {
	const waiting: Array<() => void> = [];
	let free = width;
	return async (work) => {
		if (free > 0) free -= 1;
		else await new Promise<void>((go) => waiting.push(go));
		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next === undefined) free += 1;
			else next();
		}
	};
}
