import type { Binding } from './registration/secretVault';

/** The node that an endpoint or a delivery belongs to. */
export type Owner = Pick<Binding, 'workflowId' | 'nodeId'>;

/** A trigger's key in the memory of the process. */
export function triggerKey({ workflowId, nodeId }: Owner): string {
	return JSON.stringify([workflowId, nodeId]);
}

/**
 * One member for each trigger, so that no trigger's deliveries displace what another remembers. When
 * there are too many, the least recently used one is dropped.
 */
export class PerTrigger<T> {
	/** By the trigger's key, the least recently used first. */
	private readonly members = new Map<string, T>();

	constructor(
		private readonly make: () => T,
		private readonly capacity: number,
	) {}

	of(trigger: string): T {
		const member = this.members.get(trigger) ?? this.make();
		this.members.delete(trigger);
		this.members.set(trigger, member);
		if (this.members.size > this.capacity) {
			const [leastRecent = ''] = this.members.keys();
			this.members.delete(leastRecent);
		}
		return member;
	}
}
