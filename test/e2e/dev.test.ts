import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';

import { until } from '../../testkit/n8n-host/poll';
import { freePorts } from '../../testkit/n8n-host/ports';
import { HostError, RestClient } from '../../testkit/n8n-host/rest';
import { triggerCases } from '../../testkit/triggers';
import { Terminal } from './terminal';

/** `npm run dev`, in a clone of its own: a change is served, and what n8n stores is kept. */

const ROOT = join(__dirname, '..', '..');
const READY_MS = 300_000;
const RELOAD_MS = 120_000;
const END_MS = 60_000;
const CHANGED = 'Changed while n8n runs';

let clone: string;
let temporary: string;
let command: string;
let debuggerUrl: string;
let terminal: Terminal | undefined;

beforeAll(async () => {
	clone = mkdtempSync(join(tmpdir(), 'dev-'));
	temporary = mkdtempSync(join(tmpdir(), 'dev-tmp-'));
	execFileSync('git', ['clone', '--quiet', ROOT, clone]);
	symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
	const [port, sandboxPort, inspect] = await freePorts(3);
	command = `npm run dev -- --port ${port} --sandbox-port ${sandboxPort} --inspect ${inspect}`;
	debuggerUrl = `http://127.0.0.1:${inspect}/json/list`;
	await start();
}, READY_MS);

afterAll(async () => {
	terminal?.close();
	await rm(clone, { recursive: true, force: true });
	await rm(temporary, { recursive: true, force: true });
}, END_MS);

async function start(): Promise<void> {
	terminal = new Terminal(command, clone, temporary);
	await terminal.prints('Ctrl-C ends both', READY_MS);
}

async function signIn(): Promise<RestClient> {
	const [, editor = ''] = /^Editor +(\S+)$/m.exec(terminal?.output ?? '') ?? [];
	const [, email, password] = /^Sign in +(\S+) \/ (\S+)$/m.exec(terminal?.output ?? '') ?? [];
	const rest = new RestClient(editor);
	await rest.call(z.unknown(), 'POST', '/login', { emailOrLdapLoginId: email, password });
	return rest;
}

async function description(rest: RestClient): Promise<string> {
	const nodeInfos = [{ name: 'n8n-nodes-misar-metigan.misarTrigger', version: 2 }];
	const answer = z.tuple([z.object({ description: z.string() })]);
	const [node] = await rest.call(answer, 'POST', '/node-types', { nodeInfos });
	return node.description;
}

/** Saves the node's source with another description. */
function describeAs(text: string): void {
	const file = join(clone, 'nodes', 'Misar', 'MisarTrigger.node.ts');
	const source = readFileSync(file, 'utf8');
	const changed = source.replace(/(\tdescription: )'.+'/, `$1'${text}'`);
	expect(changed).not.toBe(source);
	writeFileSync(file, changed);
}

it('npm run dev lets a debugger attach, which finds the sources by source maps', async () => {
	const targets = z.array(z.object({ webSocketDebuggerUrl: z.string(), url: z.string() }));
	const answer: unknown = await (await fetch(debuggerUrl)).json();
	expect(targets.parse(answer)).toEqual([
		{ webSocketDebuggerUrl: expect.any(String), url: expect.stringMatching(/n8n$/) },
	]);
	const built = 'dist/nodes/Misar/MisarTrigger.node.js';
	const map: unknown = JSON.parse(readFileSync(join(clone, `${built}.map`), 'utf8'));
	const { sourceRoot, sources } = z
		.object({ sourceRoot: z.string(), sources: z.array(z.string()) })
		.parse(map);
	expect(sources.map((source) => join(sourceRoot, source))).toEqual([
		join(clone, 'nodes', 'Misar', 'MisarTrigger.node.ts'),
	]);
});

it(
	'npm run dev says why a build cannot be given to n8n',
	async () => {
		const nodes = join(clone, '.dev', '.n8n', 'nodes', 'node_modules');
		const inTheWay = join(nodes, 'n8n-nodes-misar-metigan', 'next');
		writeFileSync(inTheWay, '');
		describeAs('Changed, but in vain');
		await terminal?.prints(inTheWay, RELOAD_MS);
		await rm(inTheWay);
	},
	RELOAD_MS + END_MS,
);

it(
	'npm run dev serves a changed source without a restart',
	async () => {
		const rest = await signIn();
		expect(await description(rest)).not.toBe(CHANGED);
		describeAs(CHANGED);
		// n8n unloads a package's nodes before it loads them again, and meanwhile answers with an error.
		let last: unknown;
		await until(
			() => `n8n to serve the change, not ${String(last)}`,
			RELOAD_MS,
			async () => {
				last = await description(rest).catch((error: unknown) => {
					if (error instanceof HostError) return error;
					throw error;
				});
				return last === CHANGED ? true : undefined;
			},
		);
	},
	RELOAD_MS + END_MS,
);

it(
	'npm run dev ends with Ctrl-C, and has the same workflows the next time',
	async () => {
		const list = z.array(z.object({ id: z.string() }));
		const workflows = await (await signIn()).call(list, 'GET', '/workflows');
		expect(workflows).toHaveLength(triggerCases.length);

		await terminal?.interrupt(END_MS);
		expect(terminal?.gone).toBe(true);
		// tsx keeps its cache of compiled files there, for the next command.
		expect(readdirSync(temporary).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
		terminal?.close();

		await start();
		const again = await signIn();
		expect(await again.call(list, 'GET', '/workflows')).toHaveLength(workflows.length);
		expect(await description(again)).toBe(CHANGED);
	},
	READY_MS + 2 * END_MS,
);
