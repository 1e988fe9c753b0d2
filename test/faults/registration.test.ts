import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { HostError, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';
import { printFigures } from '../figures';
import { variants, type Variant } from './variants';
import { openLanes } from './lanes';
import { figures, type Outcome } from './outcomes';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { MANY_AT_ONCE, Harness } from './harness';
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
	await Harness.closeAll();
}, 60_000);

/** Does something with a harness of its own. */
async function withHarness<T>(
	variant: Variant,
	work: (harness: Harness) => Promise<T>,
): Promise<T> {
	return await lanes(async () => await work(await Harness.start(n8n, variant)));
}

/** The calls that a step makes when nothing fails. */
async function callsOf(variant: Variant, step: UserStep): Promise<string[]> {
	return await withHarness(variant, async (harness) => {
		await step.prepare(harness);
		harness.begin();
		await step.run(harness);
		const calls = harness.calls();
		await harness.unpublish();
		return calls;
	});
}

async function play(scenario: Scenario, step: UserStep): Promise<Outcome> {
	return await withHarness(scenario.variant, async (harness) => {
		await step.prepare(harness);
		harness.arm(scenario.index, scenario.fault.fault);
		const refused = await isRefused(step.run(harness));
		// A publish over a record leaves the endpoint to a check that follows within seconds.
		if (!refused) await harness.checked(scenario.index + 1);
		const calls = harness.calls();
		harness.sandbox.clearFaults();
		return await conclude(scenario, harness, { calls, refused, problems: [] });
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

const all = variants.flatMap((variant) =>
	userSteps.map((step): [string, string, Variant, UserStep] => [
		variant.title,
		step.name,
		variant,
		step,
	]),
);

it.concurrent.each(all)(
	'%s ends up with one endpoint, whatever fails during: %s',
	async (_title, _name, variant, step) => {
		const scenarios = scenariosOf(variant, step, await callsOf(variant, step));
		expect(scenarios).not.toEqual([]);
		const played = await Promise.all(scenarios.map(async (scenario) => await play(scenario, step)));
		outcomes.push(...played);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	},
	1_800_000,
);
