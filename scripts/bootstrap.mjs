/**
 * The entry point for a fresh clone: `node scripts/bootstrap.mjs <name> [arguments]` installs what
 * package-lock.json says, unless that is what node_modules holds already, and then runs
 * `scripts/<name>.ts` in this same process, so that signals and the exit code need no passing on.
 * Plain JavaScript and no dependency.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { withProgress } from './support/progress.cjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MINIMUM = [20, 15];

const [name = '', ...rest] = process.argv.slice(2);
const script = path.join(ROOT, 'scripts', `${name}.ts`);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
	fail(`Node ${process.versions.node} is too old: ${MINIMUM.join('.')} or newer is needed.`);
}
if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(script)) {
	fail(`There is no script named "${name}". Try: npm start, npm test, npm run lint`);
}
process.chdir(ROOT);
if (!isInstalled()) await install();

process.argv = [process.execPath, script, ...rest];
await import('tsx');
await import(pathToFileURL(script).href);

/**
 * Compares the lock file with npm's own record of what it installed, written when an install is
 * complete. Optional packages may be missing: they are for other kinds of machine.
 */
function isInstalled() {
	const wanted = readPackages('package-lock.json');
	const present = readPackages(path.join('node_modules', '.package-lock.json'));
	return Object.entries(wanted).every(
		([place, { version, optional }]) =>
			place === '' || (place in present ? present[place].version === version : optional === true),
	);
}

function readPackages(file) {
	return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

async function install() {
	const code = await withProgress(
		'Installing dependencies',
		console.log,
		async () =>
			await new Promise((resolve) => {
				const npm = spawn('npm', ['ci', '--loglevel=error'], {
					stdio: ['ignore', 'ignore', 'inherit'],
				});
				npm.once('error', (error) => fail(`npm could not be run: ${error.message}`));
				npm.once('close', resolve);
			}),
	);
	if (code !== 0) fail(`npm ci ended with code ${code}`);
}

function fail(message) {
	console.error(message);
	process.exit(1);
}
