import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';

import { triggerCases } from '../../testkit/triggers';
import { guardGroup } from '../../testkit/n8n-host/guard.cjs';
import { until } from '../../testkit/n8n-host/poll';
import { RestClient } from '../../testkit/n8n-host/rest';

/**
 * A developer's first minutes: clone, the README's first command, a running workflow. The second
 * command is the one that .ci/run takes from the README and runs on a clean clone.
 */

const ROOT = join(__dirname, '..', '..');
const READY_MS = 900_000;
const END_MS = 60_000;

let clone: string;
let temporary: string;
let started: ChildProcess | undefined;
let dismissGuard: (() => void) | undefined;
let output = '';

beforeAll(async () => {
	clone = mkdtempSync(join(tmpdir(), 'first-user-'));
	temporary = mkdtempSync(join(tmpdir(), 'first-user-tmp-'));
	execFileSync('git', ['clone', '--quiet', ROOT, clone]);
	const command = execFileSync(process.execPath, ['scripts/readme-command.mjs', '1'], {
		cwd: clone,
		encoding: 'utf8',
	});
	started = spawn('sh', ['-c', command], {
		cwd: clone,
		env: userEnvironment(),
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	for (const stream of [started.stdout, started.stderr]) {
		stream?.on('data', (chunk: Buffer) => {
			output += chunk.toString();
		});
	}
	dismissGuard = guardGroup(groupId(), clone);
	await until(
		() => `the command to be ready. It printed:\n${output}`,
		READY_MS,
		() => {
			if (ended()) throw new Error(`The command ended:\n${output}`);
			return output.includes('Ctrl-C ends both') || undefined;
		},
	);
}, READY_MS + END_MS);

afterAll(async () => {
	if (started !== undefined && !ended()) process.kill(-groupId(), 'SIGKILL');
	dismissGuard?.();
	await rm(clone, { recursive: true, force: true });
	await rm(temporary, { recursive: true, force: true });
}, END_MS);

it('installs, starts and shows every trigger at work', () => {
	expect(output).toContain('Every step held.');
	for (const { title } of triggerCases)
		expect(output).toMatch(new RegExp(`^${title} .* yes$`, 'm'));
});

it('prints an editor and a login that work, with one published workflow for each trigger', async () => {
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
	'ends with Ctrl-C and leaves nothing behind',
	async () => {
		// A terminal sends it to everything that was started.
		process.kill(-groupId(), 'SIGINT');
		await until('the command to end', END_MS, () => ended() || undefined);
		expect(() => process.kill(-groupId(), 0)).toThrow('ESRCH');
		// tsx keeps its cache of compiled files there, for the next command.
		expect(readdirSync(temporary).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
	},
	END_MS,
);

function groupId(): number {
	if (started?.pid === undefined) throw new Error('The command could not be started');
	return started.pid;
}

function ended(): boolean {
	return started !== undefined && (started.exitCode !== null || started.signalCode !== null);
}

/** The environment of a terminal: without what npm and jest added to ours. */
function userEnvironment(): NodeJS.ProcessEnv {
	const ours = /^(npm_|JEST_|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$|N8N_LOG_LEVEL$|PACKAGE_TARBALL$)/;
	const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
	return { ...Object.fromEntries(kept), TMPDIR: temporary };
}
