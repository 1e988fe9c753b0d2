import type { Operation } from '../../provider';
import { getMany } from './getMany';
import { receive } from './receive';

/** Deliveries of events: the provider's log of them, and one that arrived. */
export const deliveryOperations: readonly Operation[] = [getMany, receive];
