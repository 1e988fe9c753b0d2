import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, WorkflowActivateMode } from 'n8n-workflow';

import { lastAnswer, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { providerNamed } from '../unit/allProviders';
import { stopClock } from './conformanceForgeries';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { endProcess, useProcess } from './process';
import {
	instantiate,
	mailPanda,
	metigan,
	misarMail,
	misarReach,
	withApi,
	type TriggerUnderTest,
} from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';

/** The checks of an endpoint while its workflow is published, and at a start of n8n. */

const OLD_SECRET = 'whsec_before_the_rotation_0123456789';
const NEW_SECRET = 'whsec_after_the_rotation_9876543210';
const MINUTE_MS = 60_000;
/** The default interval between two checks. */
const HALF_HOUR = 30;
const NOW = Date.parse('2036-03-01T12:00:00Z');

let sandbox: Sandbox;
let workflows = 0;
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started), { allowHttp: true });

interface Start {
	readonly trigger: TriggerUnderTest;
	readonly credential?: ICredentialDataDecryptedObject | undefined;
	/** The node's options. Without an interval the endpoint is checked each minute. */
	readonly options?: Readonly<Record<string, boolean | number>>;
	readonly staticData?: ContextHostOptions['staticData'];
}

/** A trigger whose webhook URL is served. */
async function openHost({ trigger, credential, options, staticData = {} }: Start) {
	const host = open({
		// The process remembers what was reported of a workflow.
		workflowId: `workflow ${workflows++}`,
		...selfRegistering(trigger, sandbox, {
			credential,
			nodeParameters: { options: { checkInterval: 1, ...options } },
		}),
		staticData,
	});
	host.restart({ webhookOrigin: await host.listen() });
	return host;
}

/** Starts a host's trigger. */
async function watch(host: ContextHost) {
	const { begin, crons, close } = await ticks.start(host);
	/** One minute's tick, to its end; n8n does not wait for it. */
	const tick = async () => {
		begin();
		await ticksEnded();
		await host.runsEnded();
	};
	const second = Number(crons[0]?.split(' ')[0]);
	let minute = 0;
	/** Lets minutes pass, with a tick in each. @returns the times at which the provider was called */
	const pass = async (minutes: number) => {
		const before = sandbox.requests().length;
		stopClock(NOW);
		for (const end = minute + minutes; minute < end; minute++) {
			jest.setSystemTime(NOW + minute * MINUTE_MS + second * 1000);
			await tick();
		}
		return sandbox
			.requests()
			.slice(before)
			.map(({ at }) => at);
	};
	return { begin, tick, pass, close };
}

/** n8n waits for no tick, and a publish is followed by two at once. */
const ticksEnded = async () => await Promise.all(ticks.begun());

const removeAtProvider = (_host: ContextHost, id: string) => sandbox.removeEndpoint('metigan', id);

function replaceSecret(host: ContextHost): void {
	host.credential = { ...host.credential, signingSecret: NEW_SECRET };
}

/**
 * Does something while n8n has not yet saved what the next run assigned, which takes a while.
 * @returns waits for the end of it
 */
function whileSaving(host: ContextHost, work: () => Promise<void>): () => Promise<void> {
	let done: Promise<void> | undefined;
	host.beforeSave = async () => {
		host.beforeSave = async () => {};
		done = work();
		await Promise.race([done, sleep(300)]);
	};
	return async () => await done;
}

/** There is one endpoint at Metigan, whose deliveries run. */
async function expectOneEndpoint(host: ContextHost): Promise<void> {
	const [own, ...others] = endpointsAt(metigan, host);
	expect(others).toEqual([]);
	expect(await answerOf(metigan, own?.id ?? '')).toBe(200);
}

/** A published trigger whose webhook URL is served. */
async function publish(start: Start) {
	const host = await openHost(start);
	await host.publish();
	return { host, ...(await watch(host)) };
}

/** A trigger whose first check replaced its endpoint, and could not delete the former one. */
async function brokenOffReplacement(activation: WorkflowActivateMode) {
	recordWarnings();
	const { host, close } = await publish({ trigger: metigan });
	await close();
	const [former] = endpointsAt(metigan, host);
	replaceSecret(host);
	host.restart({ activation });
	await host.publish();
	fail({ method: 'DELETE' });
	const watched = await watch(host);
	await watched.pass(1);
	expect(endpointsAt(metigan, host)).toHaveLength(2);
	sandbox.clearFaults();
	return { host, former, ...watched };
}

