import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

interface Program {
	/** The commands that are run. */
	readonly commands: readonly string[];
	/** Names of the packages in Debian and Ubuntu that bring it. */
	readonly packages: readonly string[];
}

const programs = {
	/** Signs independently of Node. */
	openssl: { commands: ['openssl'], packages: ['openssl'] },
	redis: { commands: ['redis-server', 'redis-cli'], packages: ['redis-server'] },
	postgresql: { commands: ['initdb', 'postgres', 'psql'], packages: ['postgresql'] },
	caddy: { commands: ['caddy'], packages: ['caddy'] },
	nginx: { commands: ['nginx'], packages: ['nginx'] },
	/** The editor shows no text without a font. */
	chromium: { commands: ['chromium'], packages: ['chromium', 'fonts-dejavu-core'] },
} satisfies Record<string, Program>;

/** A program that test suites drive and npm does not install. */
export type ProgramName = keyof typeof programs;

/** Gives the path of a Chromium that is not in the PATH. */
const CHROMIUM_VARIABLE = 'CHROMIUM';
/** Where Debian installs nginx; only root has it in the PATH. */
const DEBIAN_SERVERS = '/usr/sbin';
/** Debian keeps PostgreSQL's server programs out of the PATH, one folder for each version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/**
 * Where a command is on this machine.
 *
 * @param env - `PATH` and `CHROMIUM` are read
 * @returns its absolute path, or undefined when there is none
 */
export function findCommand(
	command: string,
	env: NodeJS.ProcessEnv = process.env,
): string | undefined {
	const named = command === 'chromium' ? env[CHROMIUM_VARIABLE] : undefined;
	if (named !== undefined) return isExecutable(named) ? named : undefined;
	return [...(env['PATH'] ?? '').split(delimiter), DEBIAN_SERVERS, ...postgresFolders()]
		.filter((folder) => isAbsolute(folder))
		.map((folder) => join(folder, command))
		.find(isExecutable);
}

/**
 * Like {@link findCommand}, for a test that cannot go on without it.
 *
 * @throws Error when it is missing
 */
export function requireCommand(command: string): string {
	const found = findCommand(command);
	if (found !== undefined) return found;
	throw new Error(`There is no ${command} here: start the suite with npm test, which installs it`);
}

/** The named programs that lack a command. */
export function missingPrograms(
	names: readonly ProgramName[],
	env: NodeJS.ProcessEnv = process.env,
): ProgramName[] {
	return [...new Set(names)].filter((name) =>
		programs[name].commands.some((command) => findCommand(command, env) === undefined),
	);
}

/** The Debian packages that bring these programs. */
export function packagesOf(names: readonly ProgramName[]): string[] {
	return names.flatMap((name) => programs[name].packages);
}

function postgresFolders(): string[] {
	if (!existsSync(DEBIAN_POSTGRES)) return [];
	const newestFirst = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a));
	return newestFirst.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}
