import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, pack } from '../../testkit/artifacts';
import { Interrupted, isEndSignal, run, runNode } from '../../testkit/command';
import { once } from '../../testkit/once';
import { crashed, readTally, type JestTally, type SuiteResult, type Tally } from './results';
import { projectsOf, type Suite } from './suites';

const LINGER_MS = 15_000;
const PREPARE = join('testkit', 'n8n-host', 'prepare.program.ts');
const JEST = join('node_modules', 'jest', 'bin', 'jest.js');

/** Two runs of jest at once: none may draw on the terminal, and the tests without n8n leave time for the others. */
const BOTH = { withN8n: { TERM: 'dumb' }, withoutN8n: { TERM: 'dumb', TEST_WORKERS: '2' } };

/**
 * Runs suites and prints what they print: first the scripts and the tests that may run side by
 * side, those without n8n in a run of their own, which need not wait for its install; then those that
 * need a quieter machine, and last those that measure load. A suite that fails does not keep another
 * from running.
 *
 * @param folder - an empty folder for the tarball and the tallies
 * @param jestOptions - passed on to jest as they are
 */
export async function runSuites(
	chosen: readonly Suite[],
	folder: string,
	jestOptions: readonly string[],
): Promise<SuiteResult[]> {
	const built = once(build);
	const start = (suites: readonly Suite[]) => {
		const prepared = prepare(suites, folder, built);
		const jest = async (
			pick: (suite: Suite) => readonly string[] | undefined,
			more: Record<string, string> = {},
		) => {
			const { broken, env } = await prepared;
			const ready = suites.filter((suite) => !broken.has(suite));
			const projects = ready.flatMap((suite) => pick(suite) ?? []);
			if (projects.length === 0) return undefined;
			// The chosen file or test may be in another part. A suite in which no test ran has failed.
			const options = [...jestOptions, '--passWithNoTests', '--selectProjects', ...projects];
			const tallyFile = join(folder, `${projects.join('-')}.json`);
			return await runJest(options, tallyFile, { ...env, ...more });
		};
		return { suites, prepared, jest };
	};

	const withN8n = start(chosen.filter(({ n8n }) => n8n !== undefined));
	const withoutN8n = start(chosen.filter(({ n8n }) => n8n === undefined));
	const areBoth = [withN8n, withoutN8n].every(({ suites }) =>
		suites.some(({ projects }) => projects !== undefined),
	);
	const [scripts, ...sideBySide] = await finished([
		Promise.all(chosen.map(async (suite) => ({ suite, result: await runScript(suite, built) }))),
		withN8n.jest(({ projects }) => projects, areBoth ? BOTH.withN8n : {}),
		withoutN8n.jest(({ projects }) => projects, areBoth ? BOTH.withoutN8n : {}),
	]);
	const inPairs = await withN8n.jest(({ inPairs }) => inPairs, { TEST_WORKERS: '2' });
	const alone = await withN8n.jest(({ alone }) => alone, { TEST_WORKERS: '1' });

	const broken = new Map([
		...(await withN8n.prepared).broken,
		...(await withoutN8n.prepared).broken,
	]);
	const jestRuns = [...sideBySide, inPairs, alone].filter((outcome) => outcome !== undefined);
	const scriptResults = new Map(scripts.map(({ suite, result }) => [suite, result]));
	const results = chosen.map((suite) => {
		const reason = broken.get(suite);
		if (reason !== undefined) return { name: suite.name, seconds: 0, ...crashed(reason) };
		return scriptResults.get(suite) ?? sumOf(suite, jestRuns);
	});
	const troubles = jestRuns.flatMap(({ trouble }) => trouble ?? []);
	return [
		...results,
		...troubles.map((trouble) => ({ name: 'jest', seconds: 0, ...crashed(trouble) })),
	];
}

/** What all of them come to, once each has ended. */
async function finished<const T extends ReadonlyArray<Promise<unknown>>>(all: T) {
	await Promise.allSettled(all);
	return await Promise.all(all);
}

/**
 * Builds, packs and installs what the suites need.
 *
 * @returns the suites for which that failed, with the reason, and what jest has to be told
 */