/** The calls to the provider from now on. */
function countCalls() {
	const before = sandbox.requests().length;
	return () =>
		sandbox
			.requests()
			.slice(before)
			.map(({ method }) => method);
}

const fail = (changes: Partial<Parameters<Sandbox['fault']>[0]> = {}) =>
	sandbox.fault({ kind: 'status', status: 500, times: Number.POSITIVE_INFINITY, ...changes });

const endpointsAt = ({ provider }: TriggerUnderTest, { webhookUrl }: ContextHost) =>
	sandbox.endpoints(provider).filter(({ url }) => url === webhookUrl);

async function answerOf(trigger: TriggerUnderTest, endpointId: string) {
	const [delivery] = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		endpointId,
		retry: false,
	});
	return lastAnswer(delivery);
}

interface Fault {
	readonly credential?: ICredentialDataDecryptedObject;
	breakIt(trigger: TriggerUnderTest, host: ContextHost, own: SandboxEndpoint): void;
	/** The problem that is reported. */
	readonly wrong: string;
}

const faults: Array<[string, Fault]> = [
	[
		'switched off',
		{
			wrong: 'switchedOff',
			breakIt: ({ provider }, _, { id }) => sandbox.changeEndpoint(provider, id, { active: false }),
		},
	],
	[
		'deleted',
		{
			wrong: 'deleted',
			breakIt: ({ provider }, _, { id }) => sandbox.removeEndpoint(provider, id),
		},
	],
	[
		'changed to other events',
		{
			wrong: 'changed',
			breakIt: ({ provider, events }, _, { id }) =>
				sandbox.changeEndpoint(provider, id, { events: [events[1]] }),
		},
	],
	[
		'changed to another URL',
		{
			wrong: 'changed',
			breakIt: ({ provider }, _, { id }) =>
				sandbox.changeEndpoint(provider, id, { url: 'http://127.0.0.1:1/hook' }),
		},
	],
	[
		'left behind by a rotation of the secret',
		{
			wrong: 'secretChanged',
			credential: { signingSecret: OLD_SECRET },
			breakIt: (_, host) => {
				host.credential = {
					...host.credential,
					signingSecret: NEW_SECRET,
					previousSigningSecret: OLD_SECRET,
				};
			},
		},
	],
	[
		'left behind by another API key',
		{
			wrong: 'secretChanged',
			breakIt: ({ provider }, host) => {
				host.credential = { ...host.credential, apiKey: sandbox.replaceKey(provider) };
			},
		},
	],
];

it('a repaired endpoint is reported with the last check that found it in order', async () => {
	recordWarnings();
	const { host, tick } = await publish({ trigger: metigan, options: { reportProblems: true } });
	const before = Date.now();
	await tick();
	const after = Date.now();
	const [own] = endpointsAt(metigan, host);
	sandbox.removeEndpoint(metigan.provider, own?.id ?? '');
	await tick();
	const [problem] = host.emitted.flatMap(({ outputs }) => outputs[1] ?? []);
	expect(problem?.json).toMatchObject({ problem: 'endpointRepaired' });
	const from = Date.parse(String(problem?.json['missingFrom']));
	expect(from).toBeGreaterThanOrEqual(before);
	expect(from).toBeLessThanOrEqual(after);
});

