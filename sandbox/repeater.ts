import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from './dispatcher';
import type { DeliveryRecord, FireInput, Repetition, RunningFire, Tried } from './types';

/** How often due events are looked for. */
const TICK_MS = 20;

/** Fires events at a rate, until all are sent or it is stopped. */
export class Repeater {
	private stopping = new AbortController();

	constructor(private readonly dispatcher: Dispatcher) {}

	/** See `Sandbox.fireRepeatedly`. */
	run(input: FireInput, repetition: Repetition, onTry?: (tried: Tried) => void): RunningFire {
		const begin = () => this.dispatcher.begin(input, onTry);
		const deliveries = begin();
		const receivers = deliveries.length;
		const begun = this.rest(deliveries, begin, repetition);
		const ended = begun.then(async () => await Promise.all(deliveries));
		// The caller need not wait for them: the log shows the outcome.
		for (const promise of [begun, ended]) promise.catch(() => {});
		return { receivers, begun, ended };
	}

	/** Stops firing. */
	stop(): void {
		this.stopping.abort();
		this.stopping = new AbortController();
	}

	/** Fires the events after the first. @returns how many deliveries there are then */
	private async rest(
		deliveries: Array<Promise<DeliveryRecord>>,
		begin: () => Array<Promise<DeliveryRecord>>,
		{ times, perSecond }: Repetition,
	): Promise<number> {
		const { signal } = this.stopping;
		const startedAt = performance.now();
		for (let fired = 1; fired < times && !signal.aborted; ) {
			const elapsedSeconds = (performance.now() - startedAt) / 1000;
			const due = Math.min(times, 1 + Math.floor(elapsedSeconds * perSecond));
			for (; fired < due; fired += 1) deliveries.push(...begin());
			if (fired < times) await sleep(TICK_MS, undefined, { signal }).catch(() => {});
		}
		return deliveries.length;
	}
}
