import { afterAll, afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { NodeApiError, NodeOperationError, type IDataObject } from 'n8n-workflow';

import { ContextHost } from '../../testkit/contextHost';
import { printFigures } from '../figures';
import { CASES, check, hostileText, prototypeNames, runs } from '../fuzz';
import { SEED } from '../seed';
import { Account, anyApi, anyFault, anyJson } from './fuzzAccount';
import { endProcess } from './process';
import { metigan, triggersUnderTest, type TriggerUnderTest } from './providers';
import { signBody } from './signBody';

/**
 * Whatever a provider's API answers, publishing ends well or with an error that a person can read, nobody else's
 * endpoint is changed, and once the API is well again there is one endpoint, whose deliveries verify.
 */

/** For a slow machine. */
jest.setTimeout(600_000);

const API_KEY = 'msk_live_k3y_of_the_fuzzer';
const SIGNING_SECRET = 'whsec_s3cret_of_the_fuzzer';
const API = 'https://api.example.com';
/** Of one call of n8n: what its session allows, and what its last request may wait. */
const MAX_CALL_MS = 75_000;
const MAX_REQUESTS = 200;
/** One takes a dozen requests and several calls of n8n: a tenth of the cases is as much as a run can bear. */
const LIFETIMES = Math.ceil(CASES / 10);

const registering = triggersUnderTest.filter(({ api }) => api !== undefined);
const anyTitle = fc.constantFrom(...registering.map(({ title }) => title));
const triggerOf = (name: string): TriggerUnderTest =>
	registering.find(({ title }) => title === name) ?? metigan;

let count = 0;
const outcomes = new Map<string, number>();
const prototypes = prototypeNames();

beforeEach(() => {
	// Waiting takes no time, but the clock goes on.
	let now = Date.now();
	jest.spyOn(Date, 'now').mockImplementation(() => now);
	jest.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms = 0) => {
		now += ms;
		return setImmediate(end);
	}) as never);
});
afterEach(() => {
	jest.restoreAllMocks();
	expect(prototypeNames()).toBe(prototypes);
});
afterAll(() => {
	const ends = [...outcomes].map(([name, number]) => [`calls of n8n: ${name}`, String(number)]);
	printFigures(`Fuzzing of API answers (TEST_SEED=${SEED})`, [...runs, ...ends]);
});

/** Static data that looks like this node's own, or anything. */
const anyMemory = fc.record({ own: fc.boolean(), record: anyJson, sealed: anyJson });
type Memory = typeof anyMemory extends fc.Arbitrary<infer T> ? T : never;

function staticDataOf(trigger: TriggerUnderTest, workflowId: string, memory: Memory): IDataObject {
	const product = trigger.parameters['product'];
	const record: unknown = JSON.parse(memory.record);
	const own = {
		...{ workflowId, nodeId: 'node-of-Trigger', apiPath: trigger.api?.path },
		...(product === undefined ? {} : { product }),
		endpointId: typeof record === 'string' ? record : 'wh_of_nobody',
		sealedSecret: memory.sealed,
	};
	const state = { workflowId, revision: 1, registration: memory.own ? own : record };
	return JSON.parse(
		JSON.stringify({ global: { 'n8n-nodes-misar-metigan': { 'node-of-Trigger': state } } }),
	);
}

function hostFor(
	trigger: TriggerUnderTest,
	api: ConstructorParameters<typeof Account>[2],
	memory: Memory,
	credential: IDataObject,
) {
	endProcess();
	const workflowId = `workflow ${count++}`;
	const webhookUrl = `https://n8n.example.com/webhook/of-the-fuzzer/${trigger.path}`;
	const account = new Account(`${API}${trigger.api?.path}`, webhookUrl, {
		...api,
		// The one with an API that its documents leave this open of.
		address: trigger.provider === 'mailPanda' ? api.address : 'path',
	});
	const host = new ContextHost({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: { baseUrl: API, ...credential } as never,
		credentialId: workflowId,
		parameters: { ...trigger.parameters, registration: 'automatic', events: [...trigger.events] },
		workflowId,
		webhookId: 'of-the-fuzzer',
		staticData: staticDataOf(trigger, workflowId, memory),
		transport: account.send,
	});
	expect(host.webhookUrl).toBe(webhookUrl);
	return { host, account };
}