describe.each(faults)('an endpoint that was %s', (_, fault) => {
	it.each(withApi)('is repaired by the next check at %s', async (_title, trigger) => {
		// No document names a call to delete an endpoint; without one the old endpoint would stay.
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		const warnings = recordWarnings();
		const { credential } = fault;
		const options = { reportProblems: true };
		const { host, tick } = await publish({ trigger, credential, options });
		const [former] = endpointsAt(trigger, host);
		if (former === undefined) throw new Error('nothing was registered');
		// Written after the activation, so that n8n does not have it in memory.
		const others = { 'node:Another': { cursor: 7 }, 'node:Trigger': { cursor: 9 } };
		Object.assign(host.savedStaticData, others);
		Object.assign(host.savedStaticData['global'] ?? {}, { cursor: 8 });
		fault.breakIt(trigger, host, former);
		await tick();

		const [own, ...rest] = sandbox.endpoints(trigger.provider);
		expect(rest).toEqual([]);
		expect(own).toMatchObject({
			url: host.webhookUrl,
			active: true,
			events: expect.arrayContaining([...trigger.events]),
		});
		expect(host.savedStaticData).toMatchObject({ ...others, global: { cursor: 8 } });
		expect(host.remembered).toMatchObject({ registration: { endpointId: own?.id } });
		const isProblem = (run: (typeof host.emitted)[number]) =>
			'problem' in Object(run.items[0]?.json);
		for (const { outputs } of host.emitted.filter((run) => !isProblem(run))) {
			expect(outputs).toEqual([[]]);
		}
		const problems = host.emitted.flatMap(({ outputs }) => outputs[1] ?? []);
		// A secret that the provider issues stays as it is, whatever the credential holds.
		const issues = providerNamed(trigger.title).api?.sendsSecret === 'never';
		const repaired = fault.credential === undefined || !issues;
		expect(problems.map(({ json }) => json)).toEqual(
			repaired
				? [
						{
							problem: 'endpointRepaired',
							provider: trigger.provider.split('.')[0],
							...trigger.parameters,
							since: expect.any(String),
							wrong: [fault.wrong],
							endpointId: own?.id,
							missingTo: expect.any(String),
							message: expect.stringContaining(' It was repaired at '),
							workflow: expect.objectContaining({ name: 'Test workflow' }),
						},
					]
				: [],
		);
		expect(warnings.filter((text) => text.includes('It was repaired'))).toHaveLength(
			repaired ? 1 : 0,
		);
		expect(await answerOf(trigger, own?.id ?? '')).toBe(200);

		const runs = host.emitted.length;
		// Looks for what a replacement may have left.
		await tick();
		const calls = countCalls();
		await tick();
		expect(calls()).toEqual(['GET']);
		expect(host.emitted).toHaveLength(runs);

		host.restart();
		await host.unpublish();
		expect(sandbox.endpoints(trigger.provider)).toEqual([]);
	});
});

