import { expect, it } from '@jest/globals';

import type { DeliveryRecord, SandboxEndpoint } from '../../sandbox';
import { printFigures } from '../figures';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { publishTrigger, type Bed } from '../../testkit/publishTrigger';
import { metigan, misarMail, type TriggerCase } from '../../testkit/triggers';
import { withBed } from './loadBed';
import { storedRuns, untilIdle, type StoredRun } from './loadRuns';
import { startStream, statusesOf, tally } from './loadTraffic';

/**
 * A signing secret is changed while deliveries arrive. What was signed with a secret that was valid at
 * the time is never refused, and each event runs once.
 */

const SENDERS = 4;
/** Deliveries between two steps of a rotation. */
const BETWEEN_STEPS = 30;
const FIRST = 'whsec_1first1first1first1first1first1f';
const SECOND = 'whsec_second_second_second_second_se';

interface Rotation {
	readonly title: string;
	readonly trigger: TriggerCase;
	readonly registration: 'automatic' | 'manual';
	/** Fields of the credential, step by step; an API key comes on top where it registers. */
	readonly start: Record<string, string>;
	readonly overlap: Record<string, string>;
	readonly end: Record<string, string>;
}

const rotations: Rotation[] = [
	{
		title: 'Metigan, manual',
		trigger: metigan,
		registration: 'manual',
		start: { signingSecret: FIRST },
		overlap: { signingSecret: SECOND, previousSigningSecret: FIRST },
		end: { signingSecret: SECOND },
	},
	{
		title: 'Misar Mail, automatic, chosen secret',
		trigger: misarMail,
		registration: 'automatic',
		start: { signingSecret: FIRST },
		overlap: { signingSecret: SECOND, previousSigningSecret: FIRST },
		end: { signingSecret: SECOND },
	},
	{
		title: 'Misar Mail, automatic, generated secret replaced by a chosen one',
		trigger: misarMail,
		registration: 'automatic',
		start: {},
		overlap: { signingSecret: SECOND },
		end: { signingSecret: SECOND },
	},
	{
		title: 'Metigan, automatic, secret issued by the provider',
		trigger: metigan,
		registration: 'automatic',
		start: {},
		overlap: { signingSecret: SECOND },
		end: { signingSecret: SECOND },
	},
];

/** The result of one rotation. */
interface Outcome {
	readonly workflowId: string;
	readonly deliveries: readonly DeliveryRecord[];
	/** Secrets that deliveries were signed with. */
	readonly secrets: ReadonlySet<string>;
	/** The endpoint that was there before the workflow was published again. */
	readonly former: string | undefined;
}

async function activeEndpoints(
	{ sandbox }: Bed,
	{ provider }: TriggerCase,
): Promise<SandboxEndpoint[]> {
	return await until('an active endpoint', 120_000, () => {
		const active = sandbox.endpoints(provider).filter((endpoint) => endpoint.active);
		return active.length > 0 ? active : undefined;
	});
}

async function rotate(bed: Bed, rotation: Rotation): Promise<Outcome> {
	const { n8n, sandbox } = bed;
	const { trigger, registration } = rotation;
	const automatic = registration === 'automatic';
	const key = automatic ? { apiKey: sandbox.keys[trigger.provider] } : {};
	const { workflowId, webhookUrl, setCredential } = await publishTrigger(
		bed,
		trigger,
		registration,
		{ ...key, ...rotation.start },
	);

	const deliveries: DeliveryRecord[] = [];
	const secrets = new Set<string>();
	let manualSecret = FIRST;
	const stream = startStream(SENDERS, async () => {
		if (!automatic) secrets.add(manualSecret);
		// Between the old and the new endpoint the provider has no endpoint to deliver to.
		else (await activeEndpoints(bed, trigger)).forEach(({ secret = '' }) => secrets.add(secret));
		const fired = await sandbox.fire({
			provider: trigger.provider,
			event: trigger.events[0],
			...(automatic ? {} : { url: webhookUrl, secret: manualSecret }),
		});
		deliveries.push(...fired);
	});
	const more = async () => {
		const goal = deliveries.length + BETWEEN_STEPS;
		await until(`${BETWEEN_STEPS} more deliveries`, 120_000, () =>
			deliveries.length >= goal ? true : undefined,
		);
	};

	await more();
	await setCredential({ ...key, ...rotation.overlap });
	await more();
	manualSecret = SECOND;
	const former = automatic ? sandbox.endpoints(trigger.provider)[0]?.id : undefined;
	await n8n.publish(workflowId);
	await more();
	// Nothing signed with the first secret is left on its way.
	await stream.drained();
	await setCredential({ ...key, ...rotation.end });
	await more();
	await stream.stop();
	await n8n.unpublish(workflowId);
	return { workflowId, deliveries, secrets, former };
}

