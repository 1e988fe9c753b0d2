/** How many names and reasons are kept, and how many characters of each: a sender may make up any. */
export const MAX_NAMES = 50;
export const MAX_NAME_LENGTH = 200;

/** Counts a name: a bounded number of names, of bounded length. */
export function countName(counts: Map<string, number>, name: string): void {
	const listed = name.slice(0, MAX_NAME_LENGTH);
	const known = counts.get(listed) ?? 0;
	if (known > 0 || counts.size < MAX_NAMES) counts.set(listed, known + 1);
}
