import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';
import { ALL_FAULTS } from '../nightly';
import { Gate } from './gate';
import { RestartRounds } from './restartRounds';
import { modes } from './modes';
import { answerTogether, Subject, FOR_SUBJECTS, deliverAfterRestart, type Place } from './subject';
import { productsWithAndWithoutSecrets as products, type Variant } from './variants';

/**
 * n8n keeps one column of static data per workflow, and writes it as a whole at the end of each run that has
 * changed any part of it. So other nodes of the workflow erase what a trigger remembers, or restore
 * an older state. Deliveries are accepted nevertheless.
 */

/** Each in an n8n of its own, where every workflow is in one scenario. */
interface Bed {
	readonly place: Place;
	readonly restarts: RestartRounds;
}

const beds = new Map<string, Bed>();
let gate: Gate;

beforeAll(async () => {
	gate = await Gate.start();
	const open = async ({ name, publicationService }: (typeof modes)[number]) => {
		const n8n: N8nHost = await startN8n({
			tarball: packedPackage(),
			webhookUrl: ORIGIN,
			env: { ...FEW_ISOLATES, ...FOR_SUBJECTS },
			publicationService,
		});
		const restarts = new RestartRounds(async () => await n8n.restart());
		beds.set(name, { place: { n8n, gate }, restarts });
	};
	await Promise.all(modes.map(open));
}, 600_000);

afterAll(async () => {
	await Promise.all([...beds.values()].map(async ({ place }) => await place.n8n.stop()));
	await Subject.closeAll();
	await gate?.close();
}, 60_000);

/** What happens to a workflow before and after the restart that all of an n8n's share. */
interface Scenario {
	readonly how?: Parameters<typeof Subject.publish>[2];
	before(subject: Subject): Promise<void>;
	after(subject: Subject): Promise<void>;
}

/** Deliveries after what a trigger remembers was lost, after a check, and what there is then. */
async function deliverAndCheck(subject: Subject, stage: string): Promise<void> {
	await subject.deliver(stage);
	const { length } = subject.endpoints();
	await subject.checkedAgain();
	await subject.deliver(`one check later`);
	await subject.expectEndpoints('one check later', length);
	await subject.expectOneProblem('before the restart');
}

/** A run that has no static data of the trigger overwrites it. */
const erasing = (middle: 'wait' | 'fail'): Scenario => ({
	how: { middle },
	before: async (subject) => {
		await subject.endRun(await subject.beginRun());
		await subject.deliver('after the run');
		const again = await subject.beginRun();
		await subject.checkedAgain();
		await subject.deliver('one check later');
		await subject.expectEndpoints('one check later');
		await subject.expectOneProblem('before the restart');
		await subject.endRun(again);
	},
	after: deliverAfterRestart,
});

/** Runs that began before a repair write the old state. */
const bringingBack = (how: 'delete' | 'switch off'): Scenario => ({
	before: async (subject) => {
		const [first, second] = [await subject.beginRun(), await subject.beginRun()];
		const formerIds = subject.endpoints().map(({ id }) => id);
		subject.breakEndpoints(how);
		await subject.repaired(formerIds);
		await subject.deliver('after the repair');
		await subject.endRun(first);
		await deliverAndCheck(subject, 'after the run');
		await subject.endRun(second);
	},
	after: deliverAfterRestart,
});

/** As many as it takes for two of them to be repaired at the same moment. */
const TRIGGERS = 8;

async function repairTogether(subject: Subject, round: string): Promise<void> {
	const formerIds = subject.endpoints().map(({ id }) => id);
	subject.breakEndpoints('delete');
	await subject.repaired(formerIds);
	await subject.deliver(`after ${round}`);
}

const together: Scenario = {
	how: { triggers: TRIGGERS },
	before: async (subject) => {
		await subject.endRun(await subject.beginRun());
		answerTogether(subject.sandbox);
		await repairTogether(subject, 'the first repair');
		await repairTogether(subject, 'the second repair');
		await subject.expectOneProblem('before the restart');
	},
	after: async (subject) => {
		await subject.deliver('after the restart');
		await repairTogether(subject, 'the third repair');
		await subject.expectEndpoints('after the third repair');
		await subject.expectOneProblem('after the restart');
		await subject.expectOneRunEach();
	},
};

const scenarios: ReadonlyArray<readonly [string, Scenario, (product: Variant) => boolean]> = [
	['a run that had waited has erased what the trigger remembers', erasing('wait'), () => true],
	['a retried run has erased what the trigger remembers', erasing('fail'), () => true],
	[
		'a run from before the repair of a deleted endpoint has brought back what was true then',
		bringingBack('delete'),
		() => true,
	],
	[
		'a run from before the repair of an endpoint that was switched off has brought back what was true then',
		bringingBack('switch off'),
		// With other providers it is switched on again.
		({ keepsEndpoints, issuesSecret }) => issuesSecret === true && keepsEndpoints !== true,
	],
	['endpoints of several triggers of the workflow were repaired at once', together, () => true],
];

/** By day each product meets a scenario in one of the two modes, and n8n 1.x, which has one, gets half of them. */
const TURNS = 2;

const cells = scenarios.flatMap(([what, scenario, isFor], row) =>
	products
		.filter(isFor)
		.flatMap((product, column) =>
			modes
				.filter((_mode, turn) => ALL_FAULTS || (row + column) % TURNS === turn)
				.map(({ name }): [string, string, string, Scenario, Variant] => [
					name,
					product.title,
					what,
					scenario,
					product,
				]),
		),
);

it.concurrent.each(cells)(
	'%s: %s deliveries are accepted after %s',
	async (name, _title, _what, scenario, product) => {
		const bed = beds.get(name);
		if (bed === undefined) throw new Error('There is no n8n of this mode');
		const subject = await bed.restarts.join(async () => {
			const published = await Subject.publish(bed.place, product, scenario.how);
			await published.play(scenario.before);
			return published;
		});
		await subject.play(scenario.after);
		expect(subject.wrong).toEqual([]);
	},
	1_200_000,
);
