import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { until } from '../../testkit/n8n-host/poll';
import { once } from '../../testkit/once';
import { ORIGIN } from '../../testkit/publishTrigger';
import { Gate } from './gate';
import { modes } from './modes';
import { Subject, FOR_SUBJECTS, type Place } from './subject';
import { productsWithAndWithoutSecrets as products, type Variant } from './variants';

/**
 * All of n8n's slots are taken while endpoints are repaired (N8N_CONCURRENCY_PRODUCTION_LIMIT), so no run can save
 * the new ones. Their deliveries may have to be sent again, but are not refused.
 */

const SENT_MS = 60_000;

/** What breaks an endpoint, of how many triggers of the workflow. */
interface Break {
	readonly what: string;
	readonly how: 'delete' | 'switch off';
	readonly triggers: number;
}

const breaks: readonly Break[] = [
	{ what: 'a deleted endpoint is registered again', how: 'delete', triggers: 1 },
	{ what: 'the endpoints of two triggers of a workflow are', how: 'delete', triggers: 2 },
	{ what: 'an endpoint that was switched off is replaced', how: 'switch off', triggers: 1 },
];

/** Providers that take a secret can switch it on again; without a delete call nothing can be replaced. */
const canBe = ({ issuesSecret, keepsEndpoints }: Variant, { how }: Break) =>
	how === 'delete' || (issuesSecret === true && keepsEndpoints !== true);

const cells = modes.flatMap(({ name }) =>
	breaks.flatMap((broken) =>
		products
			.filter((product) => canBe(product, broken))
			.map((product) => ({ mode: name, broken, product })),
	),
);
type Cell = (typeof cells)[number];

const beds = new Map<string, () => Promise<Map<Cell, Subject>>>();
const hosts: N8nHost[] = [];
let gate: Gate;

beforeAll(async () => {
	gate = await Gate.start();
	const open = async ({ name, publicationService }: (typeof modes)[number]) => {
		const n8n = await startN8n({
			tarball: packedPackage(),
			webhookUrl: ORIGIN,
			env: { ...FEW_ISOLATES, ...FOR_SUBJECTS, N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' },
			publicationService,
		});
		hosts.push(n8n);
		const played = once(async () => await play({ n8n, gate }, name));
		beds.set(name, played);
	};
	await Promise.all(modes.map(open));
}, 600_000);

afterAll(async () => {
	await Promise.all(hosts.map(async (n8n) => await n8n.stop()));
	await Subject.closeAll();
	await gate?.close();
}, 60_000);

/** All cells of one n8n, which share its slot. */
async function play(place: Place, mode: string): Promise<Map<Cell, Subject>> {
	const played = new Map<Cell, Subject>();
	const [first] = products;
	if (first === undefined) throw new Error('There is no product');
	const holder = await Subject.publish(place, first, { middle: 'hold' });
	for (const cell of cells.filter((each) => each.mode === mode)) {
		const { triggers } = cell.broken;
		played.set(cell, await Subject.publish(place, cell.product, { triggers }));
	}
	const all = async (work: (subject: Subject, cell: Cell) => Promise<void>) =>
		await Promise.all([...played].map(async ([cell, subject]) => await work(subject, cell)));

	const run = await holder.beginRun();
	await all(async (subject, { broken }) => {
		const formerIds = subject.endpoints().map(({ id }) => id);
		subject.breakEndpoints(broken.how);
		await subject.repaired(formerIds);
	});
	const delivered = all(async (subject) => await subject.deliver('while no slot is free'));
	// While the slot is taken.
	const isAnswered = ({ sandbox }: Subject) =>
		sandbox.deliveries().some(({ attempts }) => attempts.length > 0);
	await until('a delivery to each', SENT_MS, () =>
		[...played.values()].every(isAnswered) ? true : undefined,
	);
	await holder.endRun(run);
	await delivered;
	await all(async (subject) => {
		const { length } = subject.endpoints();
		await subject.checkedAgain();
		await subject.deliver('one check later');
		await subject.expectEndpoints('one check later', length);
		await subject.expectOneProblem('before the restart');
	});
	await place.n8n.restart();
	await all(async (subject) => {
		await subject.deliver('after the restart');
		await subject.expectEndpoints('after the restart', 2);
		await subject.expectOneRunEach();
	});
	return played;
}

it.concurrent.each(
	cells.map((cell): [string, string, string, Cell] => [
		cell.mode,
		cell.product.title,
		cell.broken.what,
		cell,
	]),
)(
	'%s: %s deliveries are accepted even if no slot is free while %s',
	async (mode, _title, _what, cell) => {
		const played = await beds.get(mode)?.();
		expect(played?.get(cell)?.wrong).toEqual([]);
	},
	900_000,
);
