import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from './dispatcher';
import type { DeliveryRecord, FireInput, Repetition, RunningFire } from './types';

/** How often it looks which events are due. */
const TICK_MS = 20;

/** Fires events at a rate, until all are sent or it is stopped. */
export class Repeater {
	private stopping = new AbortController();

	constructor(private readonly dispatcher: Dispatcher) {}

	/** See `Sandbox.fireRepeatedly`. */
	run(input: FireInput, repetition: Repetition): RunningFire {
		const first = this.dispatcher.begin(input);
		return { receivers: first.length, ended: this.rest(first, input, repetition) };
	}

	/** Fires nothing more. */
	stop(): void {
		this.stopping.abort();
		this.stopping = new AbortController();
	}

	private async rest(
		begun: Array<Promise<DeliveryRecord>>,
		input: FireInput,
		{ times, perSecond }: Repetition,
	): Promise<DeliveryRecord[]> {
		const { signal } = this.stopping;
		const startedAt = performance.now();
		for (let fired = 1; fired < times && !signal.aborted; ) {
			const elapsedSeconds = (performance.now() - startedAt) / 1000;
			const due = Math.min(times, 1 + Math.floor(elapsedSeconds * perSecond));
			for (; fired < due; fired += 1) begun.push(...this.dispatcher.begin(input));
			if (fired < times) await sleep(TICK_MS, undefined, { signal }).catch(() => {});
		}
		return await Promise.all(begun);
	}
}