async function prepare(
	chosen: readonly Suite[],
	folder: string,
	built: () => Promise<void>,
): Promise<{ broken: Map<Suite, string>; env: Record<string, string> }> {
	const packed = once(async () => {
		await built();
		return await pack(folder);
	});
	// The cache of what n8n compiled at its first start saves all others 0.6 s of processor time.
	const env: Record<string, string> = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
	const installed = {
		newest: once(async () => await installN8n(await packed(), env)),
		'1.x': once(async () => await installN8n(await packed(), env, '1.x')),
	};
	const broken = new Map<Suite, string>();
	for (const suite of chosen) {
		try {
			if (suite.needs === 'dist') await built();
			if (suite.needs === 'tarball') env['PACKAGE_TARBALL'] = await packed();
			for (const pin of suite.n8n ?? []) await installed[pin]();
		} catch (error) {
			if (error instanceof Interrupted) throw error;
			const reason = error instanceof Error ? error.message : String(error);
			console.error(reason);
			broken.set(suite, reason.split('\n')[0] ?? reason);
		}
	}
	return { broken, env };
}

/** Installs an n8n, and prepares the user folder that its tests begin with. */
async function installN8n(
	tarball: string,
	env: Record<string, string>,
	pin?: string,
): Promise<void> {
	const { ensureN8nHost } = await import('../../testkit/n8n-host/install.mjs');
	try {
		await ensureN8nHost({ log: console.log, ...(pin !== undefined && { pin }) });
	} catch (error) {
		const signal = error instanceof Error && 'signal' in error ? error.signal : undefined;
		throw isEndSignal(signal) ? new Interrupted(signal) : error;
	}
	const { code } = await run(process.execPath, ['--import', 'tsx', PREPARE, tarball], {
		env: { ...env, ...(pin !== undefined && { N8N_HOST_PIN: pin }) },
	});
	if (code !== 0) throw new Error('n8n could not be started with the package (see above)');
}

/** Runs a suite that is one script; shows the script's output when it found something. */
async function runScript(
	{ name, script, needs }: Suite,
	built: () => Promise<void>,
): Promise<SuiteResult | undefined> {
	if (script === undefined) return undefined;
	try {
		if (needs === 'dist') await built();
	} catch {
		// Another suite that needs the build reports why it failed.
		return undefined;
	}
	const started = Date.now();
	const { code, output } = await run(process.execPath, [...script], { capture: 'all' });
	const seconds = (Date.now() - started) / 1000;
	const passed = code === 0;
	console.log(`${passed ? 'PASS' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
	if (!passed) console.log(output);
	return { name, seconds, passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

interface JestOutcome {
	readonly projects: JestTally['projects'];
	/** What went wrong although no test failed. */
	readonly trouble?: string;
}

async function runJest(
	options: readonly string[],
	tallyFile: string,
	env: Record<string, string>,
): Promise<JestOutcome> {
	const watch = watchForLeftovers(tallyFile);
	try {
		const code = await runNode(JEST, [...options], {
			// What n8n's modules log in the tests' own processes does not explain a failed test.
			env: { N8N_LOG_LEVEL: 'silent', ...env, TALLY_FILE: tallyFile },
			abort: watch.signal,
		});
		const tally = readTally(tallyFile);
		if (tally === undefined) return { projects: {}, trouble: `jest ended with code ${code}` };
		const { projects, leftOpen } = tally;
		if (leftOpen || watch.signal.aborted) {
			return { projects, trouble: 'a test left something open at its end' };
		}
		const failed = Object.values(projects).some((project) => project.failed > 0);
		return code === 0 || failed
			? { projects }
			: { projects, trouble: `jest ended with code ${code}` };
	} finally {
		watch.end();
	}
}

/** A server or timer that a test left open keeps jest from ending: abort it soon after its tally. */
function watchForLeftovers(tallyFile: string): { signal: AbortSignal; end: () => void } {
	const controller = new AbortController();
	let reportedAt: number | undefined;
	const timer = setInterval(() => {
		if (existsSync(tallyFile)) reportedAt ??= Date.now();
		if (reportedAt !== undefined && Date.now() - reportedAt > LINGER_MS) controller.abort();
	}, 1_000);
	return { signal: controller.signal, end: () => clearInterval(timer) };
}

/** The combined result of a suite's projects. */
function sumOf(suite: Suite, runs: readonly JestOutcome[]): SuiteResult {
	const tallies = projectsOf(suite).flatMap((name) =>
		runs.flatMap(({ projects }) => projects[name] ?? []),
	);
	const sum = (key: keyof Tally & keyof JestTally['projects'][string]) =>
		tallies.reduce((total, tally) => total + tally[key], 0);
	const result = {
		name: suite.name,
		seconds: tallies.reduce((total, { seconds }) => total + seconds, 0),
		passed: sum('passed'),
		failed: sum('failed'),
		skipped: sum('skipped'),
	};
	return result.passed + result.failed > 0 ? result : { ...result, ...crashed('no test ran') };
}
