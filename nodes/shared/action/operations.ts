import type { Provider } from '../provider';
import { deliveryOperations } from './delivery/getMany';
import { endpointOperations } from './endpoint/operations';
import { eventOperations } from './eventOperations';
import { listOperations } from './listOperations';
import type { Operation } from './operation';
import { receiveOperation } from './delivery/receive';
import { signatureOperations } from './signature/operations';

/** Every operation that an action node may have. */
export const OPERATIONS: readonly Operation[] = [
	...endpointOperations,
	...deliveryOperations,
	...eventOperations,
	...listOperations,
	...signatureOperations,
	receiveOperation,
];

/** The operations that a provider has. */
export function operationsOf(provider: Provider): readonly Operation[] {
	return OPERATIONS.filter((operation) => operation.offered(provider) !== undefined);
}
