/** In random order, so that other load on the machine affects all alike. */
export function shuffled<T>(items: readonly T[]): T[] {
	return items
		.map((item) => ({ item, place: Math.random() }))
		.sort((a, b) => a.place - b.place)
		.map(({ item }) => item);
}
