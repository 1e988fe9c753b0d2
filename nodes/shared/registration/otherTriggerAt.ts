import { endpointLock } from '../state/endpointLock';
import type { Owner } from '../state/perTrigger';
import { knownTriggers } from '../state/recordStore';
import type { RegistrationRecord } from '../state/triggerState';
import { sameUrl } from '../url';

/**
 * Another published trigger of this process that has an endpoint at a URL.
 * @param isMeant picks the endpoint; its id alone is not enough, because two accounts can have the same
 */
export function otherTriggerAt(
	{ workflowId, nodeId }: Owner,
	url: string,
	isMeant: (record: RegistrationRecord) => boolean = () => true,
): Owner | undefined {
	const other = knownTriggers().find(
		({ owner, state: { registration } }) =>
			(owner.workflowId !== workflowId || owner.nodeId !== nodeId) &&
			registration?.url !== undefined &&
			sameUrl(registration.url, url) &&
			isMeant(registration) &&
			endpointLock(owner).publishedUrl !== undefined,
	);
	return other?.owner;
}
