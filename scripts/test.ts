/**
 * Runs the project's checks: `npm test [suite…] [-- jest options]`. The last line is
 * `N passed, N failed`; the exit code is 1 on any failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interrupted } from '../testkit/command';
import { ensurePrograms } from './support/programs';
import { summarise } from './support/results';
import { runSuites } from './support/runSuites';
import { suites } from './support/suites';

/** @returns the exit code */
async function test(named: string[], jestOptions: string[], folder: string): Promise<number> {
	const names = suites.map(({ name }) => name);
	const unknown = named.filter((name) => !names.includes(name));
	if (unknown.length > 0) {
		console.error(`No such suite: ${unknown.join(', ')}. Suites: ${names.join(', ')}`);
		return 1;
	}
	const chosen = suites.filter(({ name }) => named.length === 0 || named.includes(name));
	try {
		await ensurePrograms(chosen.flatMap(({ programs = [] }) => programs));
	} catch (error) {
		if (error instanceof Interrupted) throw error;
		console.error(error instanceof Error ? error.message : error);
		return 1;
	}
	const started = Date.now();
	const results = await runSuites(chosen, folder, jestOptions);
	console.log(summarise(results, (Date.now() - started) / 1000));
	return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function main(args: string[]): Promise<void> {
	const found = args.findIndex((arg) => arg.startsWith('-'));
	const firstOption = found === -1 ? args.length : found;
	const folder = await mkdtemp(join(tmpdir(), 'misar-metigan-test-'));
	let interruption: NodeJS.Signals | undefined;
	try {
		process.exitCode = await test(args.slice(0, firstOption), args.slice(firstOption), folder);
	} catch (error) {
		if (!(error instanceof Interrupted)) throw error;
		interruption = error.signal;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
	if (interruption !== undefined) process.kill(process.pid, interruption);
}

void main(process.argv.slice(2));
