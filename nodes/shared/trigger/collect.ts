import { sleep, type IDataObject, type INode, type INodeProperties } from 'n8n-workflow';

import { GIVE_UP_MS, isAccepting, type Answer } from '../delivery/deduplicator';
import { MAX_COLLECT_SECONDS, type TriggerSettings } from '../settings';

/**
 * Collects deliveries that come within a short time, so that one run takes all of them. The first of them starts
 * the run; all are answered as n8n answers that one. Each process of n8n collects what it receives itself.
 */

const MAX_COLLECTED = 1_000;

/** Part of the time after which a run begins early because nothing more came. */
const SHARE_OF_SILENCE = 0.1;
/** Bodies of one run, which n8n holds in memory and stores together. */
const MAX_BYTES = 5_000_000;
/** How often to look whether n8n has answered a delivery, if nothing reports it. */
const LOOK_EVERY_MS = 100;

/** What decides how long deliveries are collected. */
type Limits = Pick<TriggerSettings, 'collectFor' | 'collectAtMost'>;

/** A verified delivery that waits for others. */
export interface Collectable {
	/** What a run is to get. */
	readonly items: readonly IDataObject[];
	/** Size of its body. */
	readonly bytes: number;
	readonly answer: Answer;
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

/** Collects deliveries. */
export class Collector {
	/** What the next delivery with the same key joins. */
	private readonly open = new Map<string, Batch>();

	/** @param key the same for deliveries that may have one run */
	async add(key: string, delivery: Collectable, limits: Limits): Promise<Collected> {
		const open = this.open.get(key);
		const batch = open ?? new Batch(delivery, limits);
		if (open === undefined) this.open.set(key, batch);
		batch.add(delivery);
		if (batch.isFull) this.open.delete(key);
		if (open !== undefined) return { isAccepted: await batch.isAccepted };
		await batch.complete();
		if (this.open.get(key) === batch) this.open.delete(key);
		return { items: batch.items };
	}
}

/**
 * Whether n8n has accepted the run that a delivery started: it answers once it has stored the run. `finish` never comes
 * when the sender has hung up, and late when an earlier request on the same connection has no answer yet.
 */
async function isAccepted(answer: Answer): Promise<boolean> {
	const finished = new Promise<void>((resolve) => answer.once('finish', resolve));
	for (let waitedMs = 0; !answer.writableEnded && waitedMs < GIVE_UP_MS; ) {
		await Promise.race([finished, sleep(LOOK_EVERY_MS)]);
		waitedMs += LOOK_EVERY_MS;
	}
	return answer.writableEnded && isAccepting(answer.statusCode);
}

const collector = new Collector();

/**
 * Collects a delivery with others to the same node, as the options Collect For and Collect at Most say.
 * @param node as it is in the version of the workflow that n8n runs for the delivery: events of another version are not
 * collected with it, because they may be read in another way or have other outputs
 */
export async function collect(
	workflowId: string,
	node: INode,
	delivery: Collectable,
	limits: Limits,
): Promise<Collected> {
	return await collector.add(JSON.stringify([workflowId, node]), delivery, limits);
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
