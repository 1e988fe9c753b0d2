/** See progress.cjs. */
export function withProgress<T>(
	what: string,
	log: (line: string) => void,
	work: () => Promise<T>,
): Promise<T>;
