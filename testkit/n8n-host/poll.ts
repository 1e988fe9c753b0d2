/** Raised by {@link until} when the condition did not come true in time. */
export class DeadlineError extends Error {
	override readonly name = 'DeadlineError';
}

/** The pause between two questions grows with the time waited, because each question costs processor time. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
const SHARE_OF_WAIT = 0.2;

/**
 * Waits for a condition: asks again until the answer is not `undefined`.
 *
 * @param what - what is awaited, for the message
 * @param timeoutMs - milliseconds
 * @throws DeadlineError when the time is over; anything that `ask` throws is passed on at once
 */
export async function until<T>(
	what: string | (() => string),
	timeoutMs: number,
	ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const started = Date.now();
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		const waited = Date.now() - started;
		if (waited > timeoutMs) {
			const text = typeof what === 'string' ? what : what();
			throw new DeadlineError(`Waited ${timeoutMs} ms for ${text}`);
		}
		const pause = Math.max(SHORTEST_PAUSE_MS, waited * SHARE_OF_WAIT);
		await new Promise((resolve) => setTimeout(resolve, Math.min(pause, LONGEST_PAUSE_MS)));
	}
}
