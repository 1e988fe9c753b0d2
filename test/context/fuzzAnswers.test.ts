import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { NodeApiError, NodeOperationError, type IDataObject } from 'n8n-workflow';

import { printFigures } from '../figures';
import { hostileBody, hostileJson, prototypeNames, runs } from '../fuzz';
import { SEED } from '../seed';
import { ContextHost } from '../../testkit/contextHost';
import { triggersUnderTest, type TriggerUnderTest } from './providers';

/** Whatever a provider's API answers, publishing ends well or with an error that a person can read. */

const API_KEY = 'msk_live_k3y_of_the_fuzzer';
const SIGNING_SECRET = 'whsec_s3cret_of_the_fuzzer';
/** Publishes of each provider, all at once: the waits between their attempts pass together. */
const PUBLISHES = 100;

interface Answer {
	readonly status: number;
	/** `echo` says back what the request held, secrets included. */
	readonly body: Buffer | 'echo';
	readonly type: string;
}

const answer: fc.Arbitrary<Answer> = fc.record({
	status: fc.constantFrom(
		200,
		200,
		200,
		201,
		204,
		301,
		400,
		401,
		402,
		403,
		404,
		405,
		409,
		410,
		422,
		500,
	),
	body: fc.oneof(
		{ weight: 6, arbitrary: hostileBody },
		{ weight: 1, arbitrary: fc.constant('echo' as const) },
		{
			weight: 2,
			arbitrary: fc
				.constantFrom('[]', '{"id":"..","secret":"s"}', '[{"id":"\\ud800"}]')
				.map((json) => Buffer.from(json)),
		},
	),
	type: fc.constantFrom('application/json', 'application/json', 'text/html', 'nonsense'),
});
const plan = fc.record({
	answers: fc.array(answer, { minLength: 1, maxLength: 5 }),
	/** An empty list first lets a publish get as far as its create. */
	listsFirst: fc.boolean(),
	record: hostileJson,
	itemStyle: hostileJson,
	/** Static data that looks like this node's own, but for the endpoint's id. */
	own: fc.boolean(),
	knowsSecret: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** Answers still to be given, by the first part of the path. */
const queues = new Map<string, Answer[]>();
let server: Server;
let origin: string;

beforeAll(async () => {
	server = createServer((request, response) => {
		const queue = queues.get(request.url?.split('/')[1] ?? '');
		const next = queue?.shift();
		if (queue === undefined || next === undefined) {
			response.writeHead(404).end();
			return;
		}
		queue.push(next);
		void bodyOf(next, request).then((body) => {
			response.writeHead(next.status, { 'content-type': next.type }).end(body);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	printFigures(`Fuzzing of API answers (TEST_SEED=${SEED})`, runs);
});

async function bodyOf({ body }: Answer, request: IncomingMessage): Promise<Buffer | string> {
	const sent = await text(request);
	if (body !== 'echo') return body;
	return JSON.stringify({ message: `no: ${JSON.stringify(request.headers)} ${sent}` });
}

function hostFor(trigger: TriggerUnderTest, number: number, chosen: Plan): ContextHost {
	const path = `${trigger.path}-${trigger.parameters['product'] ?? ''}-${number}`;
	const list = { status: 200, body: Buffer.from('[]'), type: 'application/json' };
	queues.set(path, [...(chosen.listsFirst ? [list] : []), ...chosen.answers]);
	const workflowId = `workflow ${path}`;
	const remembered: unknown = JSON.parse(chosen.record);
	const product = trigger.parameters['product'];
	const registration = chosen.own
		? {
				...{ workflowId, nodeId: 'node-of-Trigger', apiPath: '/x' },
				...(product === undefined ? {} : { product }),
				endpointId: typeof remembered === 'string' ? remembered : 'wh_1',
				sealedSecret: chosen.itemStyle,
			}
		: remembered;
	const staticData: IDataObject = JSON.parse(
		JSON.stringify({ 'node:Trigger': { registration, itemStyle: JSON.parse(chosen.itemStyle) } }),
	);
	return new ContextHost({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: {
			baseUrl: `${origin}/${path}`,
			apiKey: API_KEY,
			signingSecret: chosen.knowsSecret ? SIGNING_SECRET : '',
		},
		parameters: { ...trigger.parameters, registration: 'automatic', events: [...trigger.events] },
		workflowId,
		staticData,
	});
}

/** What a call of n8n came to: `done`, or the name of an error that was checked. */
async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
	try {
		await call();
		return 'done';
	} catch (error) {
		if (!(error instanceof NodeApiError || error instanceof NodeOperationError)) throw error;
		expect(error.message).toMatch(/^[A-Z].{10,}/);
		expect(error.message.length + (error.description ?? '').length).toBeLessThanOrEqual(2_000);
		const shown = JSON.stringify([
			error,
			error.message,
			error.description,
			error.stack,
			error.context,
		]);
		expect(shown).not.toContain(API_KEY);
		expect(shown).not.toContain(SIGNING_SECRET);
		return error.name;
	}
}

describe.each(triggersUnderTest.filter(({ api }) => api !== undefined))('$title', (trigger) => {
	it('publishes and unpublishes, or tells why not, whatever is answered', async () => {
		const before = prototypeNames();
		const plans = fc.sample(plan, { seed: SEED, numRuns: PUBLISHES });
		const outcomes = await Promise.all(
			plans.map(async (chosen, number) => {
				const host = hostFor(trigger, number, chosen);
				try {
					return [
						await outcomeOf(async () => await host.publish()),
						await outcomeOf(async () => await host.checkExists()),
						await outcomeOf(async () => await host.unpublish()),
					];
				} catch (error) {
					const shown = JSON.stringify({ ...chosen, answers: chosen.answers.map(printable) });
					throw new Error(`TEST_SEED=${SEED}, case ${number}: ${shown}`, { cause: error });
				}
			}),
		);
		expect(prototypeNames()).toBe(before);
		const all = outcomes.flat();
		const done = all.filter((outcome) => outcome === 'done').length;
		// Both ends are reached, so that neither is checked by nothing.
		expect(done).toBeGreaterThan(0);
		expect(done).toBeLessThan(all.length);
		runs.push([
			`${trigger.title}: calls done ${done}, told why not ${all.length - done}`,
			String(all.length),
		]);
	}, 300_000);
});

function printable({ body, ...rest }: Answer): object {
	return { ...rest, body: String(body).slice(0, 2_000) };
}