describe('a check', () => {
	it.each(withApi)(
		'costs one call, writes nothing and runs nothing while all is well at %s',
		async (_title, trigger) => {
			const { host, tick } = await publish({ trigger });
			const saved = structuredClone(host.savedStaticData);
			const calls = countCalls();
			await tick();
			await tick();
			expect(calls()).toEqual(['GET', 'GET']);
			expect(host.emitted).toEqual([]);
			expect(host.savedStaticData).toEqual(saved);
		},
	);

	it('is made every half hour, at a second that depends on the node', async () => {
		const times: number[] = [];
		for (let nodes = 0; nodes < 50; nodes++) {
			const host = new ContextHost({
				...selfRegistering(misarMail, sandbox),
				workflowId: `phase ${nodes}`,
				webhookId: `phase-${nodes}`,
			});
			await host.publish();
			const { pass, close } = await watch(host);
			const calls = await pass(HALF_HOUR);
			expect(calls).toHaveLength(1);
			times.push(...calls);
			await close();
		}
		const perSecond = times.map((at) => times.filter((other) => other === at).length);
		expect(Math.max(...perSecond)).toBeLessThanOrEqual(2);
		expect(new Set(times.map((at) => Math.floor(at / MINUTE_MS))).size).toBeGreaterThan(15);
	});

	it('is not repeated if the interval is 0', async () => {
		const { pass } = await publish({ trigger: metigan, options: { checkInterval: 0 } });
		expect(await pass(2 * HALF_HOUR)).toEqual([]);
	});

	it('does not begin while the last one is going on', async () => {
		recordWarnings();
		const { host, begin, tick } = await publish({ trigger: metigan });
		sandbox.removeEndpoint('metigan', endpointsAt(metigan, host)[0]?.id ?? '');
		let during: readonly string[] | undefined;
		host.beforeRun = async () => {
			host.beforeRun = async () => {};
			const calls = countCalls();
			begin();
			begin();
			await Promise.all(ticks.begun().slice(1));
			during = calls();
		};
		await tick();
		expect(during).toEqual([]);
		expect(endpointsAt(metigan, host)).toHaveLength(1);
	});

	it.each<[string, TriggerUnderTest, (host: ContextHost, id: string) => void]>([
		['deleted', metigan, removeAtProvider],
		['replaced, at a provider that can get one', misarMail, replaceSecret],
		['replaced, at a provider with a list only', mailPanda, replaceSecret],
	])('saves at the next tick what a run failed to save of one %s', async (_, trigger, breakIt) => {
		const warnings = recordWarnings();
		const { host, pass } = await publish({ trigger, options: { checkInterval: HALF_HOUR } });
		const [former] = endpointsAt(trigger, host);
		breakIt(host, former?.id ?? '');
		const saved = structuredClone(host.savedStaticData);
		host.failRuns = true;
		while (host.emitted.length === 0) await pass(1);
		expect(host.savedStaticData).toEqual(saved);
		expect(warnings.at(-1)).toContain('could not save what this trigger remembers');

		host.failRuns = false;
		await pass(1);
		const [own, ...others] = endpointsAt(trigger, host);
		expect(others).toEqual([]);
		expect(own?.id).not.toBe(former?.id);
		expect(host.remembered).toMatchObject({ registration: { endpointId: own?.id } });
		expect(await answerOf(trigger, own?.id ?? '')).toBe(200);
		const runs = host.emitted.length;
		expect(await pass(HALF_HOUR)).toHaveLength(1);
		expect(host.emitted).toHaveLength(runs);
	});

	it('notices what runs have saved or failed to save if n8n misses their ends', async () => {
		const warnings = recordWarnings();
		const { host, pass } = await publish({ trigger: metigan });
		removeAtProvider(host, endpointsAt(metigan, host)[0]?.id ?? '');
		host.reported = 'answers';
		host.failRuns = true;
		await pass(1);
		expect(warnings.at(-1)).toContain('could not save what this trigger remembers');

		host.failRuns = false;
		await pass(1);
		expect(host.remembered).toMatchObject({
			registration: { endpointId: endpointsAt(metigan, host)[0]?.id },
		});
		const runs = host.emitted.length;
		await pass(1);
		expect(host.emitted).toHaveLength(runs);
	});

	it('does not start a run every minute forever if none of them can save', async () => {
		recordWarnings();
		const { host, pass } = await publish({
			trigger: metigan,
			options: { checkInterval: HALF_HOUR },
		});
		sandbox.removeEndpoint('metigan', endpointsAt(metigan, host)[0]?.id ?? '');
		host.failRuns = true;
		await pass(1);
		while (host.emitted.length === 0) await pass(1);
		const replacement = endpointsAt(metigan, host);
		expect(replacement).toHaveLength(1);
		await pass(4 * HALF_HOUR);
		expect(host.emitted.length).toBeLessThan(10);
		expect(endpointsAt(metigan, host)).toEqual(replacement);
	});

	it.each<[string, (host: ContextHost, id: string) => void]>([
		['a deleted endpoint', removeAtProvider],
		['an endpoint with an old secret', replaceSecret],
	])('creates nothing for %s once the trigger has ended', async (_, breakIt) => {
		recordWarnings();
		const { host, begin, close } = await publish({ trigger: metigan });
		breakIt(host, endpointsAt(metigan, host)[0]?.id ?? '');
		const before = endpointsAt(metigan, host);
		sandbox.fault({ provider: 'metigan', method: 'GET', kind: 'delay', delayMs: 300, times: 1 });
		const calls = countCalls();
		begin();
		await until('the tick to look', 10_000, async () => calls().length > 0 || undefined);
		await close();
		await ticksEnded();
		expect(endpointsAt(metigan, host)).toEqual(before);
		expect(host.emitted).toEqual([]);
	});

	it.each<[string, (host: ContextHost, id: string) => void]>([
		['a deleted endpoint', removeAtProvider],
		['an endpoint with an old secret', replaceSecret],
	])(
		'does not interfere with a publish while it saves its replacement of %s',
		async (_, breakIt) => {
			recordWarnings();
			const { host, tick, close } = await publish({ trigger: metigan });
			breakIt(host, endpointsAt(metigan, host)[0]?.id ?? '');
			const publishing = whileSaving(host, async () => {
				await close();
				host.restart({ activation: 'update' });
				await host.publish();
			});
			await tick();
			await publishing();
			await (await watch(host)).tick();
			host.restart();
			await expectOneEndpoint(host);
		},
	);

	it.each<[string, (host: ContextHost, id: string) => void]>([
		['a deleted endpoint', removeAtProvider],
		['an endpoint with an old secret', replaceSecret],
	])(
		'leaves nothing behind if it is unpublished while it saves its replacement of %s',
		async (_, breakIt) => {
			recordWarnings();
			const { host, tick, close } = await publish({ trigger: metigan });
			breakIt(host, endpointsAt(metigan, host)[0]?.id ?? '');
			const unpublishing = whileSaving(host, async () => {
				await host.unpublish();
				await close();
			});
			await tick();
			await unpublishing();
			expect(endpointsAt(metigan, host)).toEqual([]);
			expect(host.remembered).not.toHaveProperty('registration');
		},
	);

	it('leaves one secret valid if the replaced endpoint cannot be deleted', async () => {
		recordWarnings();
		const { host, tick, close } = await publish({ trigger: misarReach });
		const [former] = endpointsAt(misarReach, host);
		sandbox.changeEndpoint('misar.reach', former?.id ?? '', { events: [] });
		const publishing = whileSaving(host, async () => {
			host.restart({ activation: 'update' });
			// n8n reads the static data anew for the publish that follows.
			await host.unpublish();
			await close();
			host.restart();
			await host.publish();
		});
		await tick();
		await publishing();
		host.restart();
		const answers: unknown[] = [];
		for (const { id } of endpointsAt(misarReach, host))
			answers.push(await answerOf(misarReach, id));
		expect(answers.filter((answer) => answer === 200)).toHaveLength(1);
	});

	it.each<[string, 'POST' | 'DELETE', (host: ContextHost, id: string) => void]>([
		['creates an endpoint', 'POST', removeAtProvider],
		['deletes the former endpoint', 'DELETE', replaceSecret],
	])('does not disturb a publish while it %s', async (_, method, breakIt) => {
		recordWarnings();
		const { host, begin, close } = await publish({ trigger: metigan });
		breakIt(host, endpointsAt(metigan, host)[0]?.id ?? '');
		sandbox.fault({ provider: 'metigan', method, kind: 'delay', delayMs: 300, times: 1 });
		const calls = countCalls();
		begin();
		await until(`the tick to send a ${method}`, 10_000, async () =>
			calls().includes(method) ? true : undefined,
		);
		await close();
		host.restart({ activation: 'update' });
		await host.publish();
		await ticksEnded();
		await host.runsEnded();
		await (await watch(host)).tick();
		await expectOneEndpoint(host);
	});

	it('waits as long as the provider asks', async () => {
		recordWarnings();
		const { pass } = await publish({ trigger: misarMail });
		fail({ kind: 'rateLimit', headers: { 'retry-after': '3600' } });
		expect(await pass(60)).toHaveLength(1);
		sandbox.clearFaults();
		expect(await pass(1)).not.toEqual([]);
	});

	it('is repeated after 1, 2, 4, … minutes if the provider cannot be reached', async () => {
		recordWarnings();
		const { pass } = await publish({ trigger: metigan, options: { checkInterval: 10 } });
		expect(await pass(10)).toHaveLength(1);
		fail();
		const failed = await pass(40);
		const minutes = failed.map((at) => Math.round((at - (failed[0] ?? 0)) / MINUTE_MS));
		expect(minutes.slice(0, 6)).toEqual([0, 1, 3, 7, 15, 25]);
		sandbox.clearFaults();
		await pass(10);
		expect(await pass(30)).toHaveLength(3);
	});

	it('reports a provider that cannot be reached after two checks, and only once', async () => {
		const warnings = recordWarnings();
		const { host, pass } = await publish({ trigger: misarMail, options: { reportProblems: true } });
		const saved = structuredClone(host.savedStaticData);
		fail();
		await pass(1);
		expect(host.emitted).toEqual([]);
		await pass(40);
		expect(warnings).toHaveLength(1);
		expect(host.emitted.map(({ outputs }) => outputs)).toEqual([
			[
				[],
				[
					{
						json: {
							problem: 'endpointUnreachable',
							provider: 'misar',
							product: 'mail',
							since: expect.stringMatching(/^2036-03-01T12:00:/),
							reason: expect.stringContaining('HTTP 500'),
							message: expect.stringMatching(/could not be checked since 1 Mar 2036, .*HTTP 500/),
							workflow: expect.objectContaining({ name: 'Test workflow' }),
						},
					},
				],
			],
		]);

		sandbox.clearFaults();
		await pass(1);
		expect(await pass(20)).toHaveLength(20);
		expect(warnings).toHaveLength(1);
		expect(host.emitted).toHaveLength(1);
		expect(host.savedStaticData).toEqual(saved);
	});

	it('saves what a run failed to save even while the provider is down', async () => {
		recordWarnings();
		const { host, pass } = await publish({ trigger: misarReach });
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		sandbox.removeEndpoint('misar.reach', endpointsAt(misarReach, host)[0]?.id ?? '');
		host.beforeSave = async () => void (host.failRuns = host.emitted.length > 0);
		await pass(1);
		const [own] = endpointsAt(misarReach, host);
		expect(host.remembered).not.toMatchObject({ registration: { endpointId: own?.id } });
		host.beforeSave = async () => {};
		host.failRuns = false;
		fail();
		await pass(2);
		expect(host.remembered).toMatchObject({ registration: { endpointId: own?.id } });
	});

	it('does not report a provider that answers again before the report', async () => {
		recordWarnings();
		const { host, pass } = await publish({ trigger: misarMail, options: { reportProblems: true } });
		fail();
		await pass(3);
		expect(host.emitted).toHaveLength(1);
		sandbox.clearFaults();
		await pass(3);
		fail();
		await pass(3);
		sandbox.clearFaults();
		await pass(60);
		expect(host.emitted).toHaveLength(1);
	});

	it('is repeated even if the clock was a day ahead when one failed', async () => {
		recordWarnings();
		const { host, tick, pass } = await publish({ trigger: metigan });
		fail();
		stopClock(NOW + 24 * 60 * MINUTE_MS);
		for (let times = 0; times < 3; times++) await tick();
		sandbox.clearFaults();
		const [own] = endpointsAt(metigan, host);
		sandbox.changeEndpoint('metigan', own?.id ?? '', { active: false });
		expect(await pass(1)).not.toEqual([]);
		expect(endpointsAt(metigan, host)).toMatchObject([{ id: own?.id, active: true }]);
		expect(await pass(10)).toHaveLength(10);
	});

	it.each(withApi)(
		'repairs permanently what was published while the clock was ahead, at %s',
		async (_title, trigger) => {
			recordWarnings();
			sandbox.setBehaviour('misar.reach', { deleteOffered: true });
			const twoHours = 120 * MINUTE_MS;
			stopClock(NOW + twoHours);
			const { host, pass } = await publish({ trigger });
			stopClock(NOW);
			sandbox.removeEndpoint(trigger.provider, endpointsAt(trigger, host)[0]?.id ?? '');
			await pass(2);
			const [own, ...others] = endpointsAt(trigger, host);
			expect(others).toEqual([]);
			expect(host.remembered).toMatchObject({ registration: { endpointId: own?.id } });
			expect(await answerOf(trigger, own?.id ?? '')).toBe(200);
			endProcess();
			host.restart();
			expect(await answerOf(trigger, own?.id ?? '')).toBe(200);
		},
	);

	it('creates nothing for an endpoint that the list leaves out', async () => {
		sandbox.fault({
			method: 'GET',
			kind: 'rewrite',
			rewrite: () => ({ success: true, data: [] }),
			times: Number.POSITIVE_INFINITY,
		});
		const { host, tick } = await publish({ trigger: misarReach });
		const calls = countCalls();
		for (let times = 0; times < 3; times++) await tick();
		expect(calls()).toEqual(['GET', 'GET', 'GET']);
		expect(host.emitted).toEqual([]);
		host.restart({ activation: 'init' });
		await host.publish();
		expect(endpointsAt(misarReach, host)).toHaveLength(1);
	});
});

