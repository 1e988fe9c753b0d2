/** The value that is not exceeded by the `share` (0–1) of all values. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? Number.NaN;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Half the interquartile range as a share of the median: how far values scatter. */
export function scatter(values: readonly number[]): number {
	return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

/** How many times `ours` is `theirs`: the median over the rounds in which both were measured. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
	return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
