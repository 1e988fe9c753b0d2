/** Raised by {@link until} when the condition did not come true in time. */
export class DeadlineError extends Error {
	override readonly name = 'DeadlineError';
}

const POLL_MS = 50;

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
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		if (Date.now() > deadline) {
			const text = typeof what === 'string' ? what : what();
			throw new DeadlineError(`Waited ${timeoutMs} ms for ${text}`);
		}
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
}
