import { NodeApiError } from 'n8n-workflow';

const MINUTE_MS = 60_000;
/** The longest pause that a provider can ask for. */
const LONGEST_PAUSE_MS = 60 * MINUTE_MS;

const NONE = { count: 0, since: 0, retryAt: 0, cause: '' } as const;

/**
 * Counts failed attempts at something that is repeated until it succeeds: after 1, 2, 4, … minutes, or later if the
 * provider asks for it.
 */
export class Attempts {
	/** Failed attempts in a row, epoch milliseconds of the first one and of the next, and why the last one failed. */
	private failures: Readonly<Record<'count' | 'since' | 'retryAt', number> & { cause: string }> =
		NONE;

	/** @param maxMinutes longest wait, where the provider does not ask for a longer one */
	constructor(private readonly maxMinutes: number) {}

	/** Failed attempts in a row. */
	get failed(): number {
		return this.failures.count;
	}

	/** Epoch milliseconds of the first of them. */
	get since(): number {
		return this.failures.since;
	}

	/**
	 * Whether it is too early for another attempt. A wait longer than the longest possible one was set while the clock
	 * was ahead, and does not count.
	 */
	mustWait(now: number): boolean {
		const left = this.failures.retryAt - now;
		return left > 0 && left <= Math.max(LONGEST_PAUSE_MS, this.maxMinutes * MINUTE_MS);
	}

	/** @returns whether the reason is a new one, worth a warning */
	noteFailure(error: unknown, reason: string, now: number): boolean {
		const { count, since, cause } = this.failures;
		const retryAt = now + Math.max(pauseMs(error), backoffMs(count, this.maxMinutes));
		this.failures = { count: count + 1, since: count === 0 ? now : since, retryAt, cause: reason };
		return reason !== cause;
	}

	/** @returns whether attempts had failed before */
	noteSuccess(): boolean {
		const hadFailed = this.failed > 0;
		this.failures = NONE;
		return hadFailed;
	}
}

/** Half a minute less than 1, 2, 4, … minutes, because a tick may be slightly early. */
function backoffMs(failed: number, maxMinutes: number): number {
	return (Math.min(2 ** failed, maxMinutes) - 0.5) * MINUTE_MS;
}

/** Milliseconds for which a provider asked not to be called. */
function pauseMs(error: unknown): number {
	const seconds = error instanceof NodeApiError ? error.context['retryAfterSeconds'] : 0;
	return typeof seconds === 'number' ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : 0;
}
