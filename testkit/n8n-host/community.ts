import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

const manifestSchema = z.object({ name: z.string(), version: z.string() }).passthrough();
const ledgerSchema = z.object({ dependencies: z.record(z.string()) }).passthrough();

/** What n8n's community-packages.service passes to npm for a community package. */
const INSTALL_ARGS = [
	'install',
	'--audit=false',
	'--fund=false',
	'--bin-links=false',
	'--install-strategy=shallow',
	'--ignore-scripts=true',
	'--package-lock=false',
];

/**
 * Installs a packed package into an n8n user folder, step by step as n8n's Community Nodes screen
 * does it after its download (n8n 2.41.1, community-packages.service, downloadPackage): unpack,
 * drop the dev, peer and optional dependencies from package.json, `npm install` inside, note it in
 * the ledger. n8n finds it at its next start.
 *
 * @param tarball - path of a `npm pack` file
 * @returns the package's name
 */
export async function installCommunityPackage(
	userFolder: string,
	tarball: string,
): Promise<string> {
	const nodesFolder = join(userFolder, '.n8n', 'nodes');
	const packed = await run('tar', ['-xzOf', tarball, 'package/package.json']);
	const manifest = manifestSchema.parse(JSON.parse(packed.stdout));
	const packageFolder = join(nodesFolder, 'node_modules', manifest.name);

	await rm(packageFolder, { recursive: true, force: true });
	await mkdir(packageFolder, { recursive: true });
	await run('tar', ['-xzf', tarball, '-C', packageFolder, '--strip-components=1']);
	const kept: Record<string, unknown> = { ...manifest };
	for (const key of ['devDependencies', 'peerDependencies', 'optionalDependencies']) {
		delete kept[key];
	}
	await writeFile(join(packageFolder, 'package.json'), JSON.stringify(kept, null, 2));
	await run('npm', INSTALL_ARGS, { cwd: packageFolder });
	await noteInLedger(join(nodesFolder, 'package.json'), manifest.name, manifest.version);
	return manifest.name;
}

async function noteInLedger(file: string, name: string, version: string): Promise<void> {
	const text = await readFile(file, 'utf8').catch(() => undefined);
	const ledger =
		text === undefined
			? { name: 'installed-nodes', private: true, dependencies: {} }
			: ledgerSchema.parse(JSON.parse(text));
	const dependencies = { ...ledger.dependencies, [name]: version };
	await writeFile(file, JSON.stringify({ ...ledger, dependencies }, null, 2));
}