/** What a call of n8n came to: `done`, or the name of an error that was checked. */
async function outcomeOf(account: Account, call: () => Promise<unknown>): Promise<string> {
	const [began, before] = [Date.now(), account.calls];
	const outcome = await call().then(() => 'done', checkedName);
	outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	expect(Date.now() - began).toBeLessThanOrEqual(MAX_CALL_MS);
	expect(account.calls - before).toBeLessThanOrEqual(MAX_REQUESTS);
	return outcome;
}

function checkedName(error: unknown): string {
	if (!(error instanceof NodeApiError || error instanceof NodeOperationError)) throw error;
	expect(error.message).toMatch(/^[A-Z].{10,}/);
	expect(error.message.length + (error.description ?? '').length).toBeLessThanOrEqual(2_000);
	const { message, description, stack, context } = error;
	const shown = JSON.stringify([error, message, description, stack, context]);
	expect(shown).not.toContain(API_KEY);
	expect(shown).not.toContain(SIGNING_SECRET);
	return error.name;
}

it('leaves one endpoint of ours and all others, whatever is answered', async () => {
	await check(
		'any answers to publish, publish again and unpublish',
		LIFETIMES,
		fc.record({
			title: anyTitle,
			api: anyApi,
			memory: anyMemory,
			signingSecret: fc.constantFrom('', SIGNING_SECRET),
			faults: fc.array(anyFault, { maxLength: 12 }),
			restarts: fc.boolean(),
		}),
		async ({ title, api, memory, signingSecret, faults, restarts }) => {
			const trigger = triggerOf(title);
			const credential = { apiKey: API_KEY, signingSecret };
			const { host, account } = hostFor(trigger, api, memory, credential);
			const goOn = () => {
				if (!restarts) return;
				endProcess();
				host.restart();
			};
			/** Those that the user was asked to remove by hand stay. */
			const ours = () => {
				const leftovers = (host.remembered['leftovers'] ?? []) as IDataObject[];
				const told = leftovers.filter(({ undeletable }) => undeletable === true);
				const isTold = (id: unknown) => told.some(({ endpointId }) => endpointId === String(id));
				return account.ours.filter(({ id }) => !isTold(id));
			};
			account.faults = [...faults];
			await outcomeOf(account, async () => await host.publish());
			goOn();
			await outcomeOf(account, async () => await host.publish());
			await outcomeOf(account, async () => await host.unpublish());
			expect(account.trespasses).toEqual([]);

			account.faults = [];
			goOn();
			expect(await outcomeOf(account, async () => await host.publish())).toBe('done');
			expect(ours()).toHaveLength(1);
			const event = trigger.events[0];
			const body = Buffer.from(JSON.stringify({ event, type: event, data: {} }));
			const secret = String(ours()[0]?.secret);
			const headers = signBody(trigger, { body, event, secret });
			expect(await host.hand({ headers, body })).toMatchObject({ status: 200 });

			expect(await outcomeOf(account, async () => await host.unpublish())).toBe('done');
			expect(ours()).toEqual([]);
			expect(account.trespasses).toEqual([]);
		},
	);
	// Both ends are reached, so that neither is checked by nothing.
	expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['done', 'NodeApiError']));
});

it('publishes with any texts in the credential, or tells why not', async () => {
	const anyText = fc.oneof(
		hostileText,
		fc.constantFrom('', '****', 'whsec_', ` ${SIGNING_SECRET}\n`),
	);
	await check(
		'any credential text at a publish',
		LIFETIMES,
		fc.record({
			title: anyTitle,
			api: anyApi,
			memory: anyMemory,
			credential: fc.record({
				apiKey: anyText,
				signingSecret: anyText,
				previousSigningSecret: anyText,
				baseUrl: fc.oneof({ weight: 4, arbitrary: fc.constant(API) }, hostileText),
			}),
		}),
		async ({ title, api, memory, credential }) => {
			const { host, account } = hostFor(triggerOf(title), api, memory, credential);
			await outcomeOf(account, async () => await host.publish());
			expect(account.ours.length).toBeLessThanOrEqual(1);
			await outcomeOf(account, async () => await host.unpublish());
			expect(account.ours).toEqual([]);
			expect(account.trespasses).toEqual([]);
		},
	);
});
