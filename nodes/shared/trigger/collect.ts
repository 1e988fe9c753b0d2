import { sleep, type IDataObject, type INodeProperties } from 'n8n-workflow';

import { GIVE_UP_MS, isAccepting, type Answer } from '../delivery/deduplicator';
import { MAX_COLLECT_SECONDS, type TriggerSettings } from '../settings';
import { PerTrigger, triggerKey, type Owner } from '../state/perTrigger';

/**
 * Collects deliveries that come within a short time, so that one run takes all of them. The first of them starts
 * the run; all are answered as n8n answers that one. Each process of n8n collects what it receives itself.
 */

const MAX_COLLECTED = 1_000;

/** Part of the time after which a run begins early because nothing more came. */
const SHARE_OF_SILENCE = 0.1;
/** Bodies of one run, which n8n holds in memory and stores together. */
const MAX_BYTES = 5_000_000;
/** How often to look whether n8n has answered a delivery whose sender hung up. */
const LOOK_EVERY_MS = 100;
const MAX_TRIGGERS = 1_000;

/** What decides how long deliveries are collected. */
type Limits = Pick<TriggerSettings, 'collectFor' | 'collectAtMost'>;

/** The part of an HTTP response that shows whether n8n has accepted a run. */
export interface RunAnswer extends Answer {
	once(event: 'finish' | 'close', listener: () => void): unknown;
}

/** A verified delivery that waits for others. */
export interface Collectable {
	/** What a run is to get. */
	readonly items: readonly IDataObject[];
	/** Size of its body. */
	readonly bytes: number;
	readonly answer: RunAnswer;
}

/** The items to start a run with, for the first delivery; for the others whether n8n has accepted it. */
type Collected = { readonly items: readonly IDataObject[] } | { readonly isAccepted: boolean };

/** Deliveries for one run. */
class Batch {
	readonly items: IDataObject[] = [];
	/** Whether n8n has accepted the run. */
	readonly isAccepted: Promise<boolean>;
	isFull = false;
	private deliveries = 0;
	private bytes = 0;
	/** When the last delivery came, by the clock of `performance`. */
	private lastAt = 0;
	private whenFull: () => void = () => {};
	private readonly full = new Promise<void>((resolve) => (this.whenFull = resolve));

	constructor(
		first: Collectable,
		private readonly limits: Limits,
	) {
		this.isAccepted = isAccepted(first.answer);
	}

	add({ items, bytes }: Collectable): void {
		this.items.push(...items);
		this.deliveries += 1;
		this.bytes += bytes;
		this.lastAt = performance.now();
		if (this.deliveries < this.limits.collectAtMost && this.bytes < MAX_BYTES) return;
		this.isFull = true;
		this.whenFull();
	}

	/** Resolves when the batch is full, when its time is over, or when nothing has come for a part of that time. */
	async complete(): Promise<void> {
		const limitMs = this.limits.collectFor * 1000;
		const endsAt = performance.now() + limitMs;
		const restMs = () =>
			Math.min(endsAt, this.lastAt + limitMs * SHARE_OF_SILENCE) - performance.now();
		while (!this.isFull && restMs() > 0) await Promise.race([this.full, sleep(restMs())]);
	}
}

/** Collects the deliveries of one trigger. */
export class Collector {
	/** What the next delivery joins. */
	private open: Batch | undefined;

	async add(delivery: Collectable, limits: Limits): Promise<Collected> {
		const { open } = this;
		const batch = open ?? new Batch(delivery, limits);
		batch.add(delivery);
		this.open = batch.isFull ? undefined : batch;
		if (open !== undefined) return { isAccepted: await batch.isAccepted };
		await batch.complete();
		if (this.open === batch) this.open = undefined;
		return { items: batch.items };
	}
}

/** Whether n8n has accepted the run that a delivery started: it answers once it has stored the run. */
async function isAccepted(answer: RunAnswer): Promise<boolean> {
	await new Promise<void>((resolve) => {
		answer.once('finish', resolve);
		answer.once('close', resolve);
	});
	// The sender hung up. n8n starts the run all the same.
	for (let waitedMs = 0; !answer.writableEnded && waitedMs < GIVE_UP_MS; ) {
		await sleep(LOOK_EVERY_MS);
		waitedMs += LOOK_EVERY_MS;
	}
	return answer.writableEnded && isAccepting(answer.statusCode);
}

const collectors = new PerTrigger(() => new Collector(), MAX_TRIGGERS);

/** Collects a delivery with others of its trigger, as the options Collect For and Collect at Most say. */
export async function collect(
	owner: Owner,
	delivery: Collectable,
	limits: Limits,
): Promise<Collected> {
	return await collectors.of(triggerKey(owner)).add(delivery, limits);
}

export const COLLECT_OPTIONS: readonly INodeProperties[] = [
	{
		displayName: 'Collect at Most',
		name: 'collectAtMost',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_COLLECTED, numberPrecision: 0 },
		default: 100,
		description:
			'With Collect For: how many events one run takes. With the last of them it begins at once.',
	},
	{
		displayName: 'Collect For (Seconds)',
		name: 'collectFor',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_COLLECT_SECONDS, numberPrecision: 1 },
		default: 0,
		description:
			'How long to wait for more events, so that one run takes all of them, each as an item. It begins early when nothing comes for a tenth of that time. With 0 each event has a run of its own.',
	},
];
