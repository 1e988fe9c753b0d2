import type { Operation } from '../../provider';
import { getSample } from './getSample';

/** Events, without the provider being asked. */
export const eventOperations: readonly Operation[] = [getSample];
