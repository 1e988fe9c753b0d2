import type { Operation, Provider, ProviderFamily } from '../provider';
import { deliveryOperations } from './delivery/operations';
import { endpointOperations } from './endpoint/operations';
import { eventOperations } from './event/operations';
import { signatureOperations } from './signature/operations';

/** The operations that a provider has: those that several have, and its own. */
export function operationsOf(provider: Provider): readonly Operation[] {
	return [
		...endpointOperations,
		// Before those that every provider has: the editor preselects the first.
		...(provider.operations ?? []),
		...deliveryOperations,
		...eventOperations,
		...signatureOperations,
	].filter((operation) => operation.offered(provider) !== undefined);
}

/** The operations of a family, each once. */
export function operationsIn(family: ProviderFamily): readonly Operation[] {
	return [...new Set(family.flatMap(operationsOf))];
}
