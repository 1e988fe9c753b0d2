import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The servers that n8n's queue mode needs, and their clients. */
const NAMES = ['redis-server', 'redis-cli', 'initdb', 'postgres', 'psql'] as const;

type ProgramName = (typeof NAMES)[number];

/** Debian keeps PostgreSQL's server programs out of the PATH, one folder a version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/**
 * Finds Redis and PostgreSQL on this machine.
 *
 * @returns absolute paths by name
 * @throws Error naming what is missing and how Debian and Ubuntu install it
 */
export function findPrograms(): (name: ProgramName) => string {
	const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...debianFolders()];
	const found = new Map(NAMES.map((name) => [name, folders.find((folder) => holds(folder, name))]));
	const missing = NAMES.filter((name) => found.get(name) === undefined);
	if (missing.length > 0) {
		throw new Error(
			`Queue mode needs Redis and PostgreSQL; missing here: ${missing.join(', ')}. ` +
				'Install them with: apt-get install -y redis-server postgresql',
		);
	}
	return (name) => join(found.get(name) ?? '', name);
}

function debianFolders(): string[] {
	if (!existsSync(DEBIAN_POSTGRES)) return [];
	const newestFirst = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a));
	return newestFirst.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
}

function holds(folder: string, name: string): boolean {
	try {
		accessSync(join(folder, name), constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
