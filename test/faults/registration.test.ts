import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { HostError, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';
import { printFigures } from '../figures';
import { cases, type Case } from './cases';
import { openLanes } from './lanes';
import { figures, type Outcome } from './outcomes';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { MANY_AT_ONCE, Stage } from './stage';
import { userSteps, type UserStep } from './steps';

/**
 * The provider fails at every call of every step that a user takes, before, during and after its
 * answer. Whatever came of the step, one clean publish ends with one endpoint whose secret verifies.
 */

/** Scenarios in n8n at the same time, over all tests. */
const lanes = openLanes(32);
const outcomes: Outcome[] = [];
let n8n: N8nHost;

beforeAll(async () => {
	const tarball = packedPackage();
	n8n = await startN8n({
		tarball,
		webhookUrl: ORIGIN,
		env: MANY_AT_ONCE,
		publicationService: false,
	});
}, 600_000);

afterAll(async () => {
	printFigures('Fault injection: scenarios and outcome after one clean publish', figures(outcomes));
	await n8n?.stop();
}, 60_000);

/** Plays something on a stage of its own. */
async function onStage<T>(subject: Case, work: (stage: Stage) => Promise<T>): Promise<T> {
	return await lanes(async () => {
		const stage = await Stage.start(n8n, subject);
		try {
			return await work(stage);
		} finally {
			await stage.close();
		}
	});
}

/** The calls that a step makes when nothing fails. */
async function callsOf(subject: Case, step: UserStep): Promise<string[]> {
	return await onStage(subject, async (stage) => {
		await step.prepare(stage);
		stage.begin();
		await step.run(stage);
		const calls = stage.calls();
		await stage.unpublish();
		return calls;
	});
}

async function play(scenario: Scenario, step: UserStep): Promise<Outcome> {
	return await onStage(scenario.subject, async (stage) => {
		await step.prepare(stage);
		stage.arm(scenario.index, scenario.fault.fault);
		const refused = await isRefused(step.run(stage));
		const calls = stage.calls();
		stage.sandbox.clearFaults();
		return await conclude(scenario, stage, { calls, refused, problems: [] });
	});
}

/** Whether n8n says that the step failed, as it may while the provider does. */
async function isRefused(step: Promise<void>): Promise<boolean> {
	try {
		await step;
		return false;
	} catch (error) {
		if (error instanceof HostError) return true;
		throw error;
	}
}

const all = cases.flatMap((subject) =>
	userSteps.map((step): [string, string, Case, UserStep] => [
		subject.title,
		step.name,
		subject,
		step,
	]),
);

it.concurrent.each(all)(
	'%s ends well whatever fails during: %s',
	async (_title, _name, subject, step) => {
		const scenarios = scenariosOf(subject, step, await callsOf(subject, step));
		expect(scenarios).not.toEqual([]);
		const played = await Promise.all(scenarios.map(async (scenario) => await play(scenario, step)));
		outcomes.push(...played);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	},
	1_800_000,
);
