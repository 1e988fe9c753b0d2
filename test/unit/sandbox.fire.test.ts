import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox';
import { freePorts } from '../../testkit/n8n-host/ports';
import { until } from '../../testkit/n8n-host/poll';
import { nothingYet, runCommand } from './sandboxCommand';
import { startReceiver, statuses, type Receiver } from './sandboxSupport';

/** `npm run sandbox -- fire …` */

let sandbox: Sandbox;
let receiver: Receiver;

beforeEach(async () => {
	receiver = await startReceiver();
	sandbox = await startSandbox({ retryTimeScale: 0, allowHttp: true });
});

afterEach(async () => await Promise.all([sandbox.close(), receiver.close()]));

const at = async (...args: string[]) => await runCommand([...args, '--url', sandbox.url]);

const addEndpoint = () =>
	sandbox.addEndpoint('metigan', { url: `${receiver.origin}/x`, events: ['email.bounced'] });

test('fire delivers a valid event to every subscribed endpoint', async () => {
	addEndpoint();
	const { code, out } = await at('fire', 'metigan', 'email.bounced');
	expect(code).toBe(0);
	expect(out).toMatch(
		/^Firing email\.bounced: 1 delivery\.\n[\d:.]{12} http\S+\/x, try 1 -> 200, in \d+ ms\n$/,
	);
	expect(receiver.received).toHaveLength(1);
});

test('fire shows each answer at once, without waiting for other endpoints', async () => {
	addEndpoint();
	sandbox.addEndpoint('metigan', { url: `${receiver.origin}/slow`, events: ['email.bounced'] });
	let release = () => {};
	receiver.answer = ({ path }, response) => {
		if (path === '/slow') release = () => response.end('at last');
		else response.end('ok');
	};
	const shown = nothingYet();
	const ended = runCommand(['fire', 'metigan', 'email.bounced', '--url', sandbox.url], shown);
	await until(
		() => `the first answer, not only: ${shown.out}`,
		30_000,
		() => shown.out.includes('/x, try 1 -> 200') || undefined,
	);
	expect(shown).toMatchObject({ code: -1, out: expect.not.stringContaining('/slow') });
	release();
	expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining('/slow, try 1') });
});

describe('a delivery that is retried', () => {
	const addTo = async (retryTimeScale: number) => {
		await sandbox.close();
		sandbox = await startSandbox({ retryTimeScale, allowHttp: true });
		addEndpoint();
	};

	test('is shown with its next try, but not waited for', async () => {
		await addTo(1000);
		receiver.answer = statuses(503);
		const { code, out } = await at('fire', 'metigan', 'email.bounced');
		expect(code).toBe(1);
		expect(out).toMatch(
			/, try 1 -> 503, in \d+ ms, next try at [\d:.]{12}\n1 delivery is tried again: --wait waits for that, and the command "log --follow" shows it\.\n$/,
		);
	});

	test('is waited for with --wait', async () => {
		await addTo(0);
		receiver.answer = statuses(503, 503, 200);
		const { code, out } = await at('fire', 'metigan', 'email.bounced', '--wait');
		expect(code).toBe(0);
		expect(out).toMatch(
			/try 1 -> 503.*\n1 delivery is tried again; Ctrl-C ends the wait\.\n.*try 2 -> 503.*\n.*try 3 -> 200, in \d+ ms\n$/,
		);
	});

	test('is reported as unfinished when the sandbox ends meanwhile', async () => {
		await addTo(1000);
		receiver.answer = statuses(503);
		const shown = nothingYet();
		const command = ['fire', 'metigan', 'email.bounced', '--wait', '--url', sandbox.url];
		const ended = runCommand(command, shown);
		await until('the first try', 30_000, () => shown.out.includes('is tried again') || undefined);
		await sandbox.close();
		expect(await ended).toMatchObject({
			code: 1,
			err: expect.stringContaining(
				`The sandbox at ${sandbox.url} took the request, but did not answer it to the end: `,
			),
		});
	});
});

test('fire goes on if an endpoint is deleted while many events are fired at it', async () => {
	const { id } = addEndpoint();
	receiver.answer = (_, response) => {
		if (sandbox.endpoints().length > 0) sandbox.removeEndpoint('metigan', id);
		response.end('ok');
	};
	const many = ['--times', '100', '--rate', '100', '--endpoint', id];
	expect(await at('fire', 'metigan', 'email.bounced', ...many)).toMatchObject({
		code: 1,
		err: `metigan has no endpoint ${id}\n`,
	});
});

