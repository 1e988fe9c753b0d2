/** Does `work` for every item, `width` of them at a time. @returns the outcomes in the items' order */
export async function inParallel<T, R>(
	items: readonly T[],
	width: number,
	work: (item: T) => Promise<R>,
): Promise<R[]> {
	const outcomes: R[] = [];
	const waiting = items.entries();
	await Promise.all(
		Array.from({ length: width }, async () => {
			for (const [index, item] of waiting) outcomes[index] = await work(item);
		}),
	);
	return outcomes;
}
