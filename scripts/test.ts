/**
 * Runs the project's checks: `npm test [suite…] [-- jest options]`. A suite that fails does not keep
 * the next ones from running. The last line is `N passed, N failed`; the exit code is 1 on any failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interrupted } from '../testkit/command';
import { crashed, summarise, type SuiteResult } from './support/results';
import { defineSuites, type Suite } from './support/suites';

async function runSuites(named: string[], jestOptions: string[], folder: string): Promise<number> {
	const suites = defineSuites(folder, jestOptions);
	const names = suites.map(({ name }) => name);
	const unknown = named.filter((name) => !names.includes(name));
	if (unknown.length > 0) {
		console.error(`No such suite: ${unknown.join(', ')}. Suites: ${names.join(', ')}`);
		return 1;
	}
	const chosen = suites.filter(({ name, onDemand }) =>
		named.length > 0 ? named.includes(name) : onDemand !== true,
	);
	const results: SuiteResult[] = [];
	for (const suite of chosen) {
		console.log(`\n== ${suite.name}`);
		results.push(await runSuite(suite));
	}
	console.log(summarise(results));
	return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function runSuite(suite: Suite): Promise<SuiteResult> {
	const started = Date.now();
	const tally = await suite.run().catch((error: unknown) => {
		if (error instanceof Interrupted) throw error;
		const reason = error instanceof Error ? error.message : String(error);
		console.error(reason);
		return crashed(reason.split('\n')[0] ?? reason);
	});
	return { name: suite.name, seconds: (Date.now() - started) / 1000, ...tally };
}

async function main(args: string[]): Promise<void> {
	const found = args.findIndex((arg) => arg.startsWith('-'));
	const firstOption = found === -1 ? args.length : found;
	const folder = await mkdtemp(join(tmpdir(), 'misar-metigan-test-'));
	let interruption: NodeJS.Signals | undefined;
	try {
		process.exitCode = await runSuites(args.slice(0, firstOption), args.slice(firstOption), folder);
	} catch (error) {
		if (!(error instanceof Interrupted)) throw error;
		interruption = error.signal;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
	if (interruption !== undefined) process.kill(process.pid, interruption);
}

void main(process.argv.slice(2));
