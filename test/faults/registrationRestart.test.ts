import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';
import { printFigures } from '../figures';
import { cases, type Case } from './cases';
import { openLanes } from './lanes';
import { figures, type Outcome } from './outcomes';
import { RestartRounds } from './restartRounds';
import { conclude, scenariosOf, type Scenario } from './scenarios';
import { MANY_AT_ONCE, Stage } from './stage';
import { restartSteps, type Step } from './steps';

/**
 * The provider fails at every call that a start of n8n makes for what is published. It ends well by
 * itself once the provider is back. The tests that are asked for share two restarts: one that shows
 * the calls, and one in which they fail.
 */

const lanes = openLanes(32);
/** After a restart each waits with deliveries, which cost n8n more. */
const lanesHealing = openLanes(8);
const HEAL_MS = 90_000;

const stages: Stage[] = [];
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
	await Promise.all(stages.map(async (stage) => await stage.close()));
}, 60_000);

async function prepared(subject: Case, step: Step): Promise<Stage> {
	return await lanes(async () => {
		const stage = await Stage.start(n8n, subject);
		stages.push(stage);
		await step.prepare(stage);
		stage.begin();
		return stage;
	});
}

async function armed(scenario: Scenario): Promise<Stage> {
	const stage = await prepared(scenario.subject, scenario.step);
	stage.arm(scenario.index, scenario.fault.fault);
	return stage;
}

async function heal(scenario: Scenario, stage: Stage): Promise<Outcome> {
	const calls = stage.calls();
	stage.sandbox.clearFaults();
	return await lanesHealing(async () => {
		const problems = await stage.wellAgain(HEAL_MS).then(
			() => [],
			(error: Error) => [error.message],
		);
		return await conclude(scenario, stage, { calls, refused: false, problems });
	});
}

const all = cases.flatMap((subject) =>
	restartSteps.map((step): [string, string, Case, Step] => [
		subject.title,
		step.name,
		subject,
		step,
	]),
);

it.concurrent.each(all)(
	'%s ends well whatever fails during: %s',
	async (_title, _name, subject, step) => {
		const clean = await rounds.join(async () => await prepared(subject, step));
		const scenarios = scenariosOf(subject, step, clean.calls());
		expect(scenarios).not.toEqual([]);
		const set = await rounds.join(async () => await Promise.all(scenarios.map(armed)));
		const played = await Promise.all(
			set.map(async (stage, at) => {
				const scenario = scenarios[at];
				if (scenario === undefined) throw new Error('A stage without a scenario');
				return await heal(scenario, stage);
			}),
		);
		outcomes.push(...played);
		expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
	},
	1_800_000,
);
