import { sleep, type IDataObject, type IRun, type ITriggerFunctions } from 'n8n-workflow';

import { isJsonObject, jsonObjectSchema } from '../jsonObject';
import type { Identity } from '../recoveryApi';
import { commandItem } from './commands';
import { Mutex } from './mutex';
import { PerTrigger, type Owner } from './perTrigger';
import { newestStates } from './recordStore';

/** How long a short run of the trigger's own may take, including its wait in a queue. */
const SHORT_LIMIT_MS = 15 * 60_000;
/** The same for a run of the workflow that this process does not see running. */
const UNSEEN_LIMIT_MS = 60 * 60_000;
/** How long to wait for the report of a run's end after its answer, or for the answer after the report. */
const REPORT_DELAY_MS = 1_000;
const MAX_WORKFLOWS = 10_000;
/** How a run may end without having to be repeated: n8n has stored one that waits. */
const GOOD_ENDS: readonly unknown[] = ['success', 'waiting'];

/** How n8n reports that a run has ended. Not n8n-workflow's own, which 2.41 no longer exports. */
type Done = NonNullable<Parameters<ITriggerFunctions['emit']>[2]>;
/** How n8n passes on the answer of a run. */
type Response = NonNullable<Parameters<ITriggerFunctions['emit']>[1]>;

interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve: (value: T | PromiseLike<T>) => void;
	reject: (error: Error) => void;
}

/** A run that has not ended. */
interface Waiting {
	/** Epoch milliseconds. */
	readonly limit: number;
	/** Whether this process sees it running. */
	readonly isSeen: () => boolean;
	readonly expire: (error: Error) => void;
}

/** A run that was started. */
interface StartedRun {
	/** Whether it succeeded; so has one that waits, which n8n has stored. Rejects when it was canceled or refused. */
	readonly succeeded: Promise<boolean>;
	/** What it answered. */
	readonly answer: Response['promise'];
	/** Ends the wait for its end, which rejects with the error. */
	readonly expire: (error: Error) => void;
}

/** A run that has ended. */
interface Ended {
	readonly succeeded: boolean;
	readonly answer: Response['promise'];
}

/** Two runs of one workflow that save at once would overwrite each other: n8n writes the whole column. */
const saves = new PerTrigger(() => new Mutex(), MAX_WORKFLOWS);

/** Starts runs of a trigger's workflow, and waits for their end. */
export class Runs {
	/** Undefined once the trigger has ended. */
	private waiting: Set<Waiting> | undefined = new Set();

	constructor(
		private readonly context: ITriggerFunctions,
		private readonly owner: Owner,
	) {}

	/**
	 * Saves what this process knows of the workflow's triggers, in a run of its own: only a run sees the current
	 * static data. @throws when it failed, or did not end in time
	 */
	async save(): Promise<void> {
		await saves.of(this.owner.workflowId).run(async () => {
			const states = newestStates(this.owner);
			const { succeeded } = await this.run(commandItem({ do: 'save', states }));
			if (!succeeded) throw new Error('n8n could not save what this trigger remembers');
		});
	}

	/**
	 * Asks n8n's database which of several events have not run, and claims these.
	 * @param ended keys of recovered events whose runs have ended
	 * @returns the answer of the run
	 * @throws when it failed, or did not end in time
	 */
	async query(events: readonly Identity[], ended: readonly string[] = []): Promise<IDataObject> {
		const item = commandItem({ do: 'query', events: [...events], ended: [...ended] });
		const { succeeded, answer } = await this.run(item);
		const given = jsonObjectSchema.safeParse(await Promise.race([answer, sleep(REPORT_DELAY_MS)]));
		if (!succeeded || !given.success) {
			throw new Error('n8n could not look up which events have run');
		}
		return given.data;
	}

	/**
	 * Runs the workflow to its end, successful or not.
	 * @param isSeen whether this process sees the run: then it may take any time
	 * @throws when n8n could not start it, or did not report its end in time
	 */
	async toEnd(item: IDataObject, isSeen: () => boolean): Promise<void> {
		await this.run(item, UNSEEN_LIMIT_MS, isSeen);
	}

	/** Gives up on runs that are taking too long. @param now epoch milliseconds */
	expire(now: number): void {
		for (const { limit, isSeen, expire } of this.waiting ?? []) {
			if (now > limit && !isSeen()) {
				expire(new Error('n8n did not finish a run of this trigger in time'));
			}
		}
	}

	/** Gives up on all runs when the trigger has ended, so that no saves of other triggers wait for them. */
	close(): void {
		this.expire(Number.POSITIVE_INFINITY);
		this.waiting = undefined;
	}

	private async run(
		item: IDataObject,
		limitMs = SHORT_LIMIT_MS,
		isSeen = () => false,
	): Promise<Ended> {
		const { waiting: runs } = this;
		if (runs === undefined) throw new Error('the trigger has ended');
		const { succeeded, answer, expire } = startRun(this.context, [item]);
		const waiting = { limit: Date.now() + limitMs, isSeen, expire };
		runs.add(waiting);
		try {
			return { succeeded: await succeeded, answer };
		} finally {
			runs.delete(waiting);
		}
	}
}

/** Starts a run of a trigger's workflow with some items. @throws what n8n throws if it does not accept the run */
export function startRun(context: ITriggerFunctions, items: readonly IDataObject[]): StartedRun {
	const done: Done = deferred<IRun>();
	const response: Response = deferred();
	context.emit([items.map((json) => ({ json }))], response, done);
	const succeeded = Promise.race([
		// n8n reports no run where it failed before its first node.
		done.promise.then((run: IRun | undefined) => GOOD_ENDS.includes(run?.status)),
		endedByResponse(response),
	]);
	return { succeeded, answer: response.promise, expire: done.reject };
}

/**
 * n8n answers at the latest when a run ends. In queue mode the answer is all that arrives if a worker is faster than
 * the main process, which begins to listen for the end (Bull's `job.finished()`) after it has queued the run.
 * @returns whether the run succeeded
 */
async function endedByResponse(response: Response): Promise<boolean> {
	const answer: unknown = await response.promise;
	// From a node Respond to Webhook: the run goes on.
	if (isJsonObject(answer) && 'headers' in answer) return await new Promise<never>(() => {});
	await sleep(REPORT_DELAY_MS);
	// What n8n answers in place of a run that failed in a worker.
	return !(isJsonObject(answer) && answer['statusCode'] === 500);
}

function deferred<T>(): Deferred<T> {
	let resolve: Deferred<T>['resolve'] = () => {};
	let reject: Deferred<T>['reject'] = () => {};
	const promise = new Promise<T>((onResolve, onReject) => {
		resolve = onResolve;
		reject = onReject;
	});
	return { promise, resolve, reject };
}