/** Counts the runs of each event, and picks the deliveries of those that never ran. */
function verdictOf({ workflowId, deliveries }: Outcome, runs: readonly StoredRun[]) {
	const ran = new Map<string | undefined, number>();
	for (const run of runs.filter((other) => other.workflowId === workflowId)) {
		ran.set(eventIdOf(run), (ran.get(eventIdOf(run)) ?? 0) + 1);
	}
	const ids = [...new Set(deliveries.map(({ id }) => id))];
	return {
		events: ids.length,
		once: ids.filter((id) => ran.get(id) === 1).length,
		often: ids.filter((id) => (ran.get(id) ?? 0) > 1).length,
		cutOff: deliveries.filter(({ id }) => !ran.has(id)),
	};
}

/** Metigan's idempotency key is `<event>:<messageId>:<timestamp>`. */
function eventIdOf({ deliveryId }: StoredRun): string | undefined {
	return deliveryId?.split(':')[1] ?? deliveryId;
}

it('a trigger rotates secrets without refusing a delivery', async () => {
	// Without the publication service, a publish asks every trigger whether its endpoint is as it should be.
	const options = {
		sandbox: { retryTimeScale: 0.002 },
		publicationService: false,
		env: LAZY_ISOLATES,
	};
	await withBed(options, async (bed) => {
		const outcomes: Array<[Rotation, Outcome]> = [];
		for (const rotation of rotations) outcomes.push([rotation, await rotate(bed, rotation)]);
		await untilIdle(bed.n8n.userFolder);
		await bed.n8n.kill();
		const runs = await storedRuns(bed.n8n.userFolder);

		const results = outcomes.map(([{ title }, outcome]) => ({
			title,
			...outcome,
			...verdictOf(outcome, runs),
		}));
		printFigures('Secret rotation under load', [
			['rotation', 'secrets', 'events', 'answers', 'ran once', 'more often', 'cut off'],
			...results.map(({ title, secrets, events, deliveries, once, often, cutOff }) => [
				title,
				String(secrets.size),
				String(events),
				tally(statusesOf(deliveries)),
				String(once),
				String(often),
				String(cutOff.length),
			]),
		]);

		for (const { secrets, events, deliveries, once, often, cutOff, former } of results) {
			expect(secrets.size).toBeGreaterThanOrEqual(2);
			expect(deliveries.filter((delivery) => statusesOf([delivery]).includes(401))).toEqual([]);
			expect(often).toBe(0);
			expect(once + cutOff.length).toBe(events);
			// Only what was on its way when the endpoint was deleted: one delivery for each sender.
			expect(cutOff.length).toBeLessThanOrEqual(SENDERS);
			// n8n's publish deletes the endpoint, stops listening, and creates another: the provider does
			// not try again for the deleted one.
			for (const delivery of cutOff) {
				expect(delivery).toMatchObject({ state: 'failed', endpointId: former });
				expect([404, 503]).toContain(statusesOf([delivery]).at(-1));
			}
		}
	});
}, 1_200_000);
