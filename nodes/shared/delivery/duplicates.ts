import { hash } from 'node:crypto';

import { triggerKey, type Owner } from '../state/perTrigger';
import { DeduplicatorPool, type Answer, type DeliveryState } from './deduplicator';
import type { EventIdentity } from './event';

/** Ids with more characters than this are remembered by their digest, to bound the memory they take. */
const LONG_ID = 200;

/** How long an identical body is the same event, if it does not say when the event happened. */
const RECURRENCE_MS = 24 * 60 * 60 * 1000;

/** The deliveries that the nodes of this process have accepted. */
const deduplicators = new DeduplicatorPool();

/**
 * Whether a node has seen an event before; a new one is remembered.
 * @param answer the response that decides whether it was accepted; without one, it is accepted at once
 */
export function checkDelivery(
	owner: Owner,
	identity: EventIdentity,
	answer?: Answer,
): DeliveryState {
	return deduplicators.of(triggerKey(owner)).see(eventKey(identity), answer, lifetimeOf(identity));
}

/** How the run of a delivery ended, or that it has not. */
export type RunEnd = 'succeeded' | 'failed' | 'running';

/** A run that handles a delivery, which is answered according to how the run ends. */
export interface DecidingRun {
	/** Id of the execution. */
	readonly id: string;
	/** How an earlier run of the same event ended. */
	readonly endOf: (id: string) => Promise<RunEnd>;
	readonly onCancel: (handler: () => void) => void;
}

/** Like `checkDelivery`, but the run decides whether the event is accepted: a failed one is new when it comes again. */
export async function checkDeliveryInRun(
	owner: Owner,
	identity: EventIdentity,
	{ id, endOf, onCancel }: DecidingRun,
): Promise<DeliveryState> {
	const memory = deduplicators.of(triggerKey(owner));
	const key = eventKey(identity);
	const earlier = memory.runOf(key);
	if (earlier === id) return 'accepted';
	if (earlier !== undefined) {
		const end = await endOf(earlier);
		if (end !== 'running') memory.endRun(key, earlier, end === 'succeeded');
	}
	const sighting = memory.see(key, { run: id }, lifetimeOf(identity));
	if (sighting === 'new') onCancel(() => memory.endRun(key, id, false));
	return sighting;
}

/** The key under which an event is remembered. */
export function eventKey({ deliveryId }: EventIdentity): string {
	return deliveryId.length > LONG_ID ? hash('sha256', deliveryId) : deliveryId;
}

/** Milliseconds for which an event is remembered; undefined without a limit. */
function lifetimeOf({ mayRecur }: EventIdentity): number | undefined {
	return mayRecur ? RECURRENCE_MS : undefined;
}