test('fire ends with code 1 if a valid event is refused', async () => {
	addEndpoint();
	receiver.answer = statuses(500);
	const { code, out } = await at('fire', 'metigan', 'email.bounced', '--no-retry');
	expect(code).toBe(1);
	expect(out).toMatch(/try 1 -> 500, in \d+ ms\n$/);
});

test.each([
	[401, 0],
	[200, 1],
])('a forged event that is answered %i ends with code %i', async (status, expected) => {
	addEndpoint();
	receiver.answer = statuses(status);
	const { code } = await at('fire', 'metigan', 'email.bounced', '--forged', 'wrongSecret');
	expect(code).toBe(expected);
	expect(receiver.received).toHaveLength(1);
});

test.each([401, 200])(
	'an event whose header alone names another event may be answered %i',
	async (status) => {
		receiver.answer = statuses(status);
		const to = ['--to', receiver.origin, '--secret', 's', '--forged', 'swappedEvent'];
		expect(await at('fire', 'misarBlog', 'article.deleted', ...to)).toMatchObject({ code: 0 });
	},
);

test('a forged event that nobody answers ends with code 1', async () => {
	const [port] = await freePorts(1);
	const to = `http://127.0.0.1:${port}/x`;
	const ended = await at('fire', 'metigan', 'email.bounced', '--forged', '--to', to);
	expect(ended).toMatchObject({ code: 1, out: expect.stringContaining('ECONNREFUSED') });
});

test('fire takes every option of a delivery', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sandbox-command-'));
	try {
		const file = join(folder, 'data.json');
		writeFileSync(file, '{"recipient":"grace@example.com"}');
		const to = ['--to', `${receiver.origin}/y`, '--secret', 's', '--data', `@${file}`];
		const form = ['--scheme', 'timestamped', '--envelope', 'metigan', '--copies', '2'];
		const times = ['--times', '3', '--rate', '1000'];
		expect(await at('fire', 'metigan', 'email.sent', ...to, ...form, ...times)).toMatchObject({
			code: 0,
		});
	} finally {
		rmSync(folder, { recursive: true });
	}
	expect(receiver.received).toHaveLength(6);
	expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(3);
	expect(receiver.received[0]?.body.toString()).toContain('"recipient":"grace@example.com"');
});

test('fire shows how many of many deliveries were accepted', async () => {
	addEndpoint();
	const { out } = await at('fire', 'metigan', 'email.bounced', '--times', '30', '--rate', '1000');
	const sent = Array.from({ length: 10 }, (_, tenth) => `${(tenth + 1) * 3} of 30 sent\n`).join('');
	expect(out).toBe(
		`Firing email.bounced: 30 deliveries.\n${sent}deliveries  outcome\n30          delivered, 200\n`,
	);
});

test('fire says if no endpoint is subscribed', async () => {
	expect(await at('fire', 'metigan', 'email.bounced')).toMatchObject({
		code: 1,
		err: 'No active endpoint is subscribed to email.bounced: nothing was sent.\n',
	});
});

test('fire suggests the nearest event for an unknown one', async () => {
	const doubt = 'No document of metigan has an event email.bouncd; did you mean email.bounced?\n';
	expect(await at('fire', 'metigan', 'email.bouncd')).toMatchObject({
		code: 1,
		err: `No active endpoint is subscribed to email.bouncd: nothing was sent. ${doubt}`,
	});
	const to = ['--to', receiver.origin, '--secret', 's'];
	expect(await at('fire', 'metigan', 'email.bouncd', ...to)).toMatchObject({
		code: 0,
		out: expect.stringContaining(doubt),
	});
	expect(await at('fire', 'misar.ink', 'drawing.made', ...to)).toMatchObject({
		code: 0,
		out: expect.not.stringContaining('did you mean'),
	});
});

test('fire reports what the sandbox refuses', async () => {
	expect(await at('fire', 'metigan', 'email.bounced', '--scheme', 'none')).toMatchObject({
		code: 1,
		err: expect.stringContaining('Unknown metigan signature scheme "none"; known: timestamped'),
	});
});
