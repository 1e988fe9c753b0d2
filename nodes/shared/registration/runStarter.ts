import type { IDataObject, IRun, ITriggerFunctions } from 'n8n-workflow';

import { jsonObjectSchema } from '../jsonObject';

/** How long a short run of the trigger's own may take, including its wait in a queue. */
const LIMIT_MS = 15 * 60_000;

/** How n8n reports that a run has ended. Not n8n-workflow's own, which 2.41 no longer exports. */
type Done = NonNullable<Parameters<ITriggerFunctions['emit']>[2]>;
/** How n8n passes on the answer of a run. */
type Response = NonNullable<Parameters<ITriggerFunctions['emit']>[1]>;

interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve: (value: T | PromiseLike<T>) => void;
	reject: (error: Error) => void;
}

/** Starts runs of a trigger's workflow, and waits for their end. */
export class RunStarter {
	/** The short runs being waited for: since when, in epoch milliseconds, and how to stop waiting. */
	private readonly waiting = new Set<{ since: number; reject: (error: Error) => void }>();

	constructor(private readonly context: ITriggerFunctions) {}

	/** Starts a run of the workflow. @returns the run once it has ended, successful or not */
	async start(item: IDataObject): Promise<IRun | undefined> {
		const done: Done = deferred<IRun>();
		this.context.emit([[{ json: item }]], undefined, done);
		return await done.promise;
	}

	/** A short run of the trigger's own. @throws when it failed, or did not end in time */
	async runShortly(item: IDataObject): Promise<void> {
		const done: Done = deferred<IRun>();
		const run: IRun | undefined = await this.shortly(done, () =>
			this.context.emit([[{ json: item }]], undefined, done),
		);
		if (run?.status !== 'success')
			throw new Error('n8n could not save what this trigger remembers');
	}

	/** A short run of the trigger's own that answers. @throws when it failed, or did not answer in time */
	async ask(item: IDataObject): Promise<IDataObject> {
		const done: Done = deferred<IRun>();
		const response: Response = deferred();
		// A run that fails before it answers would leave the question open.
		const failed = done.promise.then(async (run: IRun | undefined) =>
			run?.status === 'success'
				? await response.promise
				: await Promise.reject(new Error('a run of this trigger failed')),
		);
		const answer = Promise.race([response.promise, failed]);
		const value: unknown = await this.shortly({ promise: answer, reject: done.reject }, () =>
			this.context.emit([[{ json: item }]], response, done),
		);
		return jsonObjectSchema.parse(value);
	}

	/**
	 * Gives up on runs that are taking too long.
	 * @param now epoch milliseconds
	 */
	giveUpOverdue(now: number): void {
		for (const { since, reject } of this.waiting) {
			if (now - since > LIMIT_MS)
				reject(new Error('n8n did not end a run of this trigger in time'));
		}
	}

	private async shortly<T>(
		{ promise, reject }: { promise: Promise<T>; reject: (error: Error) => void },
		start: () => void,
	): Promise<T> {
		const entry = { since: Date.now(), reject };
		this.waiting.add(entry);
		try {
			start();
			return await promise;
		} finally {
			this.waiting.delete(entry);
		}
	}
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
