import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { z } from 'zod';

import { build, pack } from '../../testkit/artifacts';
import { runNode } from '../../testkit/command';
import { renderReadme } from './singleReadme';

const ROOT = process.cwd();
const PACKAGES = join(ROOT, 'packages');
const PREFIX = 'n8n-nodes-';
/** What the build and the lint gate need besides sources, and what is published with every package. */
const SHARED_FILES = [
	'.prettierignore',
	'.prettierrc.json',
	'CHANGELOG.md',
	'LICENSE',
	'eslint.config.mjs',
	'gulpfile.js',
	// The build writes the fields of the nodes' items with these.
	...['scripts/output-schemas.ts', 'scripts/support/outputSchemas.ts'],
	'nodes/shared/trigger/output.ts',
	'tsconfig.build.json',
	'tsconfig.json',
];

const manifestSchema = z.object({
	name: z.string(),
	description: z.string(),
	n8n: z.object({ nodes: z.array(z.string()), credentials: z.array(z.string()) }),
});

/** Names of the providers that have a package of their own: the folders of packages/. */
export async function singleProviders(): Promise<string[]> {
	const entries = await readdir(PACKAGES, { withFileTypes: true });
	return entries
		.filter((entry) => entry.isDirectory() && entry.name.startsWith(PREFIX))
		.map(({ name }) => name.slice(PREFIX.length))
		.sort();
}

/**
 * Builds the package of one provider from this repository's sources, holds it against the lint
 * gate and packs it. The work is done in a temporary folder laid out like this repository, so that
 * the same build and the same gate serve.
 *
 * @param provider - e.g. `metigan`, see {@link singleProviders}
 * @param out - folder for the tarball
 * @returns the path of the tarball
 * @throws Error when the build or the gate fails; what is wrong has been printed
 */
export async function packSingle(provider: string, out: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${provider}-`));
	try {
		await stage(provider, folder);
		await mkdir(out, { recursive: true });
		return await pack(resolve(out), folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function stage(provider: string, folder: string): Promise<void> {
	const ownFiles = join(PACKAGES, `${PREFIX}${provider}`);
	const manifest = manifestSchema.parse(
		JSON.parse(await readFile(join(ownFiles, 'package.json'), 'utf8')),
	);
	await cp(ownFiles, folder, { recursive: true });
	for (const file of SHARED_FILES) await cp(join(ROOT, file), join(folder, file));
	await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
	await copySources(manifest, folder);
	await build(folder);
	await writeReadme(manifest, folder);
	const gate = join(ROOT, 'scripts', 'lint.mjs');
	if ((await runNode(gate, [], { cwd: folder })) !== 0) {
		throw new Error(`${manifest.name} does not pass the lint gate`);
	}
}

/** Copies the listed nodes and credentials, every source they import, and the icons and codex beside them. */
async function copySources(
	{ name, n8n }: z.output<typeof manifestSchema>,
	folder: string,
): Promise<void> {
	const entries = [...n8n.nodes, ...n8n.credentials].map((file) =>
		join(ROOT, file.replace(/^dist\//, '').replace(/\.js$/, '.ts')),
	);
	for (const file of importedSources(entries)) {
		await cp(file, join(folder, relative(ROOT, file)));
	}
	for (const nodeFolder of new Set(n8n.nodes.map((file) => dirname(file.replace(/^dist\//, ''))))) {
		for (const file of await readdir(join(ROOT, nodeFolder))) {
			if (file.endsWith('.svg')) {
				await cp(join(ROOT, nodeFolder, file), join(folder, nodeFolder, file));
			} else if (file.endsWith('.node.json')) {
				const codex = await readFile(join(ROOT, nodeFolder, file), 'utf8');
				await writeFile(join(folder, nodeFolder, file), renamed(codex, name));
			}
		}
	}
}

/** A codex names its node together with the package. */
function renamed(codex: string, packageName: string): string {
	return codex.replace(/("node": ")[^".]+(?=\.)/, `$1${packageName}`);
}

/** These files and all of this repository that they import, types included. */
function importedSources(entries: string[]): string[] {
	const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
	const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT, undefined, undefined);
	return ts
		.createProgram(entries, options)
		.getSourceFiles()
		.map(({ fileName }) => fileName)
		.filter((file) => !file.includes('/node_modules/'));
}

async function writeReadme(
	manifest: { name: string; description: string },
	folder: string,
): Promise<void> {
	const template = await readFile(join(PACKAGES, 'README.template.md'), 'utf8');
	const file = join(folder, 'README.md');
	const text = await renderReadme(template, folder, manifest);
	await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
