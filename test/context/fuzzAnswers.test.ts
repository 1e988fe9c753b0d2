import { afterAll, afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { NodeApiError, NodeOperationError, type IDataObject } from 'n8n-workflow';

import { ContextHost } from '../../testkit/contextHost';
import { printFigures } from '../figures';
import { CASES, check, hold, hostileText, prototypeNames, runs } from '../fuzz';
import { SEED } from '../seed';
import { FakeClock } from './fakeClock';
import { Account, anyApi, anyFault, anyJson } from './fuzzAccount';
import { endProcess } from './process';
import { metigan, triggersUnderTest, type TriggerUnderTest } from './providers';
import { signBody } from './signBody';

/**
 * Whatever a provider's API answers, publishing ends well or with an error that a person can read, nobody else's
 * endpoint is changed, and once the API is well again there is one endpoint, whose deliveries verify.
 */

/** For a slow machine. */
jest.setTimeout(3_600_000);
/** Most cases end with errors, and Jest has each of them keep a hundred lines of its stack. */
Error.stackTraceLimit = 10;
process.env['N8N_LOG_LEVEL'] = 'silent';

const API_KEY = 'msk_live_k3y_of_the_fuzzer';
const SIGNING_SECRET = 'whsec_s3cret_of_the_fuzzer';
const API = 'https://api.example.com';
/** Of one call of n8n: what its session allows, and what its last request may wait. */
const MAX_CALL_MS = 75_000;
const MAX_REQUESTS = 200;
const registering = triggersUnderTest.filter(({ api }) => api !== undefined);
const anyTitle = fc.constantFrom(...registering.map(({ title }) => title));
const triggerOf = (name: string): TriggerUnderTest =>
	registering.find(({ title }) => title === name) ?? metigan;

let count = 0;
const outcomes = new Map<string, number>();
const prototypes = prototypeNames();

let clock: FakeClock;
beforeEach(() => {
	clock = FakeClock.install();
});
afterEach(() => {
	clock.remove();
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
	clock.forget();
	const workflowId = `workflow ${count++}`;
	const webhookUrl = `https://n8n.example.com/webhook/of-the-fuzzer/${trigger.path}`;
	// Only the documents of Mail Panda leave this open.
	const address = trigger.provider === 'mailPanda' ? api.address : 'path';
	const collection = `${API}${trigger.api?.path}`;
	const account = new Account(collection, webhookUrl, { ...api, address }, clock);
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
	return { host, account };
}

/** The outcome of a call of n8n: `done`, or the name of the error, which was checked. */
async function outcomeOf(account: Account, call: () => Promise<unknown>): Promise<string> {
	const [began, before] = [Date.now(), account.calls];
	const outcome = await call().then(() => 'done', checkedName);
	outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	hold({
		'a call of n8n ends in time': Date.now() - began <= MAX_CALL_MS,
		'a call of n8n takes a bounded number of requests': account.calls - before <= MAX_REQUESTS,
	});
	return outcome;
}

function checkedName(error: unknown): string {
	if (!(error instanceof NodeApiError || error instanceof NodeOperationError)) throw error;
	const { message, description, stack, context } = error;
	const shown = JSON.stringify([error, message, description, stack, context]);
	hold({
		[`a person can read "${message}"`]: /^[A-Z].{10,}/.test(message),
		[`${message} is short`]: message.length + (description ?? '').length <= 2_000,
		[`${message} tells no secret`]: !shown.includes(API_KEY) && !shown.includes(SIGNING_SECRET),
	});
	return error.name;
}

it('publishing leaves one endpoint of ours and all others, whatever is answered', async () => {
	await check(
		'any answers to publish, publish again and unpublish',
		CASES,
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
			/** Endpoints that the user was asked to remove by hand may stay. */
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
			const removed = await outcomeOf(account, async () => await host.unpublish());
			const [trespass] = account.trespasses;
			hold({ [`${trespass} changes nobody else’s endpoint`]: trespass === undefined });

			account.faults = [];
			// n8n saves nothing of an unpublish that fails. Where its database has an endpoint that the provider never
			// showed, a new process cannot tell that the removal took effect: it is still shown nowhere.
			const registration = (host.remembered['registration'] ?? {}) as IDataObject;
			if (removed === 'done' || registration['unlisted'] !== true) goOn();
			const published = await outcomeOf(account, async () => await host.publish());
			hold({
				'a publish succeeds once all answers are true': published === 'done',
				'it leaves one endpoint': ours().length === 1,
			});
			const event = trigger.events[0];
			const body = Buffer.from(JSON.stringify({ event, type: event, data: {} }));
			const secret = String(ours()[0]?.secret);
			const headers = signBody(trigger, { body, event, secret });
			const { status } = await host.hand({ headers, body });
			const unpublished = await outcomeOf(account, async () => await host.unpublish());
			hold({
				'what the endpoint signs is accepted': status === 200,
				'an unpublish succeeds once all answers are true': unpublished === 'done',
				'it leaves no endpoint': ours().length === 0,
				'others are left alone in the end': account.trespasses.length === 0,
			});
		},
	);
	// Both outcomes have to occur, so that each was checked.
	expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['done', 'NodeApiError']));
});

it('publishing works or fails with a reason, whatever the texts in the credential', async () => {
	const anyText = fc.oneof(
		hostileText,
		fc.constantFrom('', '****', 'whsec_', ` ${SIGNING_SECRET}\n`),
	);
	await check(
		'any credential text at a publish',
		CASES,
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
			hold({ 'a publish leaves one endpoint at most': account.ours.length <= 1 });
			await outcomeOf(account, async () => await host.unpublish());
			hold({
				'an unpublish leaves none': account.ours.length === 0,
				'others are left alone': account.trespasses.length === 0,
			});
		},
	);
});
