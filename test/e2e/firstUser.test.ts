import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';

import { RestClient } from '../../testkit/n8n-host/rest';
import { triggerCases } from '../../testkit/triggers';
import { Terminal } from './terminal';

/**
 * A developer's first minutes: clone, the README's first command, a running workflow. The second
 * command is the one that .ci/run takes from the README and runs on a clean clone; it installs the
 * packages of package-lock.json in the same way as the first one.
 */

const ROOT = join(__dirname, '..', '..');
const READY_MS = 900_000;
const END_MS = 60_000;

let clone: string;
let temporary: string;
let terminal: Terminal | undefined;
let output = '';

beforeAll(async () => {
	clone = mkdtempSync(join(tmpdir(), 'first-user-'));
	temporary = mkdtempSync(join(tmpdir(), 'first-user-tmp-'));
	execFileSync('git', ['clone', '--quiet', ROOT, clone]);
	symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
	const command = execFileSync(process.execPath, ['scripts/readme-command.mjs', '1'], {
		cwd: clone,
		encoding: 'utf8',
	});
	terminal = new Terminal(command, clone, temporary);
	await terminal.prints('Ctrl-C ends both', READY_MS);
	output = terminal.output;
}, READY_MS + END_MS);

afterAll(async () => {
	terminal?.close();
	await rm(clone, { recursive: true, force: true });
	await rm(temporary, { recursive: true, force: true });
}, END_MS);

it('npm start shows every trigger at work', () => {
	expect(output).toContain('Every step held.');
	for (const { title } of triggerCases)
		expect(output).toMatch(new RegExp(`^${title} .* yes$`, 'm'));
});

it('npm start prints a working editor address and login, with one published workflow per trigger', async () => {
	const [, editor = ''] = /^Editor +(\S+)$/m.exec(output) ?? [];
	const [, email, password] = /^Sign in +(\S+) \/ (\S+)$/m.exec(output) ?? [];
	const rest = new RestClient(editor);
	await rest.call(z.unknown(), 'POST', '/login', { emailOrLdapLoginId: email, password });
	const list = z.array(z.object({ id: z.string(), active: z.boolean() }));
	const workflows = await rest.call(list, 'GET', '/workflows');
	expect(workflows).toHaveLength(triggerCases.length);
	expect(workflows.filter(({ active }) => !active)).toEqual([]);
});

it(
	'npm start ends with Ctrl-C and leaves nothing behind',
	async () => {
		await terminal?.interrupt(END_MS);
		expect(terminal?.gone).toBe(true);
		// tsx keeps its cache of compiled files there, for the next command.
		expect(readdirSync(temporary).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
	},
	END_MS,
);
