import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { pack } from '../../testkit/artifacts';
import { run, runNode } from '../../testkit/command';
import { writeRepository } from './singleRepository';

const PREFIX = 'n8n-nodes-';

/** Names of the providers that have a package of their own: the folders of packages/. */
export async function singleProviders(): Promise<string[]> {
	// A tarball may lie beside them.
	const entries = await readdir('packages', { withFileTypes: true });
	return entries
		.filter((entry) => entry.isDirectory())
		.map(({ name }) => name.slice(PREFIX.length))
		.sort();
}

/** The name of the package of a provider. */
export function packageOf(provider: string): string {
	return `${PREFIX}${provider}`;
}

/**
 * Packs the package of one provider: writes its repository to a temporary folder, builds it there and runs
 * the lint gate on it.
 *
 * @param out - folder for the tarball
 * @returns the path of the tarball
 * @throws Error when the build or the gate fails; what is wrong has been printed
 */
export async function packSingle(packageName: string, out: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), `${packageName}-`));
	try {
		await writeRepository(packageName, folder);
		await symlink(resolve('node_modules'), join(folder, 'node_modules'));
		const { code, output } = await run('npm', ['run', 'build'], { cwd: folder, capture: 'all' });
		if (code !== 0) throw new Error(`${packageName} cannot be built: ${output}`);
		if ((await runNode(resolve('scripts', 'lint.mjs'), [], { cwd: folder })) !== 0) {
			throw new Error(`${packageName} does not pass the lint gate`);
		}
		await mkdir(out, { recursive: true });
		return await pack(resolve(out), folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
