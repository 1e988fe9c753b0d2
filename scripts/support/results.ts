import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { asTable } from '../../testkit/table';

/** The result of a suite. */
export interface Tally {
	passed: number;
	failed: number;
	skipped: number;
	/** Why it counts as failed even though no test failed. */
	note?: string;
}

/** One suite in the table. */
export interface SuiteResult extends Tally {
	name: string;
	/** The sum over its files, which run side by side. */
	seconds: number;
}

/** A suite that could not run. */
export function crashed(note: string): Tally {
	return { passed: 0, failed: 1, skipped: 0, note };
}

const jestTally = z.object({
	/** By name of the project. The seconds are the sum over its files. */
	projects: z.record(
		z.object({
			passed: z.number(),
			failed: z.number(),
			skipped: z.number(),
			seconds: z.number(),
		}),
	),
	/** Whether a worker had to be ended because of something that a test left open. */
	leftOpen: z.boolean(),
});

/** What tallyReporter.mjs counts; a file that did not load counts as failed. */
export type JestTally = z.output<typeof jestTally>;

/** @returns undefined when jest ended before it was written */
export function readTally(file: string): JestTally | undefined {
	return existsSync(file) ? jestTally.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

/**
 * The table of all suites and, last and alone on its line, their sum.
 *
 * @param seconds - that all of it took
 */
export function summarise(results: readonly SuiteResult[], seconds: number): string {
	const rows = results.map(({ name, passed, failed, skipped, seconds: own, note = '' }) => [
		name,
		String(passed),
		String(failed),
		String(skipped),
		`${own.toFixed(1)} s`,
		note,
	]);
	const sum = (key: 'passed' | 'failed' | 'skipped') =>
		results.reduce((total, result) => total + result[key], 0);
	const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
	return [
		'',
		asTable([['suite', 'passed', 'failed', 'skipped', 'time', ''], ...rows]),
		'',
		`In ${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s; the time of a suite is that of its files, one after the other.`,
		`${sum('passed')} passed, ${sum('failed')} failed${skipped}`,
	].join('\n');
}
