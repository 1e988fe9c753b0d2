import { endpointLock } from '../state/endpointLock';
import type { Owner } from '../state/perTrigger';
import { knownTriggers } from '../state/recordStore';
import type { RegistrationRecord } from '../state/triggerState';

/** Another published trigger of this process whose endpoint a condition holds for. */
export function otherTrigger(
	{ workflowId, nodeId }: Owner,
	isMeant: (record: RegistrationRecord) => boolean,
): Owner | undefined {
	const other = knownTriggers().find(
		({ owner, state: { registration } }) =>
			(owner.workflowId !== workflowId || owner.nodeId !== nodeId) &&
			registration !== undefined &&
			isMeant(registration) &&
			endpointLock(owner).publishedUrl !== undefined,
	);
	return other?.owner;
}
