import { EventEmitter } from 'node:events';
import type { ApiRequestRecord, DeliveryAttempt, DeliveryRecord, Tamper } from './types';

/** A try to deliver, with what `DeliveryAttempt` leaves out. It changes until it is over. */
export interface ObservedAttempt {
	readonly delivery: Readonly<DeliveryRecord>;
	/** 1 for the first. */
	readonly number: number;
	/** Epoch milliseconds. */
	readonly at: number;
	readonly body: Buffer;
	readonly tamper?: Tamper;
	/** Empty until they are signed. */
	headers: Readonly<Record<string, string>>;
	/** Absent until the try is over. */
	result?: DeliveryAttempt;
	/** Present while another try is scheduled: when, in epoch milliseconds, and how many may follow. */
	retry?: { at: number; left: number };
}

/**
 * Emits what happens. `attempt` and `call` are emitted with the same object each time that it
 * has changed; `change` covers endpoints, API keys and faults.
 */
export class Observer extends EventEmitter<{
	attempt: [ObservedAttempt];
	call: [ApiRequestRecord];
	change: [];
	reset: [];
}> {}
