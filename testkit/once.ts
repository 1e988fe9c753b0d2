/** Does a piece of work the first time it is asked for, and gives the same outcome ever after. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
	let outcome: Promise<T> | undefined;
	return async () => await (outcome ??= work());
}
