import { triggerKey, type Owner } from '../perTrigger';

/** Removes the endpoints of test listeners after n8n's `delete` has returned. */

/** By the trigger's key, while they are under way. */
const removals = new Map<string, Promise<void>>();

/**
 * Starts a removal, after one that is under way for the same trigger.
 * @param remove never rejects
 */
export function removeLater(owner: Owner, remove: () => Promise<void>): void {
	const key = triggerKey(owner);
	const removal = (removals.get(key) ?? Promise.resolve()).then(remove).finally(() => {
		if (removals.get(key) === removal) removals.delete(key);
	});
	removals.set(key, removal);
}

/** Waits until no removal is under way for a trigger: it would take a new listener's endpoint along. */
export async function removalsEnded(owner: Owner): Promise<void> {
	await removals.get(triggerKey(owner));
}
