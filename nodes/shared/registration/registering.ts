import { PerTrigger, triggerKey, type Owner } from '../perTrigger';

/** What n8n's hooks do with a trigger's endpoint, for the checks of the same process to know. */

/** More triggers than one n8n has; where one is dropped, a check reads its state again. */
const CAPACITY = 10_000;

/** Registrations of a trigger's endpoint by n8n's hooks: number of the last one, and how many are under way. */
interface Registrations {
	last: number;
	underWay: number;
}

const registrations = new PerTrigger<Registrations>(() => ({ last: 0, underWay: 0 }), CAPACITY);
let count = 0;

/** Triggers whose endpoint could not be checked when n8n started: their next check is due at once. */
const failedStarts = new Set<string>();

/**
 * Does the work of one of n8n's hooks. n8n calls `trigger()` at the same time, so that a check of the
 * same endpoint may come meanwhile: it has to give way, because n8n keeps what the hook remembers.
 */
export async function registering<T>(owner: Owner, work: () => Promise<T>): Promise<T> {
	const own = registrations.of(triggerKey(owner));
	own.last = ++count;
	own.underWay += 1;
	try {
		return await work();
	} finally {
		own.underWay -= 1;
	}
}

/** Whether one of n8n's hooks is registering a trigger's endpoint now. */
export function isRegistering(owner: Owner): boolean {
	return registrations.of(triggerKey(owner)).underWay > 0;
}

/** The number of the last registration of a trigger's endpoint by n8n's hooks; 0 when there was none. */
export function lastRegistration(owner: Owner): number {
	return registrations.of(triggerKey(owner)).last;
}

/** Notes that the check of a trigger's endpoint at a start failed. */
export function noteFailedStart(owner: Owner): void {
	failedStarts.add(triggerKey(owner));
}

/** Whether the check at the last start failed. Returns true only once for each failure. */
export function takeFailedStart(owner: Owner): boolean {
	return failedStarts.delete(triggerKey(owner));
}
