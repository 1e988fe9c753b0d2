import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox';
import type { Entry } from '../../sandbox/page/types';
import { instructions, serve, startWhereFound } from '../../scripts/support/sandboxServe';
import { freePorts } from '../../testkit/n8n-host/ports';
import { until } from '../../testkit/n8n-host/poll';
import { nothingYet, runCommand, type Ended } from './sandboxCommand';
import { call, startReceiver, type Receiver } from './sandboxSupport';

/** `npm run sandbox -- …` */

const ROOT = join(__dirname, '..', '..');

let sandbox: Sandbox;
let receiver: Receiver;
/** Ctrl-C. */
let interruption: { promise: Promise<void>; now: () => void };

beforeEach(async () => {
	receiver = await startReceiver();
	const [port = 0] = await freePorts(1);
	sandbox = await startSandbox({ port, retryTimeScale: 0, allowHttp: true });
	let now = () => {};
	const promise = new Promise<void>((resolve) => (now = resolve));
	interruption = { promise, now };
});

afterEach(async () => await Promise.all([sandbox.close(), receiver.close()]));

async function run(...args: string[]): Promise<Ended> {
	return await runInto(nothingYet(), ...args);
}

/** As `run`, with an object that shows what has been written so far. */
async function runInto(shown: Ended, ...args: string[]): Promise<Ended> {
	return await runCommand(args, shown, async () => await interruption.promise);
}

const at = async (...args: string[]) => await run(...args, '--url', sandbox.url);

const addEndpoint = () =>
	sandbox.addEndpoint('metigan', { url: `${receiver.origin}/x`, events: ['email.bounced'] });

