import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';
import { printFigures } from '../figures';
import { variants, type Variant } from './variants';
import { openLanes } from './lanes';
import { figures, type Outcome } from './outcomes';
import { RestartRounds } from './restartRounds';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { MANY_AT_ONCE, Harness } from './harness';
import { restartSteps, type Step } from './steps';

/**
 * The provider fails at every call that a start of n8n makes for what is published. It ends well by
 * itself once the provider is back. The tests that are asked for share two restarts: one that shows
 * the calls, and one in which they fail.
 */

const lanes = openLanes(32);
/** Fewer at a time after a restart, because each sends deliveries, which cost n8n more. */
const lanesHealing = openLanes(8);
const HEAL_MS = 90_000;

const outcomes: Outcome[] = [];
let n8n: N8nHost;
let rounds: RestartRounds;

beforeAll(async () => {
	const tarball = packedPackage();
	n8n = await startN8n({
		tarball,
		webhookUrl: ORIGIN,
		env: MANY_AT_ONCE,
		publicationService: false,
	});
	rounds = new RestartRounds(async () => await n8n.restart());
}, 600_000);

afterAll(async () => {
	printFigures('Fault injection at a restart: scenarios and outcome', figures(outcomes));
	await n8n?.stop();
	await Harness.closeAll();
}, 60_000);

async function prepared(variant: Variant, step: Step): Promise<Harness> {
	return await lanes(async () => {
		const harness = await Harness.start(n8n, variant);
		await step.prepare(harness);
		harness.begin();
		return harness;
	});
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
	return await lanesHealing(async () => {
		const problems = await harness.wellAgain(HEAL_MS).then(
			() => [],
			(error: Error) => [error.message],
		);
		return await conclude(scenario, harness, { calls, refused: false, problems });
	});
}

const all = variants.flatMap((variant) =>
	restartSteps.map((step): [string, string, Variant, Step] => [
		variant.title,
		step.name,
		variant,
		step,
	]),
);

it.concurrent.each(all)(
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
