import { NodeApiError } from 'n8n-workflow';

const MINUTE_MS = 60_000;

/**
 * How long to wait in milliseconds after attempts that failed in a row: 1, 2, 4, … minutes. Half a minute
 * less, because a tick may be slightly early.
 * @param failed attempts before the last one
 */
export function backoffMs(failed: number, maxMinutes: number): number {
	return (Math.min(2 ** failed, maxMinutes) - 0.5) * MINUTE_MS;
}

/** How long a provider asked not to be called, in milliseconds; 0 where it did not. */
export function pauseMs(error: unknown): number {
	const seconds = error instanceof NodeApiError ? error.context['retryAfterSeconds'] : 0;
	return typeof seconds === 'number' ? seconds * 1000 : 0;
}
