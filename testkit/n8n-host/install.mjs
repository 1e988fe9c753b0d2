/**
 * Installs the n8n that the end-to-end tests run against, once per machine, outside the checkout.
 *
 * n8n 2.x needs Node 24 and 2.3 GB; both come from npm and land in a cache folder named after the
 * contents of package.json, package-lock.json and .npmrc beside this file, so a changed pin is a new
 * folder and an unchanged one is found again at once. `N8N_HOST_PIN` names another pin, a folder below
 * pins/ with a package.json and a package-lock.json of its own. Plain Node 20 and no dependency,
 * because this runs before anything else is installed.
 *
 * Use: `node install.mjs` prints what is installed as one line of JSON; or `import { ensureN8nHost }`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { guardGroup } from './guard.cjs';
import { withInstallLock } from './install-lock.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PINS = ['package.json', 'package-lock.json', '.npmrc'];
/** Increase it when the steps below change the content of the folder. */
const RECIPE = 1;
const PARTIAL = '.partial';
const PROGRESS_MS = 5_000;
const SIZE_EVERY = 3;

/**
 * Where the cached installs live: `N8N_HOST_CACHE`, else the user's cache folder.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string} an absolute path
 */
export function cacheRoot(env = process.env) {
	if (env['N8N_HOST_CACHE']) return path.resolve(env['N8N_HOST_CACHE']);
	const base = env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
	return path.resolve(base, 'n8n-nodes-misar-metigan');
}

/**
 * The folder name of a pin on this kind of machine.
 *
 * @param {string} [pin] a folder of pins/, by default the one `N8N_HOST_PIN` names, else the pin beside this file
 * @returns {string}
 * @throws {Error} when there is no such pin
 */
export function cacheKey(pin = process.env['N8N_HOST_PIN']) {
	const hash = createHash('sha256');
	hash.update(JSON.stringify([RECIPE, process.platform, process.arch]));
	for (const [name, file] of pinFiles(pin))
		hash.update(`\0${name}\0`).update(fs.readFileSync(file));
	return `n8n-${hash.digest('hex').slice(0, 16)}`;
}

/** The files that make up a pin, by name; npm's settings are the same for all. */
function pinFiles(pin) {
	const folder = pin ? path.join(HERE, 'pins', pin) : HERE;
	const files = PINS.map((name) => [name, path.join(name === '.npmrc' ? HERE : folder, name)]);
	const missing = files.find(([, file]) => !fs.existsSync(file));
	if (missing) throw new Error(`${path.relative(HERE, missing[1])} is missing in testkit/n8n-host`);
	return files;
}

/**
 * Makes sure a pinned n8n is installed and says where. Returns in milliseconds when it is there;
 * the first time it takes some minutes. Two processes may call it at once: one installs, the other waits.
 *
 * @param {{ log?: (line: string) => void, pin?: string }} [options] log gets one progress line at a
 *   time; pin as for `cacheKey`
 * @returns {Promise<import('./install.mjs').InstalledHost>}
 * @throws {Error} when a step of the install fails; the end of its output is in the message. When
 *   a signal to end this process came meanwhile, it is in the error's `signal`.
 */
export async function ensureN8nHost({
	log = () => undefined,
	pin = process.env['N8N_HOST_PIN'],
} = {}) {
	const root = cacheRoot();
	const dir = path.join(root, cacheKey(pin));
	if (isComplete(dir)) return describe(dir);

	fs.mkdirSync(root, { recursive: true });
	await withInstallLock(`${dir}.lock`, log, async (signal) => {
		// Whoever held the lock before may have finished the job.
		if (!isComplete(dir)) await install(dir, pinFiles(pin), log, signal);
	});
	return describe(dir);
}

function isComplete(dir) {
	return fs.existsSync(nodeBinaryIn(dir)) && fs.existsSync(n8nBinIn(dir));
}

