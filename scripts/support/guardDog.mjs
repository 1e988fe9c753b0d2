/**
 * Runs GuardDog's threat rules on a package: `node scripts/support/guardDog.mjs <folder>` prints what they
 * find, and ends with code 1 if that is anything.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Compiler, initSync } from '@virustotal/yara-x';

const RULES = fileURLToPath(new URL('../guarddog/rules', import.meta.url));

/**
 * @param folder - an unpacked package
 * @returns a line for each rule that a file matches
 */
export function findThreats(folder) {
	const rules = compileRules();
	const files = readdirSync(folder, { recursive: true }).filter((file) =>
		statSync(path.join(folder, file)).isFile(),
	);
	return files.flatMap((file) =>
		rules
			.scan(readFileSync(path.join(folder, file)))
			.matches.filter(({ metadata }) => isFor(file, metaOf(metadata, 'path_include')))
			.map(
				({ identifier, metadata, patterns }) =>
					`${file}: ${identifier} (${metaOf(metadata, 'description')}) at ${placesOf(patterns)}`,
			),
	);
}

function compileRules() {
	const wasm = new URL('yara_x_js_bg.wasm', import.meta.resolve('@virustotal/yara-x'));
	initSync({ module: readFileSync(wasm) });
	const compiler = new Compiler();
	for (const file of readdirSync(RULES).filter((name) => name.endsWith('.yar'))) {
		// Several include the same private rules.
		compiler.newNamespace(file);
		compiler.addSource(readRules(file));
	}
	return compiler.build();
}

/** A file of rules, with those it includes in place: the WebAssembly of YARA-X reads no files. */
function readRules(file) {
	return readFileSync(path.join(RULES, file), 'utf8').replace(
		/^include "(.+)"$/gm,
		(_statement, included) => readRules(included),
	);
}

function metaOf(metadata, name) {
	return metadata.find(({ identifier }) => identifier === name)?.value;
}

/** @param patterns - of a rule: `*` stands for anything, folders included, and only begins a pattern */
function isFor(file, patterns) {
	return patterns
		.split(',')
		.map((pattern) => pattern.trim())
		.some((pattern) =>
			pattern.startsWith('*') ? `/${file}`.endsWith(pattern.slice(1)) : file === pattern,
		);
}

function placesOf(patterns) {
	const offsets = patterns.flatMap(({ matches }) => matches.map(({ offset }) => offset));
	return offsets.length === 0 ? 'no place' : `byte ${offsets.join(', ')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const threats = findThreats(process.argv[2]);
	for (const threat of threats) console.log(threat);
	process.exitCode = threats.length === 0 ? 0 : 1;
}
