import { findCommand, missingPrograms, packagesOf, type ProgramName } from '../../testkit/programs';
import { run } from '../../testkit/command';
import { withProgress } from './progress.cjs';

/** See {@link ensurePrograms}. */
export interface InstallOptions {
	log?: (line: string) => void;
	/** `PATH` is where programs are looked for. */
	env?: NodeJS.ProcessEnv;
	/** Whether this process may install packages. */
	root?: boolean;
}

/**
 * Makes sure that these programs are installed. What is missing is installed with apt-get
 * if that is allowed; servers among it are not started.
 *
 * @throws Error that says what to type if it is not allowed, or what is still missing
 */
export async function ensurePrograms(
	names: readonly ProgramName[],
	{ log = console.log, env = process.env, root = process.getuid?.() === 0 }: InstallOptions = {},
): Promise<void> {
	const missing = missingPrograms(names, env);
	if (missing.length === 0) return;
	const install = ['install', '-y', '--no-install-recommends', ...packagesOf(missing)];
	if (!root || findCommand('apt-get', env) === undefined) {
		throw new Error(
			`The chosen tests need programs that are missing here: ${missing.join(', ')}. ` +
				`On Debian or Ubuntu type:\n\nsudo apt-get ${install.join(' ')}\n`,
		);
	}
	await withProgress(`Installing ${missing.join(', ')} with apt-get`, log, async () => {
		for (const args of [['update'], install]) {
			// RUNLEVEL keeps Debian from starting the servers that it installs.
			const quiet = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
			const { code } = await run('apt-get', ['-qq', ...args], {
				env: { ...env, ...quiet },
				capture: true,
			});
			if (code !== 0) throw new Error(`apt-get ${args[0]} ended with code ${code}`);
		}
	});
	const still = missingPrograms(missing, env);
	if (still.length > 0) {
		throw new Error(
			`apt-get installed ${packagesOf(still).join(', ')}, but nothing of use is there: ${still.join(', ')}`,
		);
	}
}
