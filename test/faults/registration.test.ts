import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { printFigures } from '../figures';
import { HostError, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { cases, planned, type CallFault, type Case } from './cases';
import { figures, type Outcome } from './outcomes';
import { inParallel } from './parallel';
import { MANY_AT_ONCE, ORIGIN, Stage } from './stage';
import { steps, type Step } from './steps';

/**
 * The provider fails at every call of every step in a workflow's life, before, during and after its
 * answer. Whatever came of the step, one clean publish ends with one endpoint whose secret verifies.
 */

/** A timeout keeps a scenario waiting for 10 s and more, at next to no cost. */
const WIDTH = 32;
/** After a restart each waits with deliveries, which cost n8n more. */
const WIDTH_HEALING = 8;
const HEAL_MS = 90_000;

/** One fault at one call of one step. */
interface Scenario {
	readonly subject: Case;
	readonly step: Step;
	/** Place of the call in the step, and what it was when nothing failed. */
	readonly index: number;
	readonly call: string;
	readonly fault: CallFault;
}

let n8n: N8nHost;
let outcomes: Outcome[] = [];
const stages: Stage[] = [];

beforeAll(async () => {
	const tarball = packedPackage();
	n8n = await startN8n({ tarball, webhookUrl: ORIGIN, env: MANY_AT_ONCE });
	const scenarios = await enumerate();
	// Restarts first: n8n calls the provider of whatever is published at that time.
	outcomes = [
		...(await throughRestart(scenarios.filter(({ step }) => step.run === undefined))),
		...(await inParallel(
			scenarios.filter(({ step }) => step.run !== undefined).sort(slowestFirst),
			WIDTH,
			play,
		)),
	];
}, 1_800_000);

afterAll(async () => {
	printFigures('Fault injection: scenarios and outcome after one clean publish', figures(outcomes));
	await n8n?.stop();
	await Promise.all(stages.map(async (stage) => await stage.close()));
}, 60_000);

async function open(subject: Case): Promise<Stage> {
	const stage = await Stage.start(n8n, subject);
	stages.push(stage);
	return stage;
}

/** The scenarios for every call that a run without faults makes. */
async function enumerate(): Promise<Scenario[]> {
	const pairs = cases.flatMap((subject) => steps.map((step) => ({ subject, step })));
	const clean = await inParallel(pairs, WIDTH, async ({ subject, step }) => {
		const stage = await open(subject);
		await step.prepare(stage);
		stage.begin();
		if (step.run === undefined) return { subject, step, stage };
		await step.run(stage);
		const calls = stage.calls();
		await stage.unpublish();
		return { subject, step, calls };
	});
	await n8n.restart();
	return cases.flatMap((subject) =>
		clean
			.filter((one) => one.subject === subject)
			.flatMap(({ step, stage, calls = stage?.calls() ?? [] }) =>
				calls.map((call, index) => ({ subject, step, index, call })),
			)
			.flatMap((scenario, at) =>
				planned(subject, scenario.step.plain === true, at).map((fault) => ({ ...scenario, fault })),
			),
	);
}

/** One restart of n8n for all scenarios. It has to end well by itself once the provider is back. */
async function throughRestart(scenarios: readonly Scenario[]): Promise<Outcome[]> {
	const set = await inParallel(scenarios, WIDTH, async (scenario) => {
		const stage = await open(scenario.subject);
		await scenario.step.prepare(stage);
		stage.arm(scenario.index, scenario.fault.fault);
		return { scenario, stage };
	});
	await n8n.restart();
	return await inParallel(set, WIDTH_HEALING, async ({ scenario, stage }) => {
		const calls = stage.calls();
		stage.sandbox.clearFaults();
		const problems = await stage.wellAgain(HEAL_MS).then(
			() => [],
			(error: Error) => [error.message],
		);
		return await conclude(scenario, stage, { calls, refused: false, problems });
	});
}

async function play(scenario: Scenario): Promise<Outcome> {
	const { subject, step, index, fault } = scenario;
	const stage = await open(subject);
	await step.prepare(stage);
	stage.arm(index, fault.fault);
	const refused = await isRefused(step.run?.(stage));
	const calls = stage.calls();
	stage.sandbox.clearFaults();
	const outcome = await conclude(scenario, stage, { calls, refused, problems: [] });
	await stage.close();
	return outcome;
}

/** Whether n8n says that the step failed, as it may while the provider does. */
async function isRefused(step: Promise<void> | undefined): Promise<boolean> {
	try {
		await step;
		return false;
	} catch (error) {
		if (error instanceof HostError) return true;
		throw error;
	}
}

async function conclude(
	{ subject, step, index, call, fault }: Scenario,
	stage: Stage,
	{ calls, refused, ...before }: Pick<Outcome, 'refused' | 'problems'> & { calls: string[] },
): Promise<Outcome> {
	const after = await stage.verdict().catch((error: Error) => [error.message]);
	const problems = [...before.problems, ...after];
	if (calls[index] !== call) problems.push(`the fault met ${calls[index] ?? 'no call'}`);
	return {
		title: subject.title,
		step: step.name,
		call: `${index + 1} ${call}`,
		group: fault.group,
		fault: fault.name,
		refused,
		problems,
	};
}

function slowestFirst(a: Scenario, b: Scenario): number {
	return Number(b.fault.group === 'timeout') - Number(a.fault.group === 'timeout');
}

describe.each(cases.map(({ title }) => title))('%s', (title) => {
	it.each(steps.map(({ name }) => name))('ends well whatever fails during: %s', (step) => {
		const played = outcomes.filter((outcome) => outcome.title === title && outcome.step === step);
		expect(played).not.toEqual([]);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	});
});
