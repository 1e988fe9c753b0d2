import type { ITriggerFunctions } from 'n8n-workflow';

import type { Provider } from '../provider';
import type { TriggerSettings } from '../settings';
import { countsOf } from './deliveryCounts';
import { endpointLock } from './endpointLock';
import { triggerKey, type Owner } from './perTrigger';

/** A trigger that is published in this process of n8n, and what it wants. */
export interface PublishedTrigger {
	readonly owner: Owner;
	readonly node: string;
	readonly workflow: string;
	readonly provider: Provider;
	readonly settings: TriggerSettings;
	/** Undefined before n8n's hooks have run. */
	readonly url: string | undefined;
}

/** What a trigger is announced with. */
interface Announcement extends Pick<PublishedTrigger, 'owner' | 'provider' | 'settings'> {
	readonly context: ITriggerFunctions;
}

const published = new Map<string, Omit<PublishedTrigger, 'url'>>();

/** Notes that a trigger is published in this process. @returns a function that ends that */
export function announce({ context, ...trigger }: Announcement): () => void {
	const key = triggerKey(trigger.owner);
	const entry = {
		...trigger,
		node: context.getNode().name,
		workflow: context.getWorkflow().name ?? '',
	};
	published.set(key, entry);
	// Counting begins now: that no delivery has arrived is worth reporting, too.
	countsOf(trigger.owner);
	return () => {
		// n8n may have started another one meanwhile.
		if (published.get(key) === entry) published.delete(key);
	};
}

/** Every trigger that is published in this process: none in a worker of queue mode. */
export function publishedTriggers(): PublishedTrigger[] {
	return [...published.values()].map((trigger) => ({
		...trigger,
		url: endpointLock(trigger.owner).publishedUrl,
	}));
}
