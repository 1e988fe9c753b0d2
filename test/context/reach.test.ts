import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import type { Sandbox } from '../../sandbox';
import { listen, stop } from '../../testkit/loopback';
import { until } from '../../testkit/n8n-host/poll';
import { selfRegistering } from './hosts';
import { recordLog } from './logs';
import { misarMail } from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';

/** After an automatic publish a trigger finds out whether its public address leads to this n8n. */

/** As n8n answers for a webhook that it does not have. */
const NOT_REGISTERED = {
	code: 404,
	message: 'The requested webhook "POST 1/misar" is not registered.',
};
const HALF_A_MINUTE_MS = 30_000;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let sandbox: Sandbox;
const servers: Server[] = [];
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started), { allowHttp: true });
let log: string[];
let warnings: string[];
beforeEach(() => {
	log = recordLog('info');
	warnings = recordLog('warn');
});
afterEach(async () => {
	await Promise.all(servers.splice(0).map(stop));
});

/** Something at a public address. @returns its origin */
async function serve(answer: Answer): Promise<string> {
	const server = createServer(answer);
	servers.push(server);
	return await listen(server);
}

function json(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function written(messages: readonly string[]): Promise<void> {
	await until('a line in the log', 120_000, async () => messages[0]);
}

/** Publishes a trigger whose webhook URLs begin with an origin; by default this host serves it. */
async function publish(originOf: (own: string) => Promise<string> = async (own) => own) {
	const host = open({
		...selfRegistering(misarMail, sandbox, {
			nodeParameters: { options: { reportProblems: true } },
		}),
		workflowId: `workflow of ${expect.getState().currentTestName}`,
	});
	host.restart({ webhookOrigin: await originOf(await host.listen()) });
	await host.publish();
	const { begin } = await ticks.start(host);
	return Object.assign(host, { begin });
}

/** Problems that the next minutes report; a check that is under way puts them off. */
async function problemsOf(host: Awaited<ReturnType<typeof publish>>) {
	for (let minute = 0; minute < 3; minute++) {
		host.begin();
		await host.runsEnded();
	}
	return host.emitted.flatMap(({ outputs }) => (outputs[1] ?? []).map((item) => item.json));
}

describe('the public address of a published trigger', () => {
	it('is found to reach this n8n, without a run or a counted delivery', async () => {
		const host = await publish();
		await written(log);
		expect(log).toEqual([`The webhook URL ${host.webhookUrl} reaches this n8n.`]);
		expect(warnings).toEqual([]);
		expect(host.runs).toEqual([]);
		expect(await problemsOf(host)).toEqual([]);
	});

	it('is tried again while n8n is still publishing', async () => {
		const passing = [
			(response: ServerResponse) => json(response, 404, NOT_REGISTERED),
			(response: ServerResponse) => response.writeHead(503).end('no server is available'),
			(response: ServerResponse) => response.end('<html>n8n is starting up. Please wait</html>'),
		];
		const host = await publish(
			async (own) =>
				await serve((request, response) => {
					const first = passing.shift();
					if (first !== undefined) return void first(response);
					void text(request).then(async (body) => {
						const { method = '', url = '', headers } = request;
						const sent = { ...(headers as Record<string, string>) };
						delete sent['content-length'];
						const answer = await fetch(`${own}${url}`, { method, headers: sent, body });
						json(response, answer.status, await answer.json());
					});
				}),
		);
		await written(log);
		expect(passing).toEqual([]);
		expect(log).toEqual([`The webhook URL ${host.webhookUrl} reaches this n8n.`]);
		expect(warnings).toEqual([]);
	});

	it.each<[string, Answer, RegExp]>([
		[
			'the login page of a proxy',
			(_, response) => response.writeHead(302, { location: 'https://login.example.com' }).end(),
			/^Something other than this n8n answers at the webhook URL .* \(HTTP 302\), such as a proxy/,
		],
		[
			'a page of another server',
			(_, response) => response.end('<h1>Welcome</h1>'),
			/^Something other than this n8n answers .* \(HTTP 200\)/,
		],
		[
			'an n8n that does not know the webhook, for ever',
			(_, response) => {
				const now = performance.now();
				jest.spyOn(performance, 'now').mockReturnValue(now + HALF_A_MINUTE_MS);
				json(response, 404, NOT_REGISTERED);
			},
			/^An n8n answers at the webhook URL .*, but has no such webhook\. .*delete the trigger, add it again/,
		],
	])('is reported as a problem if it is %s', async (_, answer, says) => {
		const host = await publish(async () => await serve(answer));
		await written(warnings);
		expect(warnings).toEqual([expect.stringMatching(says)]);
		expect(await problemsOf(host)).toMatchObject([
			{
				problem: 'addressUnreachable',
				url: host.webhookUrl,
				reason: expect.stringMatching(says),
			},
		]);
		expect(log).toEqual([]);
	});

	it('is not reported if it cannot be reached from inside, which proves nothing', async () => {
		const host = await publish(async () => 'http://no-such-host.invalid');
		await written(log);
		expect(log).toEqual([
			expect.stringMatching(
				/could not be reached \(.*\) from this n8n itself\. That proves nothing/,
			),
		]);
		expect(warnings).toEqual([]);
		expect(await problemsOf(host)).toEqual([]);
	});

	it('counts as unclear if a trigger answers in another process', async () => {
		const answer: Answer = (_, response) => json(response, 401, { error: 'no delivery' });
		await publish(async () => await serve(answer));
		await written(log);
		expect(log).toEqual([expect.stringMatching(/in another process\. In queue mode/)]);
		expect(warnings).toEqual([]);
	});
});

it('an imitated check is refused, starts nothing and is not counted', async () => {
	const host = await publish();
	await written(log);
	const headers = { 'x-n8n-reach-check': crypto.randomUUID() };
	expect(await host.deliver({ headers, body: '{}' })).toMatchObject({
		status: 401,
		body: { error: 'no delivery' },
		run: undefined,
	});
	expect(await problemsOf(host)).toEqual([]);

	// What has a body is a delivery, whatever its headers.
	const { status, run } = await host.deliver({ headers, body: '{"type":"email.bounced"}' });
	expect(status).toBe(401);
	expect(run).toMatchObject([{ json: { problem: 'deliveriesRefused', count: 1 } }]);
});
