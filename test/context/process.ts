import path from 'node:path';

import { afterEach, jest } from '@jest/globals';

import * as perTrigger from '../../nodes/shared/state/perTrigger';

/**
 * What the package remembers of its triggers in a process of n8n. Tests share workflow and node ids, so each one
 * begins in a process that has seen none of them.
 */

type Members = Map<string, unknown>;

/** As tests load the package: built, or for a provider that exists only in the tests. */
const loaded = [
	perTrigger,
	jest.requireActual<typeof perTrigger>(
		path.join(__dirname, '../../dist/nodes/shared/state/perTrigger.js'),
	),
];
const memories = new Set<{ members: Members }>();
for (const { PerTrigger } of loaded) {
	const { of } = PerTrigger.prototype;
	PerTrigger.prototype.of = function remembered(key) {
		memories.add(this as unknown as { members: Members });
		return of.call(this, key);
	};
}

let current = '';
/** What the other processes of a test remember. */
const others = new Map<string, Map<object, Members>>();

/** Continues in another process of n8n, a new one or one of this test. */
export function useProcess(name: string): void {
	if (name === current) return;
	const own = new Map<object, Members>();
	const next = others.get(name) ?? new Map<object, Members>();
	for (const memory of memories) {
		own.set(memory, new Map(memory.members));
		memory.members.clear();
		for (const [key, member] of next.get(memory) ?? []) memory.members.set(key, member);
	}
	others.set(current, own);
	current = name;
}

/** Ends the process: what it remembered is gone. */
export function endProcess(): void {
	for (const { members } of memories) members.clear();
}

afterEach(() => {
	endProcess();
	others.clear();
	current = '';
});
