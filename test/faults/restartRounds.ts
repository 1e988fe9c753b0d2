interface Round {
	readonly preparing: Array<Promise<unknown>>;
	readonly restarted: Promise<void>;
}

/** Restarts that several tests share: all who prepare at the same time get the same one. */
export class RestartRounds {
	private open: Round | undefined;

	constructor(private readonly restart: () => Promise<void>) {}

	/** Prepares, waits for the restart, and returns what was prepared. */
	async join<T>(prepare: () => Promise<T>): Promise<T> {
		this.open ??= this.begin();
		const { preparing, restarted } = this.open;
		const prepared = prepare();
		preparing.push(prepared);
		await restarted;
		return await prepared;
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
		return { preparing, restarted: Promise.resolve().then(allPrepared) };
	}
}
