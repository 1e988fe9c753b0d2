import { hash } from 'node:crypto';

import { triggerKey, type Owner } from '../state/perTrigger';
import { DeduplicatorPool, type Answer, type DeliveryState } from './deduplicator';
import type { EventIdentity } from './event';

/** Characters from which on an id is remembered by its digest, to bound the memory it takes. */
const LONG_ID = 200;

/** How long equal bytes are one event where the body does not say when it happened. */
const RECURRENCE_MS = 24 * 60 * 60 * 1000;

/** What the nodes of the process have accepted. */
const deduplicators = new DeduplicatorPool();

/**
 * Whether a node has seen an event before; a new one is remembered.
 * @param answer the response that decides whether it was accepted; without one it is at once
 */
export function checkDelivery(
	owner: Owner,
	identity: EventIdentity,
	answer?: Answer,
): DeliveryState {
	return deduplicators.of(triggerKey(owner)).see(eventKey(identity), answer, lifetimeOf(identity));
}

/** How a run ended that worked on a delivery. */
export type RunEnd = 'succeeded' | 'failed' | 'running';

/** A run that works on a delivery, and is to be answered by its end. */
export interface DecidingRun {
	/** Id of the execution. */
	readonly id: string;
	/** How another run ended, which had the same event before. */
	readonly endOf: (id: string) => Promise<RunEnd>;
	readonly onCancel: (handler: () => void) => void;
}

/** The same where the run decides whether the event was accepted: what failed is new when it comes again. */
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

/** Under which an event is remembered. */
export function eventKey({ deliveryId }: EventIdentity): string {
	return deliveryId.length > LONG_ID ? hash('sha256', deliveryId) : deliveryId;
}

/** Milliseconds for which it is remembered; undefined without a limit. */
function lifetimeOf({ mayRecur }: EventIdentity): number | undefined {
	return mayRecur ? RECURRENCE_MS : undefined;
}
