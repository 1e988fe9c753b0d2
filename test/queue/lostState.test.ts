import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ORIGIN, startCluster, type Cluster } from '../../testkit/queue/cluster';
import { Gate } from '../faults/gate';
import { RestartRounds } from '../faults/restartRounds';
import {
	Subject,
	FOR_SUBJECTS,
	deliverAfterRestart,
	type Middle,
	type Place,
} from '../faults/subject';
import { productsWithAndWithoutSecrets as products, type Variant } from '../faults/variants';

/**
 * Webhook processors take deliveries while the main process repairs endpoints, and while runs in the workers erase
 * what a trigger remembers.
 */

let cluster: Cluster;
let gate: Gate;
let place: Place;
let restarts: RestartRounds;

beforeAll(async () => {
	gate = await Gate.start();
	cluster = await startCluster('queue', FOR_SUBJECTS);
	await cluster.startWorkers();
	const { main, entrance } = cluster;
	place = { n8n: main, gate, entrance, origin: ORIGIN };
	restarts = new RestartRounds(async () => await main.restart());
}, 600_000);

afterAll(async () => {
	await cluster?.stop();
	await Subject.closeAll();
	await gate?.close();
}, 180_000);

interface Scenario {
	readonly how?: Parameters<typeof Subject.publish>[2];
	before(subject: Subject): Promise<void>;
}

/** Events happen all the time while the endpoint is deleted and registered again. */
const repairing: Scenario = {
	before: async (subject) => {
		for (const round of ['first', 'second']) {
			const formerIds = subject.endpoints().map(({ id }) => id);
			subject.breakEndpoints('delete');
			await subject.deliverWhile(subject.repaired(formerIds), `during the ${round} repair`);
			await subject.deliver(`after the ${round} repair`);
		}
	},
};

const erasing = (middle: Middle): Scenario => ({
	how: { middle },
	before: async (subject) => {
		await subject.endRun(await subject.beginRun());
		await subject.deliver('after the run');
		await subject.checkedAgain();
		await subject.deliver('one check later');
		await subject.endRun(await subject.beginRun());
	},
});

const scenarios: ReadonlyArray<readonly [string, Scenario]> = [
	['while the main process registers a deleted endpoint again', repairing],
	['after a run that had waited has erased what the trigger remembers', erasing('wait')],
	['after a retried run has erased what the trigger remembers', erasing('fail')],
];

it.concurrent.each(
	scenarios.flatMap(([when, scenario]) =>
		products.map((product): [string, string, Scenario, Variant] => [
			product.title,
			when,
			scenario,
			product,
		]),
	),
)(
	'every processor accepts %s deliveries %s',
	async (_title, _when, scenario, product) => {
		const subject = await restarts.join(async () => {
			const published = await Subject.publish(place, product, scenario.how);
			await published.play(scenario.before);
			await published.expectEndpoints('before the restart');
			await published.expectOneProblem('before the restart');
			return published;
		});
		await subject.play(deliverAfterRestart);
		expect(subject.wrong).toEqual([]);
	},
	900_000,
);
