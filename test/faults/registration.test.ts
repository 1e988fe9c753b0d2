import { expect, it } from '@jest/globals';
import pLimit from 'p-limit';

import { HostError, type N8nHost } from '../../testkit/n8n-host/driver';
import type { Outcome } from './outcomes';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { userSteps, type UserStep } from './steps';
import { callsOf, prepare, rowsOf, useHarnesses } from './useHarnesses';

/**
 * The provider fails at every call of every step that a user takes, before, during and after its
 * answer. Whatever came of the step, one clean publish ends with one endpoint whose secret verifies.
 */

/** Scenarios in n8n at the same time, over all tests. */
const inTurn = pLimit(32);
let n8n: N8nHost;
const outcomes = useHarnesses(
	'Fault injection: scenarios and outcome after one clean publish',
	(started) => (n8n = started),
);

async function play(scenario: Scenario, step: UserStep): Promise<Outcome> {
	const harness = await prepare(n8n, scenario.variant, step);
	harness.arm(scenario.index, scenario.fault.fault);
	const refused = await isRefused(step.run(harness));
	// A publish over a record leaves the endpoint to a check that follows within seconds.
	if (!refused) await harness.checked(scenario.index + 1);
	const calls = harness.calls();
	harness.sandbox.clearFaults();
	return await conclude(scenario, harness, { calls, refused, problems: [] });
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

it.concurrent.each(rowsOf(userSteps))(
	'%s ends up with one endpoint, whatever fails during: %s',
	async (_title, _name, variant, step) => {
		const calls = await inTurn(callsOf, n8n, variant, step);
		const scenarios = scenariosOf(variant, step, calls);
		expect(scenarios).not.toEqual([]);
		const played = await Promise.all(
			scenarios.map(async (scenario) => await inTurn(play, scenario, step)),
		);
		outcomes.push(...played);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	},
	1_800_000,
);
