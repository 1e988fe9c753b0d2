import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';

/** What has been installed in a user folder, and in which n8n it was used. */
export interface Installation {
	/** The `npm pack` file. */
	readonly tarball: string;
	/** Of n8n. */
	readonly version: string;
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
 * Fills a new user folder from {@link preparedFolder}.
 *
 * @param what - `package`: without database, encryption key and owner
 * @returns false where that folder has not been made
 */
export async function copyPrepared(
	userFolder: string,
	installation: Installation,
	what: 'everything' | 'package',
): Promise<boolean> {
	const prepared = preparedFolder(installation);
	if (!existsSync(prepared)) return false;
	const part = what === 'package' ? join('.n8n', 'nodes') : '';
	await cp(join(prepared, part), join(userFolder, part), { recursive: true });
	return true;
}
