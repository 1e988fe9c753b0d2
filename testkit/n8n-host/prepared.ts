import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { installCommunityPackage } from './community';

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
