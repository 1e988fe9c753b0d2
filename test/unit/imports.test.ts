import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

import { families } from './allProviders';

const ROOT = join(__dirname, '..', '..');
const FOLDERS = ['bench', 'credentials', 'nodes', 'sandbox', 'scripts', 'test', 'testkit'];

/** What each area may import besides itself. */
const ARROWS: ReadonlyArray<readonly [from: string, to: readonly string[]]> = [
	['credentials', ['nodes/shared']],
	['nodes/shared', []],
	...families.map(({ folder }) => [`nodes/${folder}`, ['credentials', 'nodes/shared']] as const),
	['sandbox', []],
	['testkit', ['sandbox']],
	['test', ['credentials', 'nodes', 'sandbox', 'scripts', 'testkit']],
	['bench', ['nodes', 'sandbox', 'testkit']],
	['scripts', ['bench', 'nodes/shared', 'sandbox', 'testkit']],
];

/** The same for the folders of nodes/shared, all of which may import what lies beside them. */
const SHARED_ARROWS: typeof ARROWS = [
	['trigger', ['registration', 'delivery', 'recovery', 'state', 'api']],
	['action', ['registration', 'delivery', 'state', 'api']],
	['registration', ['state', 'api']],
	['recovery', ['delivery', 'state', 'api']],
	['delivery', ['state']],
	['state', ['api']],
	['api', []],
];

const files = FOLDERS.flatMap((folder) =>
	readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
		.map((name) => join(folder, name))
		.filter((name) => /\.[cm]?[jt]s$/.test(name)),
);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** The project's own code that a file imports, types included. */
function importsOf(file: string): string[] {
	const from = join(ROOT, file);
	const options = { allowJs: true, moduleResolution: ts.ModuleResolutionKind.Node10 };
	return ts
		.preProcessFile(readFileSync(from, 'utf8'), true, true)
		.importedFiles.filter(({ fileName }) => /^\.(?!.*\.json$)/.test(fileName))
		.map(({ fileName }) => {
			const { resolvedModule } = ts.resolveModuleName(fileName, from, options, ts.sys);
			return relative(ROOT, resolvedModule?.resolvedFileName ?? join(dirname(from), fileName));
		});
}

/** The files that import themselves through others, each with one such path. */
function circles(): string[][] {
	const done = new Set<string>();
	const found: string[][] = [];
	const walk = (file: string, way: readonly string[]): void => {
		if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file]);
		if (way.includes(file) || done.has(file)) return;
		for (const next of imports.get(file) ?? []) walk(next, [...way, file]);
		done.add(file);
	};
	for (const file of files) walk(file, []);
	return found;
}

describe('imports', () => {
	it('are found in every folder, and lead to files that exist', () => {
		for (const folder of FOLDERS) {
			expect(files.filter((file) => file.startsWith(`${folder}/`))).not.toEqual([]);
		}
		const targets = [...imports.values()].flat();
		expect(targets).toContain('sandbox/types.ts');
		expect(targets.filter((target) => !ts.sys.fileExists(join(ROOT, target)))).toEqual([]);
	});

	it.each(ARROWS)('of %s lead to it and to %j only', (area, allowed) => {
		const inside = files.filter((file) => file.startsWith(`${area}/`));
		const wrong = inside.flatMap((file) =>
			(imports.get(file) ?? [])
				.filter((target) => ![area, ...allowed].some((to) => target.startsWith(`${to}/`)))
				.map((target) => `${file} -> ${target}`),
		);
		expect(inside).not.toEqual([]);
		expect(wrong).toEqual([]);
	});

	it.each(SHARED_ARROWS)('inside nodes/shared lead from %s/ to %j only', (folder, allowed) => {
		const inside = files.filter((file) => file.startsWith(`nodes/shared/${folder}/`));
		const wrong = inside.flatMap((file) =>
			(imports.get(file) ?? [])
				.map((target) => /^nodes\/shared\/(\w+)\//.exec(target)?.[1] ?? folder)
				.filter((to) => ![folder, ...allowed].includes(to))
				.map((to) => `${file} -> ${to}`),
		);
		expect(inside).not.toEqual([]);
		expect(wrong).toEqual([]);
	});

	it('of the files directly in nodes/shared lead to none of its folders', () => {
		const beside = files.filter((file) => /^nodes\/shared\/\w+\.ts$/.test(file));
		const wrong = beside.filter((file) =>
			imports.get(file)?.some((target) => /^nodes\/shared\/\w+\//.test(target)),
		);
		expect(beside).not.toEqual([]);
		expect(wrong).toEqual([]);
	});

	it('are never circular', () => {
		expect(circles()).toEqual([]);
	});
});
