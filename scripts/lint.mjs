/**
 * The lint gate: ESLint with n8n's rule sets and no warning allowed, the formatting, and n8n's own
 * scanner of community packages on the source and on the packed tarball, whose contents are
 * checked as well, also by GuardDog's threat rules. Needs a built `dist`. Ends with code 1 when anything is found.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { findThreats } from './support/guardDog.mjs';

/** For temporary files, and removed at the end: n8n's scanner leaves its own behind. */
const temporary = mkdtempSync(path.join(tmpdir(), 'misar-metigan-lint-'));
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
process.env.TMPDIR = temporary;
const { analyzePackage, SOURCE_FILE_PATTERNS } = await import(
	'@n8n/scan-community-package/scanner/scanner.mjs'
);

// n8n's rule about file names expects other names in its own tests, which it recognises by this variable.
delete process.env.NODE_ENV;

const MAX_TARBALL_BYTES = 240_000;
/** Everything a published package may hold. */
const ALLOWED_FILES = [
	/^package\.json$/,
	/^(?:README|CHANGELOG)\.md$/,
	/^LICENSE$/,
	/^dist\/(?:nodes|credentials)\/.+\.(?:js|svg|png)$/,
	/^dist\/nodes\/.+\.node\.json$/,
	/^dist\/nodes\/.+\/__schema__\/.+\.json$/,
	/^dist\/(?:known|types)\/(?:nodes|credentials)\.json$/,
	/^dist\/methods\/(?:defined|referenced)\.json$/,
];

const checks = [
	['ESLint with n8n’s rules', () => runTool('eslint/bin/eslint.js', ['.', '--max-warnings', '0'])],
	[
		'Formatting',
		() => runTool('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
	],
	['n8n’s package scanner on the source', () => scan(process.cwd(), SOURCE_FILE_PATTERNS)],
	['The packed tarball', checkTarball],
];

/** Words that select checks, e.g. `scanner`; without any, all checks are done. */
const words = process.argv.slice(2);

let failed = 0;
for (const [name, check] of checks) {
	if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
	const findings = await check();
	console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${name}`);
	for (const finding of findings) console.log(finding);
	if (findings.length > 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

function runTool(script, args) {
	const result = spawnSync(process.execPath, [path.join('node_modules', script), ...args], {
		encoding: 'utf8',
	});
	return result.status === 0 ? [] : [`${result.stdout}${result.stderr}`];
}

async function scan(directory, patterns) {
	const result = await analyzePackage(directory, patterns);
	if (result.passed && result.message === undefined) return [];
	return [result.details ?? result.message];
}

/** Packs the package as `npm publish` would, and looks at what a user would get. */
async function checkTarball() {
	const packed = spawnSync(
		'npm',
		['pack', '--ignore-scripts', '--json', '--pack-destination', temporary],
		{ encoding: 'utf8' },
	);
	if (packed.status !== 0) return [`npm pack ended with code ${packed.status}: ${packed.stderr}`];
	const [{ filename, files }] = JSON.parse(packed.stdout);
	const tarball = path.join(temporary, filename);
	const bytes = statSync(tarball).size;
	const names = files.map((file) => file.path);
	console.log(`       ${names.length} files, ${bytes} bytes`);

	const unpacked = spawnSync('tar', ['-xzf', tarball, '-C', temporary]);
	if (unpacked.status !== 0) return ['the tarball cannot be unpacked'];
	const root = path.join(temporary, 'package');
	const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
	return [
		...names
			.filter((name) => !ALLOWED_FILES.some((allowed) => allowed.test(name)))
			.map((name) => `${name} must not be published`),
		...['README.md', 'CHANGELOG.md', 'LICENSE']
			.concat(manifest.n8n.nodes, manifest.n8n.credentials)
			.filter((name) => !names.includes(name))
			.map((name) => `${name} is missing from the tarball`),
		...(bytes > MAX_TARBALL_BYTES ? [`${bytes} bytes, more than ${MAX_TARBALL_BYTES}`] : []),
		...(Object.keys(manifest.dependencies ?? {}).length > 0 ? ['dependencies must be empty'] : []),
		...(await scan(root, ['**/*.js', 'package.json'])),
		...findThreats(root),
	];
}
