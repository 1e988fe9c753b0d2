import { sleep } from 'n8n-workflow';

import { PerTrigger, triggerKey, type Owner } from '../perTrigger';

/** Keeps n8n's hooks and the checks of the same process from working on one trigger's endpoint at a time. */

/** More triggers than one n8n has; where one is dropped, a check reads its state again. */
const CAPACITY = 10_000;
/** How long a hook waits for a check to end: a person may be waiting for the hook. */
const CHECK_LIMIT_MS = 15_000;
const LOOK_MS = 50;

/** Registrations of a trigger's endpoint by n8n's hooks: number of the last one, and how many are under way. */
interface Registrations {
	last: number;
	underWay: number;
	/** The last check that has begun, while it is under way. */
	check?: symbol | undefined;
}

const registrations = new PerTrigger<Registrations>(() => ({ last: 0, underWay: 0 }), CAPACITY);
let count = 0;

/** Triggers of which a start or a check was interrupted: their next check is due at once. */
const interrupted = new Set<string>();

/**
 * Does the work of one of n8n's hooks. A check of the same endpoint gives way: none begins meanwhile, and one
 * that had begun notices, undoes what it created, and is waited for. What it saves late would overwrite what
 * n8n keeps of the hook, and what it deletes late would be missing.
 */
export async function registering<T>(owner: Owner, work: () => Promise<T>): Promise<T> {
	const own = registrations.of(triggerKey(owner));
	own.last = ++count;
	own.underWay += 1;
	try {
		for (let waited = 0; own.check !== undefined && waited < CHECK_LIMIT_MS; waited += LOOK_MS) {
			await sleep(LOOK_MS);
		}
		return await work();
	} finally {
		own.underWay -= 1;
	}
}

/** Checks a trigger's endpoint, unless one of n8n's hooks is registering it. */
export async function checking(owner: Owner, work: () => Promise<void>): Promise<void> {
	const own = registrations.of(triggerKey(owner));
	if (own.underWay > 0) return;
	const check = Symbol('check');
	own.check = check;
	try {
		await work();
	} finally {
		if (own.check === check) own.check = undefined;
	}
}

/** The number of the last registration of a trigger's endpoint by n8n's hooks; 0 when there was none. */
export function lastRegistration(owner: Owner): number {
	return registrations.of(triggerKey(owner)).last;
}

/** Notes that the check of a trigger's endpoint at a start failed, or that a later one was overtaken. */
export function noteInterruption(owner: Owner): void {
	interrupted.add(triggerKey(owner));
}

/** Whether that was noted since the last call for the same trigger. */
export function takeInterruption(owner: Owner): boolean {
	return interrupted.delete(triggerKey(owner));
}
