interface Round {
	readonly preparing: Array<Promise<unknown>>;
	readonly restarted: Promise<void>;
	readonly settling: Array<Promise<unknown>>;
}

/** Restarts that several tests share: all who prepare at the same time get the same one. */
export class RestartRounds {
	private open: Round | undefined;

	constructor(private readonly restart: () => Promise<void>) {}

	/**
	 * Prepares, waits for the restart, and returns what was prepared.
	 * @param settle what has to be over, for all of the round, before the next round can begin
	 */
	async join<T>(prepare: () => Promise<T>, settle?: (prepared: T) => Promise<void>): Promise<T> {
		this.open ??= this.begin();
		const { preparing, restarted, settling } = this.open;
		const prepared = prepare();
		preparing.push(prepared);
		await restarted;
		const result = await prepared;
		if (settle !== undefined) settling.push(settle(result));
		await new Promise((resolve) => setImmediate(resolve));
		await Promise.allSettled(settling);
		return result;
	}

	private begin(): Round {
		const preparing: Array<Promise<unknown>> = [];
		const allPrepared = async () => {
			for (let known = -1; known !== preparing.length; ) {
				known = preparing.length;
				await Promise.allSettled(preparing);
				// Whoever starts together with the first has joined by now.
				await new Promise((resolve) => setImmediate(resolve));
			}
			this.open = undefined;
			await this.restart();
		};
		return { preparing, restarted: Promise.resolve().then(allPrepared), settling: [] };
	}
}
