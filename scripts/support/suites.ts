import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findPrograms } from '../../testkit/queue/programs';
import { build, pack } from '../../testkit/artifacts';
import { Interrupted, isEndSignal, runNode } from '../../testkit/command';
import { oneCheck, readJestReport, type Tally } from './results';

const LINGER_MS = 15_000;
/** A folder of testkit/n8n-host/pins. */
const OLD_N8N = '1.x';

/** Half an hour off the hour, behind UTC: code that reads a time as local shows. */
const ODD_ZONE = { TZ: 'America/St_Johns' };

/** A group of checks that is run and counted as one row of the table. */
export interface Suite {
	name: string;
	/** Left out unless it is named. */
	onDemand?: true;
	/** Does what it needs first (build, pack, install n8n); throws when that fails. */
	run: () => Promise<Tally>;
}

/**
 * All suites, in the order in which they run.
 *
 * @param folder - an empty folder for the tarball and the reports
 * @param jestOptions - passed on to jest as they are
 */
export function defineSuites(folder: string, jestOptions: string[]): Suite[] {
	const built = once(build);
	const packed = once(async () => {
		await built();
		return await pack(folder);
	});
	const jest = async (name: string, env?: Record<string, string>) =>
		await runJest(`${name}/`, join(folder, `${name}.json`), jestOptions, env);
	const inRealN8n = async (name: string) => {
		const tarball = await packed();
		await installN8n();
		return await jest(name, { PACKAGE_TARBALL: tarball });
	};
	/** The end-to-end tests of the nodes again, in the oldest n8n that the package supports. */
	const inOldN8n = async (name: string) => {
		const tarball = await packed();
		await installN8n(OLD_N8N);
		const env = { PACKAGE_TARBALL: tarball, N8N_HOST_PIN: OLD_N8N };
		const report = join(folder, `${name}.json`);
		return await runJest('e2e/(host|triggers|actions).test.ts', report, jestOptions, env);
	};

	return [
		{
			name: 'lint',
			run: async () => {
				await built();
				return oneCheck(await runNode(join('scripts', 'lint.mjs'), []));
			},
		},
		{
			name: 'typecheck',
			run: async () =>
				oneCheck(await runNode(join('node_modules', 'typescript', 'bin', 'tsc'), ['--noEmit'])),
		},
		{
			name: 'build',
			onDemand: true,
			run: async () => {
				await packed();
				return oneCheck(0);
			},
		},
		{ name: 'unit', run: async () => await jest('unit', ODD_ZONE) },
		{
			name: 'context',
			run: async () => {
				await built();
				return await jest('context', ODD_ZONE);
			},
		},
		{ name: 'e2e', run: async () => await inRealN8n('e2e') },
		{ name: 'e2e-1x', run: async () => await inOldN8n('e2e-1x') },
		{ name: 'faults', run: async () => await inRealN8n('faults') },
		{
			name: 'queue',
			run: async () => {
				findPrograms();
				return await inRealN8n('queue');
			},
		},
		{ name: 'browser', run: async () => await inRealN8n('browser') },
	];
}

async function installN8n(pin?: string): Promise<void> {
	const { ensureN8nHost } = await import('../../testkit/n8n-host/install.mjs');
	try {
		await ensureN8nHost({ log: console.log, ...(pin !== undefined && { pin }) });
	} catch (error) {
		const signal = error instanceof Error && 'signal' in error ? error.signal : undefined;
		throw isEndSignal(signal) ? new Interrupted(signal) : error;
	}
}

/** @param tests - pattern of paths below test/ */
async function runJest(
	tests: string,
	report: string,
	options: string[],
	env: Record<string, string> = {},
): Promise<Tally> {
	const folder = join(process.cwd(), 'test');
	const pattern = `^${folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/${tests}`;
	const args = ['--testPathPatterns', pattern, '--runInBand', '--json', '--outputFile', report];
	const watch = watchForLeftovers(report);
	try {
		const code = await runNode(
			join('node_modules', 'jest', 'bin', 'jest.js'),
			[...args, ...options],
			{ env, abort: watch.signal },
		);
		const tally = readJestReport(report, code);
		if (!watch.signal.aborted) return tally;
		return { ...tally, failed: Math.max(tally.failed, 1), note: 'left something open at its end' };
	} finally {
		watch.end();
	}
}

/** A server or timer that a test left open keeps jest from ending: give up soon after its report. */
function watchForLeftovers(report: string): { signal: AbortSignal; end: () => void } {
	const controller = new AbortController();
	let reportedAt: number | undefined;
	const timer = setInterval(() => {
		if (existsSync(report)) reportedAt ??= Date.now();
		if (reportedAt !== undefined && Date.now() - reportedAt > LINGER_MS) controller.abort();
	}, 1_000);
	return { signal: controller.signal, end: () => clearInterval(timer) };
}

/** Does a piece of work the first time it is asked for, and gives the same outcome ever after. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
	let outcome: Promise<T> | undefined;
	return async () => await (outcome ??= work());
}
