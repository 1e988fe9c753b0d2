import { NodeApiError } from 'n8n-workflow';

const MINUTE_MS = 60_000;
/** A provider is left alone for at most this long, whatever it asks for. */
const LONGEST_PAUSE_MS = 60 * MINUTE_MS;

/** What is repeated until it succeeds: after 1, 2, 4, … minutes, or as long as the provider asks. */
export class Attempts {
	/** Failed attempts in a row. */
	count = 0;
	/** Epoch milliseconds of the first of them. */
	since = 0;
	private retryAt = 0;
	private reason = '';

	/** @param maxMinutes longest wait, where the provider does not ask for a longer one */
	constructor(private readonly maxMinutes: number) {}

	/**
	 * Whether it is too early for another attempt. A wait longer than the longest there is was set by a clock
	 * that was ahead.
	 */
	mustWait(now: number): boolean {
		const left = this.retryAt - now;
		return left > 0 && left <= Math.max(LONGEST_PAUSE_MS, this.maxMinutes * MINUTE_MS);
	}

	/** @returns whether the reason is a new one, worth a warning */
	failed(error: unknown, reason: string, now: number): boolean {
		this.retryAt = now + Math.max(pauseMs(error), backoffMs(this.count, this.maxMinutes));
		if (this.count === 0) this.since = now;
		this.count += 1;
		const isNew = reason !== this.reason;
		this.reason = reason;
		return isNew;
	}

	/** @returns whether attempts had failed before */
	succeeded(): boolean {
		const hadFailed = this.count > 0;
		this.count = 0;
		this.retryAt = 0;
		this.reason = '';
		return hadFailed;
	}
}

/** Half a minute less than 1, 2, 4, … minutes, because a tick may be slightly early. */
function backoffMs(failed: number, maxMinutes: number): number {
	return (Math.min(2 ** failed, maxMinutes) - 0.5) * MINUTE_MS;
}

/** How long a provider asked not to be called. */
function pauseMs(error: unknown): number {
	const seconds = error instanceof NodeApiError ? error.context['retryAfterSeconds'] : 0;
	return typeof seconds === 'number' ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : 0;
}