/** Runs the command in a process, and presses Ctrl-C once it has printed something, which has to end it well. */
async function interrupt(
	args: readonly string[],
	printed: string,
	before: (output: string) => Promise<void> = async () => {},
): Promise<void> {
	const command = ['scripts/bootstrap.mjs', 'sandbox', ...args];
	const child = spawn(process.execPath, command, {
		cwd: ROOT,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const exited = once(child, 'exit');
	try {
		let output = '';
		child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
		await until(
			() => `"${printed}", not only: ${output}`,
			45_000,
			() => output.includes(printed) || undefined,
		);
		await before(output);
		child.kill('SIGINT');
		expect(await exited).toEqual([0, null]);
	} finally {
		child.kill('SIGKILL');
	}
}

describe('the commands list and log', () => {
	test('print the endpoints (list)', async () => {
		expect(await at('list')).toMatchObject({ code: 0, out: 'No endpoint is registered.\n' });
		const endpoint = addEndpoint();
		const { out } = await at('list');
		expect(out).toContain(`metigan   ${endpoint.id}  on`);
		expect(out).not.toContain(endpoint.secret);
		expect(JSON.parse((await at('list', '--json')).out)).toEqual([endpoint]);
	});

	test('print a call with its request and its answer (log)', async () => {
		const { text: answer } = await call(sandbox, 'POST', '/api/webhooks', {
			headers: { 'x-api-key': sandbox.keys.metigan },
			body: { url: `${receiver.origin}/x`, events: ['email.bounced'] },
		});
		const { out } = await at('log', '--full');
		expect(out).toMatch(/-> 201, in \d+ ms\n {2}Request\n {4}\{\n/);
		expect(out).toContain(`\n  Answer\n    ${answer}\n`);
	});

	test('print what happened, the newest last (log)', async () => {
		expect((await at('log')).out).toBe('Nothing has happened yet.\n');
		addEndpoint();
		await call(sandbox, 'GET', '/api/webhooks');
		await sandbox.fire({ provider: 'metigan', event: 'email.bounced', tamper: 'body' });
		expect((await at('log')).out).toMatch(
			/call {5}metigan GET \/api\/webhooks -> 401, in \d+ ms\n\S+ delivery metigan email\.bounced, forged: body, try 1 -> 200, in \d+ ms\n$/,
		);
		const full = await at('log', '--full', '--last', '1');
		expect(full.out).toContain('    X-Webhook-Signature: t=');
		expect(full.out).not.toContain('/api/webhooks');
		expect(JSON.parse((await at('log', '--json')).out)).toHaveLength(2);
	});
});

describe('the command log --follow', () => {
	const shown = nothingYet();
	let following: Promise<Ended> | undefined;

	beforeEach(() => void Object.assign(shown, nothingYet()));

	afterEach(async () => {
		interruption.now();
		await following;
	});

	const start = (...args: string[]) => {
		following = runInto(shown, 'log', '--follow', ...args, '--url', sandbox.url);
	};
	const shows = async (pattern: RegExp) =>
		await until(
			() => `${String(pattern)} to match: ${shown.out}${shown.err}`,
			10_000,
			() => pattern.test(shown.out + shown.err) || undefined,
		);
	const fire = async () => await sandbox.fire({ provider: 'metigan', event: 'email.bounced' });

	test('begins with the newest entries, goes on with new ones, and ends at Ctrl-C', async () => {
		await call(sandbox, 'GET', '/api/webhooks?first');
		await call(sandbox, 'GET', '/api/webhooks?second');
		start('--last', '1');
		await shows(/second/);
		addEndpoint();
		await fire();
		await shows(/delivery metigan email\.bounced, try 1 -> 200, in \d+ ms\n$/);
		await call(sandbox, 'GET', '/api/webhooks?third');
		await shows(/call {5}metigan GET \/api\/webhooks\?third= -> 401, in \d+ ms\n$/);
		interruption.now();
		expect(await following).toMatchObject({ code: 0, err: '' });
		expect(shown.out).not.toContain('first');
		expect(
			shown.out
				.trim()
				.split('\n')
				.filter((line) => !line.includes('waiting')),
		).toHaveLength(3);
	});

	test('shows an attempt that waits for its answer, and then its answer', async () => {
		let answer: () => void = () => {};
		receiver.answer = (_, response) => void (answer = () => response.end('ok'));
		addEndpoint();
		start();
		const fired = fire();
		await shows(/try 1 -> waiting\n$/);
		answer();
		await fired;
		await shows(/waiting\n.*try 1 -> 200, in \d+ ms\n$/);
	});

	test('waits for a sandbox that is started again, and goes on', async () => {
		await call(sandbox, 'GET', '/api/webhooks?before');
		start('--json');
		await shows(/before/);
		await sandbox.close();
		await shows(/The sandbox has ended; waiting for it to start again\.\n$/);
		sandbox = await startSandbox({ port: Number(new URL(sandbox.url).port), allowHttp: true });
		await shows(/The sandbox is there again\.\n$/);
		await call(sandbox, 'GET', '/api/webhooks?after');
		await shows(/after/);
		const entries = shown.out
			.trim()
			.split('\n')
			.map((line): Entry => JSON.parse(line));
		expect(entries.filter(({ result }) => result !== undefined)).toMatchObject([
			{ key: 1, path: '/api/webhooks?before=' },
			{ key: 1, path: '/api/webhooks?after=' },
		]);
	});

	test('ends when another server has taken the place of the sandbox', async () => {
		start();
		addEndpoint();
		await fire();
		await shows(/-> 200/);
		await sandbox.close();
		await shows(/has ended/);
		const other = http.createServer((_, response) => void response.end('no events'));
		other.listen(Number(new URL(sandbox.url).port), '127.0.0.1');
		try {
			expect(await following).toMatchObject({
				code: 1,
				err: expect.stringContaining(`What answers at ${sandbox.url} is not the sandbox.\n`),
			});
		} finally {
			other.closeAllConnections();
			other.close();
			await once(other, 'close');
		}
	});
});

describe('the commands that act as the provider', () => {
	test('set and clear faults (fault)', async () => {
		const list = async () => (await call(sandbox, 'GET', '/api/webhooks')).status;
		const set = ['fault', 'status', '--provider', 'metigan', '--status', '503', '--times', '2'];
		expect(await at(...set)).toMatchObject({ code: 0, out: 'The fault status is set.\n' });
		expect(await list()).toBe(503);
		expect(await at('fault', 'clear')).toMatchObject({ code: 0 });
		expect(await list()).toBe(401);
	});

	test('change endpoints and keys (off, on, delete, rotate-secret, new-key)', async () => {
		const { id, secret } = addEndpoint();
		expect(await at('off', 'metigan', id)).toMatchObject({ code: 0 });
		expect(sandbox.endpoints()[0]?.active).toBe(false);
		expect(await at('on', 'metigan', id)).toMatchObject({ code: 0 });
		expect(sandbox.endpoints()[0]?.active).toBe(true);
		const rotated = await at('rotate-secret', 'metigan', id);
		expect(rotated.out.trim()).toBe(sandbox.endpoints()[0]?.secret);
		expect(rotated.out.trim()).not.toBe(secret);
		const { out } = await at('new-key', 'metigan');
		expect(out.trim()).toBe(sandbox.keys.metigan);
		expect(await at('delete', 'metigan', id)).toMatchObject({ code: 0 });
		expect(sandbox.endpoints()).toEqual([]);
		expect(await at('delete', 'metigan', id)).toMatchObject({
			code: 1,
			err: `metigan has no endpoint ${id}\n`,
		});
	});
});

describe('a command with a mistake ends with code 2 and says why', () => {
	test.each([
		[['fier'], "unknown command 'fier'"],
		[['fire', 'metigna', 'x'], 'The providers are misar.mail'],
		[['fire', 'metigan'], "missing required argument 'event'"],
		[['fire', 'metigan', 'x', '--forged', 'odd'], 'Allowed choices are body'],
		[['fire', 'metigan', 'x', '--times', '0'], 'a whole number above 0'],
		[['fire', 'metigan', 'x', '--data', '{'], 'JSON'],
		[['fault', 'odd'], 'Allowed choices are status'],
		[['list', '--odd'], "unknown option '--odd'"],
		[['list', '--url', 'localhost:8787'], 'Write it as http://127.0.0.1:8787'],
		[['--port', '99999'], 'at most 65535'],
		[['--retry-scale', '-1'], '0 or above'],
	])('%j', async (args, reason) => {
		const { code, err, served } = await run(...args);
		expect({ code, served }).toEqual({ code: 2, served: [] });
		expect(err).toContain(reason);
	});
});

test.each([
	[['--help'], 'rotate-secret'],
	[['fire', '--help'], '--forged [kind]'],
])('%j ends with code 0', async (args, words) => {
	const { code, out } = await run(...args);
	expect(code).toBe(0);
	expect(out).toContain(words);
});

describe('without a sandbox', () => {
	test('the command says how to start one', async () => {
		const [port] = await freePorts(1);
		const url = `http://127.0.0.1:${port}`;
		expect(await run('list', '--url', url)).toMatchObject({
			code: 1,
			err: expect.stringContaining(
				`No sandbox answers at ${url}. Start one with "npm run sandbox"`,
			),
		});
	});

	test('the command does not mistake another server for one', async () => {
		expect(await run('list', '--url', receiver.origin)).toMatchObject({
			code: 1,
			err: `What answers at ${receiver.origin} is not the sandbox.\n`,
		});
		expect(await run('fire', 'metigan', 'x', '--url', receiver.origin)).toMatchObject({
			code: 1,
			err: `What answers at ${receiver.origin} is not the sandbox.\n`,
		});
	});

	test('a broken connection is not reported as a missing sandbox', async () => {
		receiver.answer = (_, response) => response.destroy();
		expect(await run('list', '--url', receiver.origin)).toMatchObject({
			code: 1,
			err: expect.stringContaining('took the request, but did not answer it to the end: '),
		});
	});
});

describe('the command serve', () => {
	test('is the default command, on port 8787', async () => {
		const { served } = await run();
		expect(served).toEqual([{ port: 8787, route: [], retryScale: 0.01 }]);
		const routes = ['--route', 'https://a.example=http://127.0.0.1:1', '--route', 'b=c'];
		expect((await run('--port', '9000', ...routes)).served).toEqual([
			{ port: 9000, route: [routes[1], 'b=c'], retryScale: 0.01 },
		]);
	});

	test('refuses a port in use and an invalid route, and accepts HTTP routes', async () => {
		const [port = 0] = await freePorts(1);
		await expect(serve({ port, route: ['x=y'], retryScale: 0 })).rejects.toThrow('is no route');
		const route = [`https://n8n.example.test=${receiver.origin}`];
		const served = await serve({ port, route, retryScale: 0 });
		try {
			await expect(serve({ port, route, retryScale: 0 })).rejects.toThrow(
				`Port ${port} is in use; choose another one with --port.`,
			);
			expect(instructions(served)).toContain(`Page      http://127.0.0.1:${port}/_page\n`);
			expect(instructions(served)).toContain('metigan      mtg_live_sandbox\n');
			const created = await call(served, 'POST', '/api/webhooks', {
				headers: { 'x-api-key': served.keys.metigan },
				body: { url: 'https://n8n.example.test/x', events: ['email.bounced'] },
			});
			expect(created.status).toBe(201);
			await served.fire({ provider: 'metigan', event: 'email.bounced' });
			expect(receiver.received).toMatchObject([{ path: '/x' }]);
		} finally {
			await served.close();
		}
	});

	test('takes a free port for npm start if the default one is in use', async () => {
		const taken = Number(new URL(sandbox.url).port);
		const started = await startWhereFound({}, taken);
		try {
			expect(await call(started, 'GET', '/_control/endpoints')).toMatchObject({ status: 200 });
			expect(started.url).not.toBe(sandbox.url);
		} finally {
			await started.close();
		}
	});

	test('runs until Ctrl-C, and prints the page and what to enter in n8n', async () => {
		const [port] = await freePorts(1);
		await interrupt(['--port', String(port)], 'Ctrl-C', async (output) => {
			expect(output).toContain(`Page      http://127.0.0.1:${port}/_page`);
			expect(await run('list', '--url', `http://127.0.0.1:${port}`)).toMatchObject({ code: 0 });
		});
	});

	test('lets log --follow end at Ctrl-C as well', async () => {
		await call(sandbox, 'GET', '/api/webhooks');
		await interrupt(['log', '--follow', '--url', sandbox.url], '/api/webhooks -> 401');
	});
});
