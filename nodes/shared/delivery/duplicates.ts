import { hash } from 'node:crypto';

import { triggerKey, type Owner } from '../state/perTrigger';
import { DeduplicatorPool, type Answer, type Sighting } from './deduplicator';
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
export function seeDelivery(
	owner: Owner,
	{ deliveryId, mayRecur }: EventIdentity,
	answer?: Answer,
): Sighting {
	const key = deliveryId.length > LONG_ID ? hash('sha256', deliveryId) : deliveryId;
	return deduplicators.of(triggerKey(owner)).see(key, answer, mayRecur ? RECURRENCE_MS : undefined);
}
