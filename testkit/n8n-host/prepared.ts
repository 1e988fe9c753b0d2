import { existsSync } from 'node:fs';

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

/** @returns undefined where {@link preparedFolder} has not been made */
export function findPrepared(installation: Installation): string | undefined {
	const folder = preparedFolder(installation);
	return existsSync(folder) ? folder : undefined;
}
