import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a suite came to. */
export interface Tally {
	passed: number;
	failed: number;
	skipped: number;
	/** Why it counts as failed although no single test does. */
	note?: string;
}

/** One suite in the table. */
export interface SuiteResult extends Tally {
	name: string;
	seconds: number;
}

/** A suite that is one check, like the linter. */
export function oneCheck(code: number): Tally {
	return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** A suite that could not run. */
export function crashed(note: string): Tally {
	return { passed: 0, failed: 1, skipped: 0, note };
}

const jestReport = z.object({
	numPassedTests: z.number(),
	numFailedTests: z.number(),
	numPendingTests: z.number(),
	numTodoTests: z.number(),
	numRuntimeErrorTestSuites: z.number(),
});

/**
 * Counts what jest did. A file that did not load, and a run without any test, count as failed.
 *
 * @param file - what jest wrote with `--json --outputFile`
 * @param code - jest's exit code
 */
export function readJestReport(file: string, code: number): Tally {
	if (!existsSync(file)) return crashed(`jest ended with code ${code} and without a report`);
	const report = jestReport.parse(JSON.parse(readFileSync(file, 'utf8')));
	const passed = report.numPassedTests;
	const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
	const skipped = report.numPendingTests + report.numTodoTests;
	if (passed + failed === 0) return { ...crashed('no test ran'), skipped };
	if (failed === 0 && code !== 0) {
		return { passed, failed: 1, skipped, note: `jest ended with code ${code}` };
	}
	return { passed, failed, skipped };
}

/** The table of all suites and, last and alone on its line, their sum. */
export function summarise(results: SuiteResult[]): string {
	const row = (cells: string[]) =>
		cells.map((cell, at) => cell.padEnd(at === 0 ? 12 : 10)).join('');
	const lines = results.map((result) =>
		[
			row([
				result.name,
				String(result.passed),
				String(result.failed),
				String(result.skipped),
				`${result.seconds.toFixed(1)} s`,
			]),
			result.note ?? '',
		]
			.join('')
			.trimEnd(),
	);
	const sum = (key: 'passed' | 'failed' | 'skipped') =>
		results.reduce((total, result) => total + result[key], 0);
	const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
	return [
		'',
		row(['suite', 'passed', 'failed', 'skipped', 'time']).trimEnd(),
		...lines,
		'',
		`${sum('passed')} passed, ${sum('failed')} failed${skipped}`,
	].join('\n');
}
