import { existsSync } from 'node:fs';
import { cp, mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCommunityPackage } from './community';

/** What has been installed in a user folder, and in which n8n it was used. */
export interface Installation {
	/** The `npm pack` file. */
	readonly tarball: string;
	/** Of n8n. */
	readonly version: string;
}

/** A file system in memory, on Linux. */
const MEMORY = '/dev/shm';
/** The size that all databases of a run may reach. */
const ROOM_BYTES = 2 * 2 ** 30;

/**
 * Makes an empty user folder for one n8n.
 *
 * @param inMemory - whether it may be in memory, if there is room: n8n writes to its database all the time
 */
export async function makeUserFolder(inMemory: boolean): Promise<string> {
	const parent = inMemory && (await hasRoom(MEMORY)) ? MEMORY : tmpdir();
	return await mkdtemp(join(parent, 'n8n-host-'));
}

async function hasRoom(folder: string): Promise<boolean> {
	try {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize > ROOM_BYTES;
	} catch {
		return false;
	}
}

/**
 * Where a user folder of an n8n that has been started once is kept for copies of it: beside the
 * tarball, and removed together with it. So the tests of one run make the database, the owner and
 * the install of the package once.
 */
export function preparedFolder({ tarball, version }: Installation): string {
	return `${tarball}-in-n8n-${version}`;
}

/**
 * Fills a new user folder from {@link preparedFolder}; where that has not been made, installs the package.
 *
 * @param what - `package`: without database, encryption key and owner
 */
export async function fillNew(
	userFolder: string,
	installation: Installation,
	what: 'everything' | 'package',
): Promise<void> {
	const prepared = preparedFolder(installation);
	if (!existsSync(prepared)) {
		await installCommunityPackage(userFolder, installation.tarball);
		return;
	}
	const part = what === 'package' ? join('.n8n', 'nodes') : '';
	await cp(join(prepared, part), join(userFolder, part), { recursive: true });
}
