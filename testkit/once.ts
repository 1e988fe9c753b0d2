/** Runs a function on the first call, and returns the same result on every later one. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
	let outcome: Promise<T> | undefined;
	return async () => await (outcome ??= work());
}
