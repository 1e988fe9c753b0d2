import { expect, it } from '@jest/globals';
import pLimit from 'p-limit';

import type { N8nHost } from '../../testkit/n8n-host/driver';
import type { Harness } from './harness';
import type { Outcome } from './outcomes';
import { RestartRounds } from './restartRounds';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { restartSteps, type Step } from './steps';
import { prepare, rowsOf, useHarnesses } from './useHarnesses';
import type { Variant } from './variants';

/**
 * The provider fails at every call that a start of n8n makes for what is published. It ends well by
 * itself once the provider is back. The tests that are asked for share two restarts: one that shows
 * the calls, and one in which they fail.
 */

const inTurn = pLimit(32);
/** Fewer at a time after a restart, because each sends deliveries, which cost n8n more. */
const inTurnHealing = pLimit(8);
const HEAL_MS = 90_000;

let n8n: N8nHost;
const outcomes = useHarnesses(
	'Fault injection at a restart: scenarios and outcome',
	(started) => (n8n = started),
);
const rounds = new RestartRounds(async () => await n8n.restart());

async function prepared(variant: Variant, step: Step): Promise<Harness> {
	return await inTurn(prepare, n8n, variant, step);
}

async function armed(scenario: Scenario): Promise<Harness> {
	const harness = await prepared(scenario.variant, scenario.step);
	harness.arm(scenario.index, scenario.fault.fault);
	return harness;
}

async function heal(scenario: Scenario, harness: Harness): Promise<Outcome> {
	await harness.checked(scenario.index + 1);
	const calls = harness.calls();
	harness.sandbox.clearFaults();
	return await inTurnHealing(async () => {
		const problems = await harness.wellAgain(HEAL_MS).then(
			() => [],
			(error: Error) => [error.message],
		);
		return await conclude(scenario, harness, { calls, refused: false, problems });
	});
}

it.concurrent.each(rowsOf<Step>(restartSteps))(
	'%s ends up with one endpoint, whatever fails during: %s',
	async (_title, _name, variant, step) => {
		const clean = await rounds.join(
			async () => await prepared(variant, step),
			async (harness) => await harness.checked(),
		);
		const scenarios = scenariosOf(variant, step, clean.calls());
		expect(scenarios).not.toEqual([]);
		const set = await rounds.join(async () => await Promise.all(scenarios.map(armed)));
		const played = await Promise.all(
			set.map(async (harness, at) => {
				const scenario = scenarios[at];
				if (scenario === undefined) throw new Error('A harness without a scenario');
				return await heal(scenario, harness);
			}),
		);
		outcomes.push(...played);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	},
	1_800_000,
);