describe.each<WorkflowActivateMode>(['init', 'leadershipChange', 'update'])(
	'an activation of kind %s',
	(activation) => {
		it('calls nobody, reads no credential, and the next tick repairs the endpoint', async () => {
			const warnings = recordWarnings();
			// Without checks from time to time, so that only the start makes one due.
			const { host, close } = await publish({ trigger: metigan, options: { checkInterval: 0 } });
			await close();
			const [own] = endpointsAt(metigan, host);
			sandbox.changeEndpoint('metigan', own?.id ?? '', { active: false });
			const saved = structuredClone(host.savedStaticData);
			endProcess();
			host.restart({ activation });
			const calls = countCalls();
			const { credential } = host;
			let reads = 0;
			host.credential = {
				...credential,
				get apiKey() {
					reads += 1;
					return credential['apiKey'] ?? '';
				},
			};
			expect(await host.checkExists()).toBe(true);
			host.save();
			expect(calls()).toEqual([]);
			expect(reads).toBe(0);
			expect(host.savedStaticData).toEqual(saved);
			expect(warnings).toEqual([]);

			const { pass } = await watch(host);
			await pass(1);
			expect(reads).toBeGreaterThan(0);
			expect(endpointsAt(metigan, host)).toMatchObject([{ id: own?.id, active: true }]);
			expect(await pass(HALF_HOUR)).toEqual([]);
		});

		it('is followed by a check that registers an endpoint at the new address of n8n', async () => {
			recordWarnings();
			const host = await openHost({ trigger: metigan });
			const address = await host.listen();
			// Nothing listens there.
			host.restart({ webhookOrigin: 'http://127.0.0.1:9' });
			await host.publish();
			endProcess();
			host.restart({ activation, webhookOrigin: address });
			await host.publish();
			const { pass } = await watch(host);
			await pass(2);
			expect(host.webhookUrl).toContain(address);
			await expectOneEndpoint(host);
		});

		it.each(withApi)(
			'does not wait for %s, which accepts connections and never answers',
			async (_title, trigger) => {
				recordWarnings();
				const { host, close } = await publish({ trigger });
				await close();
				endProcess();
				host.restart({ activation });
				fail({ kind: 'hang' });
				const calls = countCalls();
				await host.publish();
				await watch(host);
				expect(calls()).toEqual([]);
			},
		);

		it('is followed by checks every ten seconds only if a person has published', async () => {
			const { host, close } = await publish({ trigger: metigan });
			await close();
			endProcess();
			host.restart({ activation });
			await host.publish();
			const { crons } = await ticks.start(host);
			const others = activation === 'update' ? ['*/10 * * * * *'] : [];
			expect(crons).toEqual([expect.stringMatching(/^\d+ \* \* \* \* \*$/), ...others]);
		});

		it('is followed by another check if its first one fails', async () => {
			recordWarnings();
			const { host, close } = await publish({ trigger: metigan, options: { checkInterval: 0 } });
			await close();
			const [own] = endpointsAt(metigan, host);
			sandbox.changeEndpoint('metigan', own?.id ?? '', { active: false });
			host.restart({ activation });
			await host.publish();
			fail();
			const { pass } = await watch(host);
			await pass(1);
			sandbox.clearFaults();
			await pass(2);
			expect(endpointsAt(metigan, host)).toMatchObject([{ id: own?.id, active: true }]);
		});

		it.each([
			['the next check', false],
			['the first check of another process', true],
		])('leaves what its first check could not delete to %s', async (_, isRestarted) => {
			const { host, close, pass, former } = await brokenOffReplacement(activation);
			if (isRestarted) {
				await close();
				endProcess();
				host.restart({ activation });
				await host.publish();
				await (await watch(host)).tick();
			} else await pass(2);
			const [own, ...others] = endpointsAt(metigan, host);
			expect(others).toEqual([]);
			expect(own?.id).not.toBe(former?.id);
			expect(await answerOf(metigan, own?.id ?? '')).toBe(200);
		});

		it('registers an endpoint that is gone again, within a minute', async () => {
			recordWarnings();
			const { host, close } = await publish({ trigger: metigan });
			await close();
			sandbox.removeEndpoint('metigan', endpointsAt(metigan, host)[0]?.id ?? '');
			endProcess();
			host.restart({ activation });
			await host.publish();
			await (await watch(host)).tick();
			await expectOneEndpoint(host);
		});

		it('saves again what it registered because the record was lost', async () => {
			recordWarnings();
			const { host, close } = await publish({ trigger: metigan });
			await close();
			endProcess();
			host.savedStaticData = {};
			host.restart({ activation });
			await host.publish();
			// The run that erased the record goes on and erases it again.
			host.savedStaticData = { global: { n: 1 } };
			host.restart();
			await (await watch(host)).tick();
			expect(host.remembered).toMatchObject({
				registration: { endpointId: endpointsAt(metigan, host)[0]?.id },
			});
			await expectOneEndpoint(host);
		});

		it('gives a copied workflow an endpoint of its own', async () => {
			const { host: original } = await publish({ trigger: metigan });
			const { savedStaticData: staticData } = original;
			const copy = await openHost({ trigger: metigan, staticData });
			copy.restart({ activation });
			await copy.publish();
			for (const host of [original, copy]) {
				await expectOneEndpoint(host);
			}
		});
	},
);

