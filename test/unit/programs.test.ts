import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ensurePrograms } from '../../scripts/support/programs';
import { projectsOf, suites } from '../../scripts/support/suites';
import { findCommand, missingPrograms, packagesOf } from '../../testkit/programs';

/** What `npm test` does where the programs that its suites drive cannot be found. */

const ROOT = path.join(__dirname, '..', '..');

let folder: string;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'programs-'));
	lines = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts an executable into the only folder of the PATH. */
function place(name: string, script = ''): string {
	const file = path.join(folder, name);
	writeFileSync(file, `#!/bin/sh\n${script}\n`);
	chmodSync(file, 0o755);
	return file;
}

const environment = () => ({ PATH: folder });

/** Notes how it was called, and brings these commands when it is asked to install. */
function placeAptGet(...brings: string[]): void {
	const bring = brings.map((name) => `/bin/cp ${folder}/apt-get ${folder}/${name}`).join('\n');
	place(
		'apt-get',
		`echo "RUNLEVEL=$RUNLEVEL $*" >> ${folder}/calls
[ "$2" = install ] || exit 0
${bring}`,
	);
}

const calls = () => readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');

describe('programs that are missing', () => {
	it('are installed as root with apt-get, with a message and without starting services', async () => {
		placeAptGet('openssl', 'redis-server', 'redis-cli');
		await ensurePrograms(['openssl', 'redis'], { log, env: environment(), root: true });
		expect(calls()).toEqual([
			'RUNLEVEL=1 -qq update',
			'RUNLEVEL=1 -qq install -y --no-install-recommends openssl redis-server',
		]);
		expect(lines).toEqual(['Installing openssl, redis with apt-get (0 s)']);
	});

	it('end the run at once for any other user, with the command to type', async () => {
		placeAptGet('openssl');
		const ensured = ensurePrograms(['openssl', 'chromium'], {
			log,
			env: environment(),
			root: false,
		});
		await expect(ensured).rejects.toThrow(
			/missing here: openssl, chromium\b[^]*\nsudo apt-get install -y --no-install-recommends openssl chromium fonts-dejavu-core\n/,
		);
		expect(() => calls()).toThrow('ENOENT');
		expect(lines).toEqual([]);
	});

	it('end the run where there is no apt-get', async () => {
		const ensured = ensurePrograms(['openssl'], { log, env: environment(), root: true });
		await expect(ensured).rejects.toThrow('sudo apt-get install');
	});

	it('end the run when apt-get fails or does not install them', async () => {
		place('apt-get', 'exit 100');
		const options = { log, env: environment(), root: true };
		await expect(ensurePrograms(['openssl'], options)).rejects.toThrow(
			'apt-get update ended with code 100',
		);
		placeAptGet();
		await expect(ensurePrograms(['openssl'], options)).rejects.toThrow('openssl');
	});

	it('keep npm test from starting a build or a test', () => {
		const run = spawnSync(process.execPath, ['scripts/bootstrap.mjs', 'test', 'lint', 'unit'], {
			cwd: ROOT,
			env: { ...environment(), HOME: folder },
			encoding: 'utf8',
		});
		expect(run.status).toBe(1);
		expect(run.stdout).toBe('');
		expect(run.stderr).toContain('\nsudo apt-get install -y --no-install-recommends openssl\n');
	});
});

describe('programs that are there', () => {
	it('are used as they are', async () => {
		placeAptGet();
		place('openssl');
		await ensurePrograms(['openssl'], { log, env: environment(), root: true });
		expect(() => calls()).toThrow('ENOENT');
	});

	it('may be a Chromium that a variable names', () => {
		const named = place('another-chromium');
		const env = { ...environment(), CHROMIUM: named };
		expect(findCommand('chromium', env)).toBe(named);
		expect(missingPrograms(['chromium'], { ...env, CHROMIUM: `${named}-gone` })).toEqual([
			'chromium',
		]);
	});

	it('are not confused with folders of the same name', () => {
		mkdirSync(path.join(folder, 'openssl'));
		expect(missingPrograms(['openssl'], environment())).toEqual(['openssl']);
	});
});

describe('the suites', () => {
	it('list every program that they need besides Node, npm, python3, make and g++', () => {
		expect(packagesOf([...new Set(suites.flatMap(({ programs = [] }) => programs))])).toEqual([
			'openssl',
			'caddy',
			'nginx',
			'redis-server',
			'postgresql',
			'chromium',
			'fonts-dejavu-core',
		]);
	});

	it('run every Jest project exactly once', () => {
		const config = execFileSync(
			process.execPath,
			['-p', "JSON.stringify(require('./jest.config'))"],
			{ cwd: ROOT, encoding: 'utf8' },
		);
		const all: { projects: Array<{ displayName: string }> } = JSON.parse(config);
		expect(suites.flatMap(projectsOf).sort()).toEqual(
			all.projects.map(({ displayName }) => displayName).sort(),
		);
	});
});
