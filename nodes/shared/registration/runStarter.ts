import { sleep, type IDataObject, type IRun, type ITriggerFunctions } from 'n8n-workflow';

import { isJsonObject, jsonObjectSchema } from '../jsonObject';

/** How long a short run of the trigger's own may take, including its wait in a queue. */
const SHORT_LIMIT_MS = 15 * 60_000;
/** The same for a run of the workflow that this process does not see running. */
const UNSEEN_LIMIT_MS = 60 * 60_000;
/** How far apart the answer of a run and the report of its end may come. */
const APART_MS = 1_000;

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
	readonly giveUp: (error: Error) => void;
}

/** A run that has ended. */
interface Ended {
	readonly succeeded: boolean;
	readonly answer: Response['promise'];
}

/** Starts runs of a trigger's workflow, and waits for their end. */
export class RunStarter {
	private readonly waiting = new Set<Waiting>();

	constructor(private readonly context: ITriggerFunctions) {}

	/**
	 * Runs the workflow to its end, successful or not.
	 * @param isSeen whether this process sees the run: then it may take any time
	 * @throws when n8n could not start it, or did not report its end in time
	 */
	async start(item: IDataObject, isSeen: () => boolean): Promise<void> {
		await this.run(item, UNSEEN_LIMIT_MS, isSeen);
	}

	/** A short run of the trigger's own. @throws when it failed, or did not end in time */
	async runShortly(item: IDataObject): Promise<void> {
		const { succeeded } = await this.run(item);
		if (!succeeded) throw new Error('n8n could not save what this trigger remembers');
	}

	/** A short run of the trigger's own that answers. @throws when it failed, or did not end in time */
	async ask(item: IDataObject): Promise<IDataObject> {
		const { succeeded, answer } = await this.run(item);
		const given = jsonObjectSchema.safeParse(await Promise.race([answer, sleep(APART_MS)]));
		if (!succeeded || !given.success) throw new Error('a run of this trigger failed');
		return given.data;
	}

	/**
	 * Gives up on runs that are taking too long.
	 * @param now epoch milliseconds
	 */
	giveUpOverdue(now: number): void {
		for (const { limit, isSeen, giveUp } of this.waiting) {
			if (now > limit && !isSeen())
				giveUp(new Error('n8n did not end a run of this trigger in time'));
		}
	}

	private async run(
		item: IDataObject,
		limitMs = SHORT_LIMIT_MS,
		isSeen = () => false,
	): Promise<Ended> {
		const done: Done = deferred<IRun>();
		const response: Response = deferred();
		const waiting = { limit: Date.now() + limitMs, isSeen, giveUp: done.reject };
		this.waiting.add(waiting);
		try {
			this.context.emit([[{ json: item }]], response, done);
			const succeeded = await Promise.race([
				done.promise.then((run: IRun | undefined) => run?.status === 'success'),
				endWithoutReport(response),
			]);
			return { succeeded, answer: response.promise };
		} finally {
			this.waiting.delete(waiting);
		}
	}
}

/**
 * n8n answers at the latest when a run ends. In queue mode that is all that comes where a worker is faster than
 * the main process, which begins to listen for the end (Bull's `job.finished()`) after it has queued the run.
 * @returns whether the run succeeded
 */
async function endWithoutReport(response: Response): Promise<boolean> {
	const answer: unknown = await response.promise;
	await sleep(APART_MS);
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
