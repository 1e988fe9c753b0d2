import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { ICredentialType, INodeType } from 'n8n-workflow';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { z } from 'zod';

import { run } from '../../testkit/command';
import { loadClass, sourceOf } from './loadSources';
import { nodeFiles } from './nodeFiles';
import { filesIn, LIST, writtenBefore } from './singleFolder';
import { withTools } from './singleManifest';
import { readmeParts } from './singleReadme';

const TEMPLATE = join('scripts', 'repository');
const SAME_AS_HERE = [
	'.editorconfig',
	'.npmrc',
	'.prettierrc.json',
	'LICENSE',
	'package-lock.json',
];
/** The configuration that n8n's strict mode asks for, to the letter. */
const ESLINT_CONFIG =
	'node_modules/@n8n/node-cli/dist/template/templates/shared/default/eslint.config.mjs';

const manifestSchema = z
	.object({
		name: z.string(),
		version: z.string(),
		description: z.string(),
		homepage: z.string(),
		n8n: z.object({ nodes: z.array(z.string()), credentials: z.array(z.string()) }).passthrough(),
	})
	.passthrough();
type Manifest = z.output<typeof manifestSchema>;

/**
 * Writes the repository that the package of one service is published from: its sources and the shared code
 * that they use, with what n8n asks of a package that it verifies. The folder is new, empty but for `.git`, or
 * holds what this wrote before, which is replaced.
 *
 * @param packageName - a folder of packages/
 * @throws Error when the folder holds anything else
 */
export async function writeRepository(packageName: string, folder: string): Promise<void> {
	const before = await writtenBefore(folder);
	const staged = await mkdtemp(join(tmpdir(), `${packageName}-`));
	try {
		await stage(packageName, staged);
		for (const file of before) await rm(join(folder, file));
		await cp(staged, folder, { recursive: true });
	} finally {
		await rm(staged, { recursive: true, force: true });
	}
}

async function stage(packageName: string, folder: string): Promise<void> {
	const file = join('packages', packageName, 'package.json');
	const manifest = manifestSchema.parse(await readJson(file));
	for (const same of SAME_AS_HERE) await cp(same, join(folder, same));
	await cp(ESLINT_CONFIG, join(folder, 'eslint.config.mjs'));
	await copySources(manifest, folder);
	for (const { file, content } of await nodeFiles(manifest.n8n.nodes, manifest.name)) {
		await write(folder, file, JSON.stringify(content));
	}
	await fillTemplate(manifest, folder);
	await writeChangelog(folder);
	await writeManifest(manifest, folder);
	const files = await filesIn(folder);
	await write(folder, LIST, JSON.stringify({ by: 'npm run pack:single', files }));
}

/** Copies the listed nodes and credentials, every source that they import, and the icons beside them. */
async function copySources({ n8n }: Manifest, folder: string): Promise<void> {
	for (const file of importedSources([...n8n.nodes, ...n8n.credentials].map(sourceOf))) {
		await cp(file, join(folder, file));
	}
	for (const nodeFolder of new Set(n8n.nodes.map((file) => dirname(sourceOf(file))))) {
		for (const file of await readdir(nodeFolder)) {
			if (file.endsWith('.svg')) await cp(join(nodeFolder, file), join(folder, nodeFolder, file));
		}
	}
}

/** These files and all of this repository that they import, types included. */
function importedSources(files: readonly string[], found = new Set<string>()): Set<string> {
	for (const file of files.filter((name) => !found.has(name))) {
		found.add(file);
		const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
		const own = importedFiles
			.map(({ fileName }) => fileName)
			.filter((name) => name.startsWith('.'));
		importedSources(
			own.map((name) => `${join(dirname(file), name)}.ts`),
			found,
		);
	}
	return found;
}

async function fillTemplate(manifest: Manifest, folder: string): Promise<void> {
	const { name, version, description, homepage, n8n } = manifest;
	const nodes = await Promise.all(n8n.nodes.map(sourceOf).map(loadClass<INodeType>));
	const parts: Record<string, string> = {
		...{ name, version, description, repository: homepage.replace(/#.*/, '') },
		...readmeParts(
			name,
			nodes.map((node) => node.description),
			await Promise.all(n8n.credentials.map(sourceOf).map(loadClass<ICredentialType>)),
		),
	};
	for (const file of await filesIn(TEMPLATE)) {
		const text = await readFile(join(TEMPLATE, file), 'utf8');
		const filled = text.replace(/\{\{(\w+)\}\}/g, (_match, part: string) => {
			const value = parts[part];
			if (value === undefined) throw new Error(`${file} asks for "${part}", which there is not`);
			return value;
		});
		await write(folder, file, filled);
	}
}

/** Its links lead to documents that only this repository has. */
async function writeChangelog(folder: string): Promise<void> {
	const { homepage } = z.object({ homepage: z.string() }).parse(await readJson('package.json'));
	const documents = homepage.replace(/#.*/, '/blob/main/');
	const text = await readFile('CHANGELOG.md', 'utf8');
	await write(folder, 'CHANGELOG.md', text.replaceAll(/\]\((?!https:)/g, `](${documents}`));
}

async function writeManifest(manifest: Manifest, folder: string): Promise<void> {
	const whole = withTools(manifest, await readJson('package-lock.json'));
	await write(folder, 'package.json', JSON.stringify(whole));
	// Leaves of the lock file what the tools need; everything that they need is in it.
	const args = ['install', '--package-lock-only', '--offline', '--loglevel=error'];
	const { code, output } = await run('npm', args, { cwd: folder, capture: 'all' });
	if (code !== 0) throw new Error(`npm could not write the lock file: ${output}`);
}

async function readJson(file: string): Promise<unknown> {
	return JSON.parse(await readFile(file, 'utf8'));
}

/** Writes a file, formatted if it is of a kind that Prettier knows. */
async function write(folder: string, file: string, text: string): Promise<void> {
	const path = join(folder, file);
	await mkdir(dirname(path), { recursive: true });
	const options = { ...(await resolveConfig('package.json')), filepath: file };
	const known = /\.(json|md|yml)$/.test(file);
	await writeFile(path, known ? await format(text, options) : text);
}
