import type { IHookFunctions, INode } from 'n8n-workflow';

/** The node that an endpoint or a delivery belongs to. */
export interface Owner {
	readonly workflowId: string;
	readonly nodeId: string;
}

/**
 * The node of a context.
 * @param node passed by a caller that has it already, because n8n makes a deep copy on each call
 */
export function ownerOf(
	context: Pick<IHookFunctions, 'getNode' | 'getWorkflow'>,
	node: Pick<INode, 'id'> = context.getNode(),
): Owner {
	return { workflowId: context.getWorkflow().id ?? '', nodeId: node.id };
}

/** A trigger's key in the memory of the process. */
export function triggerKey({ workflowId, nodeId }: Owner): string {
	return JSON.stringify([workflowId, nodeId]);
}

/**
 * One member for each trigger (or workflow), so that none displaces what another remembers. When there are too
 * many, the least recently used one is dropped.
 */
export class PerTrigger<T> {
	/** By key, the least recently used first. */
	private readonly members = new Map<string, T>();

	constructor(
		private readonly make: (key: string) => T,
		private readonly capacity: number,
	) {}

	of(key: string): T {
		const member = this.members.get(key) ?? this.make(key);
		this.members.delete(key);
		this.members.set(key, member);
		if (this.members.size > this.capacity) {
			const [leastRecent = ''] = this.members.keys();
			this.members.delete(leastRecent);
		}
		return member;
	}

	entries(): IterableIterator<[string, T]> {
		return this.members.entries();
	}
}