it('a check that n8n ends while it creates an endpoint leaves no endpoint behind', async () => {
	recordWarnings();
	const { host, tick, close } = await publish({ trigger: metigan });
	removeAtProvider(host, endpointsAt(metigan, host)[0]?.id ?? '');
	let created = 0;
	sandbox.fault({
		provider: 'metigan',
		method: 'POST',
		kind: 'rewrite',
		rewrite: (answer) => {
			created = endpointsAt(metigan, host).length;
			void close();
			return answer;
		},
	});
	await tick();
	expect([created, endpointsAt(metigan, host)]).toEqual([1, []]);
});

describe('a publish that finds an endpoint', () => {
	/** A trigger that n8n is activating again, with an endpoint that has to be replaced meanwhile. */
	async function activated(
		breakIt: (host: ContextHost, id: string) => void,
		method: 'GET' | 'POST' = 'POST',
	) {
		recordWarnings();
		const { host, close } = await publish({ trigger: metigan });
		await close();
		breakIt(host, endpointsAt(metigan, host)[0]?.id ?? '');
		host.restart();
		const watched = await watch(host);
		sandbox.fault({ provider: 'metigan', method, kind: 'delay', delayMs: 300, times: 1 });
		const calls = countCalls();
		/** The first call of this method is under way. */
		const untilCalled = async () =>
			await until(`a ${method}`, 10_000, async () => (calls().includes(method) ? true : undefined));
		return { host, ...watched, untilCalled };
	}

	/** There is one endpoint, whose deliveries run, also after the next check. */
	async function expectOneEndpointAfter(host: ContextHost, tick: () => Promise<void>) {
		await host.runsEnded();
		for (const settle of [async () => {}, tick]) {
			await settle();
			await expectOneEndpoint(host);
		}
	}

	describe.each<[string, (host: ContextHost, id: string) => void]>([
		['that was deleted', removeAtProvider],
		['with an old secret', replaceSecret],
	])('%s', (_, breakIt) => {
		it('is not disturbed by a tick at the same time', async () => {
			const { host, begin, tick, untilCalled } = await activated(breakIt);
			const registered = host.publish();
			await untilCalled();
			begin();
			await registered;
			await ticksEnded();
			await expectOneEndpointAfter(host, tick);
		});

		it.each<['GET' | 'POST']>([['GET'], ['POST']])(
			'is not disturbed by a check that had begun before, and waits for the answer to a %s',
			async (method) => {
				const { host, begin, tick, untilCalled } = await activated(breakIt, method);
				begin();
				await untilCalled();
				await host.publish();
				await ticksEnded();
				await expectOneEndpointAfter(host, tick);
			},
		);

		it.each(['', 'a worker'])(
			'is remembered even if the run of an overtaken check comes last (in "%s")',
			async (process) => {
				const { host, tick } = await activated(breakIt);
				const publishing = whileSaving(host, async () => await host.publish());
				await tick();
				await publishing();
				const registration = { endpointId: endpointsAt(metigan, host)[0]?.id };
				// What was saved is all that a worker knows.
				if (process === '') host.savedStaticData = {};
				useProcess(process);
				await host.execute(host.emitted[0]?.items ?? []);
				useProcess('');
				expect(host.remembered).toMatchObject({ registration });
			},
		);

		it('is remembered even if the run of an overtaken check is saved last', async () => {
			const { host, tick } = await activated(breakIt);
			const publishing = whileSaving(host, async () => await host.publish());
			await tick();
			await publishing();
			const { states } = Object(host.emitted[0]?.items[0]?.json['trigger']);
			// As n8n would, had it loaded the run's data before the registration.
			host.savedStaticData = { global: { 'n8n-nodes-misar-metigan': states } };
			host.restart();
			await tick();
			await expectOneEndpointAfter(host, tick);
		});
	});
});

it.each([{ checkInterval: -1 }, { checkInterval: 0.5 }, { toleranceSeconds: 'none' }])(
	'a trigger with the unusable options %j is not checked, and throws nothing',
	async (options) => {
		const warnings = recordWarnings();
		const host = new ContextHost(
			selfRegistering(metigan, sandbox, { nodeParameters: { options } }),
		);
		const { response, crons } = await host.startTrigger();
		expect(response).toEqual({});
		expect(crons).toEqual([]);
		expect(warnings).toEqual([expect.stringContaining('will not be checked')]);
	},
);

it('every credential signs its calls with a function, which needs no expression', () => {
	for (const [, { credentialFile }] of withApi) {
		const { authenticate } = instantiate<{ authenticate: unknown }>(credentialFile);
		expect(authenticate).toBeInstanceOf(Function);
	}
});
