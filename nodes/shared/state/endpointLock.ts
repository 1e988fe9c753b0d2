import { Mutex } from './mutex';
import { PerTrigger, triggerKey, type Owner } from './perTrigger';
import { within } from './within';

/** More triggers than one n8n has; where one is dropped, a check reads its state again. */
const CAPACITY = 10_000;
/** How long a hook waits for a check to end: a person may be waiting for the hook. */
const CHECK_LIMIT_MS = 15_000;

/**
 * Who works on one trigger's endpoint in this process. n8n's hooks come first, one after the other. No check begins
 * while a hook is at work; a check that had begun is overtaken: it undoes what it created, and the hook waits for it.
 */
export class EndpointLock {
	/** A new one with each hook: a check that began under another one is overtaken. */
	generation = Symbol('generation');
	/**
	 * A `thorough` check looks for endpoints that are left over at our URL as well; one that is due `withinAMinute` or
	 * `atOnce` does so whatever the interval.
	 */
	nextCheck: 'ordinary' | 'thorough' | 'withinAMinute' | 'atOnce' = 'ordinary';
	/** The webhook URL while the trigger is published in this process; a check cannot ask n8n for it. */
	publishedUrl: string | undefined;
	/** It was published, and it is not checked yet whether that URL leads to this n8n. */
	isReachUnknown = false;

	private readonly hooks = new Mutex();
	private readonly removals = new Mutex();
	private check: Promise<void> | undefined;

	/** Does the work of one of n8n's hooks, after a check under way has ended. */
	async hook<T>(work: () => Promise<T>): Promise<T> {
		this.generation = Symbol('generation');
		return await this.hooks.run(async () => {
			if (this.check !== undefined) await within(this.check, CHECK_LIMIT_MS);
			return await work();
		});
	}

	/** Checks the endpoint, unless one of n8n's hooks is at work. */
	async tryCheck(work: () => Promise<void>): Promise<void> {
		if (this.hooks.pending > 0) return;
		const running = work();
		const ended = running.catch(() => undefined);
		this.check = ended;
		try {
			await running;
		} finally {
			if (this.check === ended) this.check = undefined;
		}
	}

	/** Removes a test listener's endpoint after n8n's `delete` has returned. @param remove never rejects */
	removeLater(remove: () => Promise<void>): void {
		void this.removals.run(remove);
	}

	/** Waits for such removals to end: they would also remove a new listener's endpoint. */
	async removed(): Promise<void> {
		await this.removals.run(async () => {});
	}
}

const locks = new PerTrigger(() => new EndpointLock(), CAPACITY);

/** The lock of a trigger's endpoint, the same in the whole process. */
export function endpointLock(owner: Owner): EndpointLock {
	return locks.of(triggerKey(owner));
}
