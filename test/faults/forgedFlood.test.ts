import { expect, it } from '@jest/globals';
import autocannon from 'autocannon';

import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { median } from '../../testkit/statistics';
import type { DeliveryRecord } from '../../sandbox';
import { printFigures } from '../figures';
import { publishTrigger, type Bed, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { mailPanda, metigan, misarBlog, misarMail, type TriggerCase } from '../../testkit/triggers';
import { withBed } from './loadBed';
import { forgeriesOf, type ForgedRequest } from './loadForgeries';
import { METRICS_ENV, sampleMemory } from './loadMemory';
import { storedRuns, untilIdle } from './loadRuns';
import { inParallel, statusesOf, tally } from './loadTraffic';

/** Forged requests of every kind at four triggers, beside genuine deliveries. */

const SECRET = 'whsec_chosen_in_the_dashboard_000000';
const FORGERS = 10;
const SENDERS = 2;
const WARM_UP = { forged: 1_000, genuine: 20 };
const FLOOD = { forged: 5_000, genuine: 200 };
/** Megabytes that n8n's resident memory may be larger at the end of the flood than at its beginning. */
const MOST_GROWTH = 60;
/** n8n's limit of a body is 16 MiB. */
const TOO_LARGE = Buffer.alloc(17 * 1024 * 1024, 'x');

interface Target extends TriggerWorkflow {
	readonly trigger: TriggerCase;
	readonly path: string;
	readonly secret: string;
	readonly automatic: boolean;
}

async function publishTarget(bed: Bed, trigger: TriggerCase, automatic: boolean): Promise<Target> {
	const published = await publishTrigger(
		bed,
		trigger,
		automatic ? 'automatic' : 'manual',
		automatic ? { apiKey: bed.sandbox.keys[trigger.provider] } : { signingSecret: SECRET },
	);
	const [endpoint] = bed.sandbox.endpoints(trigger.provider);
	const secret = endpoint?.secret ?? SECRET;
	return { ...published, trigger, path: new URL(published.webhookUrl).pathname, secret, automatic };
}

/** Sends forged requests, all kinds in turn, and tells how often each status was answered. */
async function forge(
	url: string,
	requests: readonly ForgedRequest[],
	amount: number,
): Promise<Map<string, number>> {
	const { statusCodeStats = {}, errors } = await autocannon({
		url,
		amount,
		connections: FORGERS,
		timeout: 120,
		requests: requests.map((request) => ({ method: 'POST', ...request })),
	});
	const answers = new Map<string, number>();
	for (const [status, { count = 0 }] of Object.entries(statusCodeStats)) answers.set(status, count);
	if (errors > 0) answers.set('no answer', errors);
	return answers;
}

/** Fires genuine events at the targets in turn. */
async function sendGenuine(
	{ sandbox }: Bed,
	targets: readonly Target[],
	amount: number,
): Promise<DeliveryRecord[]> {
	const deliveries: DeliveryRecord[] = [];
	const turns = Array.from({ length: amount }, (_, index) => targets[index % targets.length]);
	await inParallel(turns, SENDERS, async (target) => {
		if (target === undefined) return;
		const { trigger, automatic, webhookUrl, secret } = target;
		const fired = await sandbox.fire({
			provider: trigger.provider,
			event: trigger.events[0],
			scheme: trigger.scheme,
			...(automatic ? {} : { url: webhookUrl, secret }),
		});
		deliveries.push(...fired);
	});
	return deliveries;
}

it('n8n withstands a flood of forged requests', async () => {
	await withBed({ env: { ...METRICS_ENV, ...LAZY_ISOLATES } }, async (bed) => {
		const { n8n } = bed;
		const targets = [
			await publishTarget(bed, misarMail, true),
			await publishTarget(bed, mailPanda, true),
			await publishTarget(bed, metigan, false),
			await publishTarget(bed, misarBlog, false),
		];
		const forgeries = targets.flatMap(({ trigger, path, secret }) =>
			forgeriesOf(trigger, path, secret),
		);
		const attack = async ({ forged, genuine }: typeof FLOOD) => {
			const traffic = Promise.all([
				forge(n8n.url, forgeries, forged),
				sendGenuine(bed, targets, genuine),
			]);
			const samples = await sampleMemory(n8n.url, traffic);
			const [answers, deliveries] = await traffic;
			return { answers, deliveries, samples };
		};

		const warmUp = await attack(WARM_UP);
		const started = Date.now();
		const flood = await attack(FLOOD);
		const seconds = (Date.now() - started) / 1000;
		const tooLarge: number[] = [];
		for (const { path } of targets) {
			const body = { method: 'POST', body: TOO_LARGE };
			// n8n answers before it has read the body, and would end a connection of its own at once.
			tooLarge.push((await fetch(`${n8n.url}${path}`, body)).status);
		}
		await untilIdle(n8n.userFolder);
		await n8n.kill();
		const runs = await storedRuns(n8n.userFolder);

		const fifth = Math.ceil(flood.samples.length / 5);
		const growth = median(flood.samples.slice(-fifth)) - median(flood.samples.slice(0, fifth));
		const deliveries = [...warmUp.deliveries, ...flood.deliveries];
		const thinned = (samples: number[]) =>
			samples.filter((_, index) => index % Math.ceil(samples.length / 12) === 0).join(' ');
		printFigures('Forged flood (four triggers, ten connections)', [
			['figure', 'value'],
			['forged requests after a warm-up', `${FLOOD.forged} after ${WARM_UP.forged}`],
			['kinds of forgery', String(forgeries.length)],
			['answers to the forged', [...flood.answers].map(([a, n]) => `${a}: ${n}`).join(', ')],
			['answers to bodies of 17 MiB', tally(tooLarge)],
			['genuine deliveries', `${flood.deliveries.length} after ${warmUp.deliveries.length}`],
			['answers to the genuine', tally(statusesOf(deliveries))],
			['stored executions', tally(runs.map(({ status }) => status))],
			['stored executions of forged requests', String(runs.length - deliveries.length)],
			['resident MB in the warm-up', thinned(warmUp.samples)],
			['resident MB in the flood', thinned(flood.samples)],
			['lowest, highest', `${Math.min(...flood.samples)}, ${Math.max(...flood.samples)}`],
			['growth, first to last fifth', `${growth} MB (at most ${MOST_GROWTH})`],
			['seconds', seconds.toFixed(1)],
		]);

		expect([...flood.answers]).toEqual([['401', FLOOD.forged]]);
		expect([...warmUp.answers]).toEqual([['401', WARM_UP.forged]]);
		expect(tooLarge).toEqual(targets.map(() => 413));
		expect(deliveries).toHaveLength(FLOOD.genuine + WARM_UP.genuine);
		expect(deliveries.filter(({ state }) => state !== 'delivered')).toEqual([]);
		expect(runs.filter(({ status }) => status !== 'success')).toEqual([]);
		const perTarget = targets.map(
			({ workflowId }) => runs.filter((run) => run.workflowId === workflowId).length,
		);
		expect(perTarget).toEqual(targets.map(() => deliveries.length / targets.length));
		expect(runs).toHaveLength(deliveries.length);
		expect(growth).toBeLessThanOrEqual(MOST_GROWTH);
	});
}, 1_800_000);