function nodeBinaryIn(dir) {
	return path.join(dir, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
}

function n8nBinIn(dir) {
	return path.join(dir, 'node_modules', 'n8n', 'bin', 'n8n');
}

function describe(dir) {
	const manifest = fs.readFileSync(path.join(dir, 'node_modules', 'n8n', 'package.json'), 'utf8');
	return {
		dir,
		nodeBinary: nodeBinaryIn(dir),
		n8nBin: n8nBinIn(dir),
		version: JSON.parse(manifest).version,
	};
}

async function install(dir, files, log, signal) {
	removeLeftovers(dir);
	const temporary = `${dir}.${process.pid}${PARTIAL}`;
	fs.mkdirSync(temporary);
	for (const [name, file] of files) fs.copyFileSync(file, path.join(temporary, name));
	const started = Date.now();
	const step = async (name, command, args, extraEnv = {}) => {
		const report = progress(name, temporary, started, log);
		try {
			return await run(command, args, { cwd: temporary, env: npmEnv(extraEnv), signal });
		} finally {
			report.stop();
		}
	};
	try {
		log(`n8n host: installing into ${dir} (once; about 5 minutes and 2 GB)`);
		await step('1/3 downloading n8n and its Node', 'npm', [
			'ci',
			'--prefer-offline',
			'--loglevel=error',
		]);
		const node = nodeBinaryIn(temporary);
		if (!fs.existsSync(node)) {
			throw new Error(
				`No Node binary for ${process.platform}-${process.arch} is pinned in testkit/n8n-host`,
			);
		}
		// Scripts find this folder's Node first on PATH (npm puts node_modules/.bin there), while npm
		// itself stays on the machine's own Node. The headers that fit come with the binary.
		await step(
			'2/3 building the native modules',
			'npm',
			['rebuild', 'sqlite3', 'isolated-vm', '--ignore-scripts=false', '--loglevel=error'],
			{ npm_config_nodedir: path.dirname(path.dirname(node)) },
		);
		await step('3/3 checking', node, ['-e', "require('sqlite3');require('isolated-vm')"]);
		await step('3/3 checking', node, [n8nBinIn(temporary), '--version'], {
			N8N_USER_FOLDER: path.join(temporary, 'check'),
		});
		fs.rmSync(path.join(temporary, 'check'), { recursive: true, force: true });
		// If two installers got past the lock after all, the first one's folder is kept.
		if (isComplete(dir)) throw new Error(`${dir} was made by another process meanwhile`);
		fs.rmSync(dir, { recursive: true, force: true });
		fs.renameSync(temporary, dir);
		log(`n8n host: ready after ${seconds(started)}`);
	} catch (error) {
		fs.rmSync(temporary, { recursive: true, force: true });
		throw error;
	}
}

/** Incomplete folders of killed installers; we hold the lock, so nobody is using them. */
function removeLeftovers(dir) {
	for (const name of fs.readdirSync(path.dirname(dir))) {
		if (!name.startsWith(`${path.basename(dir)}.`) || !name.endsWith(PARTIAL)) continue;
		fs.rmSync(path.join(path.dirname(dir), name), { recursive: true, force: true });
	}
}

/** npm's variables of an outer `npm test` describe another project and must not be passed on. */
function npmEnv(extra) {
	const env = { ...process.env, ...extra };
	for (const name of Object.keys(env)) {
		if (/^npm_(package|lifecycle)_|^npm_config_local_prefix$|^INIT_CWD$/i.test(name))
			delete env[name];
	}
	return env;
}

function progress(name, dir, started, log) {
	let ticks = 0;
	let size = '';
	log(`n8n host: ${name} (${seconds(started)})`);
	const timer = setInterval(() => {
		ticks += 1;
		if (ticks % SIZE_EVERY === 0) {
			const du = spawn('du', ['-sm', dir], { stdio: ['ignore', 'pipe', 'ignore'] });
			du.on('error', () => undefined);
			du.stdout.on('data', (chunk) => {
				size = `, ${String(chunk).split('\t')[0]} MB`;
			});
		}
		log(`n8n host: ${name} (${seconds(started)}${size})`);
	}, PROGRESS_MS);
	return { stop: () => clearInterval(timer) };
}

function seconds(since) {
	return `${Math.round((Date.now() - since) / 1000)} s`;
}

/**
 * Runs one command in its own process group, so that an abort, or the death of this process, takes
 * everything it started with it.
 */
function run(command, args, { cwd, env, signal }) {
	return new Promise((resolve, reject) => {
		const child = spawn(command, args, {
			cwd,
			env,
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const dismissGuard = child.pid === undefined ? () => undefined : guardGroup(child.pid, cwd);
		let output = '';
		const keep = (chunk) => {
			output = (output + chunk).slice(-8_000);
		};
		child.stdout.on('data', keep);
		child.stderr.on('data', keep);
		const abort = () => {
			try {
				process.kill(-child.pid, 'SIGKILL');
			} catch {
				// It has ended on its own in the meantime.
			}
		};
		signal.addEventListener('abort', abort, { once: true });
		child.on('error', (error) => reject(new Error(`Could not run ${command}: ${error.message}`)));
		child.on('close', (code) => {
			dismissGuard();
			signal.removeEventListener('abort', abort);
			if (signal.aborted) reject(new Error('The install of the n8n host was interrupted'));
			else if (code === 0) resolve(output);
			else
				reject(
					new Error(`${path.basename(command)} ${args[0]} ended with ${code}:\n${output.trim()}`),
				);
		});
	});
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	try {
		const host = await ensureN8nHost({ log: (line) => process.stderr.write(`${line}\n`) });
		process.stdout.write(`${JSON.stringify(host)}\n`);
	} catch (error) {
		process.stderr.write(`${error.message}\n`);
		if (error.signal) process.kill(process.pid, error.signal);
		process.exitCode = 1;
	}
}
