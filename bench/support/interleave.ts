type Work = () => boolean | Promise<boolean>;

/** One way to do a piece of work, measured beside others. */
export interface Contender<Input> {
	readonly name: string;
	/**
	 * Gets everything ready for one input, unmeasured, and returns the work.
	 * The work returns whether it did what it should; an outcome of false ends the measurement.
	 */
	prepare(input: Input): Work | Promise<Work>;
	/** Called with each input after its work, unmeasured. */
	tidy?(input: Input): void;
}

export interface InterleaveOptions<Input> {
	/** Rounds that come first and are not counted: until the code has been compiled. */
	readonly warmUp: number;
	readonly rounds: number;
	/** Makes the inputs of one contender in one round; the time is per input. */
	readonly inputs: () => Input[];
}

/** Microseconds per input: one figure for each round, in the order of the rounds. */
export type Samples = Record<string, number[]>;

/**
 * Measures contenders beside each other: every round runs all of them in a random order, so that
 * what the machine does meanwhile falls on all alike.
 *
 * @throws Error when the work of a contender did not do what it should
 */
export async function interleave<Input>(
	contenders: ReadonlyArray<Contender<Input>>,
	{ warmUp, rounds, inputs }: InterleaveOptions<Input>,
): Promise<Samples> {
	const samples: Samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
	for (let round = -warmUp; round < rounds; round++) {
		for (const contender of shuffled(contenders)) {
			const microseconds = await measure(contender, inputs());
			if (round >= 0) samples[contender.name]?.push(microseconds);
		}
	}
	return samples;
}

async function measure<Input>(contender: Contender<Input>, inputs: Input[]): Promise<number> {
	const works = await Promise.all(inputs.map((input) => contender.prepare(input)));
	const outcomes: boolean[] = [];
	// What came before must not be collected on this contender's time.
	globalThis.gc?.({ type: 'minor' });
	const started = process.hrtime.bigint();
	for (const work of works) {
		const outcome = work();
		outcomes.push(typeof outcome === 'boolean' ? outcome : await outcome);
	}
	const microseconds = Number(process.hrtime.bigint() - started) / 1_000 / inputs.length;
	for (const input of inputs) contender.tidy?.(input);
	if (!outcomes.every(Boolean)) throw new Error(`"${contender.name}" did not do its work`);
	return microseconds;
}

export function shuffled<T>(items: readonly T[]): T[] {
	return items
		.map((item) => ({ item, place: Math.random() }))
		.sort((a, b) => a.place - b.place)
		.map(({ item }) => item);
}
