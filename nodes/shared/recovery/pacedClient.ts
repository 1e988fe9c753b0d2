import { sleep } from 'n8n-workflow';

import type { ApiClient, Attempt } from '../api/request';
import type { RecoveryCall } from '../recoveryApi';

/** Unauthorized, too slow, too many: a refusal of the caller, or of the moment. */
const REFUSE_EVERYTHING = [401, 408, 429];

/** Whether a request for one thing would be refused again, while others need not be. */
function isWithheld(attempt: Attempt): boolean {
	if (attempt.kind === 'unreachable') return attempt.code === 'ERR_BODY_TOO_LARGE';
	if (attempt.kind !== 'status') return false;
	const { status } = attempt;
	return status >= 400 && status < 500 && !REFUSE_EVERYTHING.includes(status);
}

/** What a proxy says of a server that is down or too slow, as a whole. */
const OUTAGES = [502, 503, 504];

/** Whether the provider failed at what was asked for; it may do so each time. */
function isFault(attempt: Attempt): boolean {
	return attempt.kind === 'status' && attempt.status >= 500 && !OUTAGES.includes(attempt.status);
}

/** Calls a provider's API no faster than the provider allows, and no slower than its documents do. */
export class PacedClient {
	/** When the next call may be made, in milliseconds of a clock that nobody sets. */
	private nextAt = 0;
	private callsPerMinute: number;

	/**
	 * @param documented calls a minute that the documentation allows; an answer can say that it is more
	 * @param isClosed whether no more calls are wanted: a long list can be read for minutes
	 */
	constructor(
		private readonly client: ApiClient,
		private readonly documented: number,
		private readonly isClosed: () => boolean,
	) {
		this.callsPerMinute = documented;
	}

	/** @throws NodeApiError for a refusal, and for an answer that cannot be read */
	async get<T>(call: RecoveryCall<T>): Promise<T> {
		return this.valueOf(call, await this.send(call));
	}

	/**
	 * @param isLast whether it is not to be tried again after a fault of the provider
	 * @returns undefined for what the provider does not give out, or what is too large
	 * @throws NodeApiError where it may give it out later, and for an answer that cannot be read
	 */
	async find<T>(call: RecoveryCall<T>, isLast: boolean): Promise<T | undefined> {
		const attempt = await this.send(call);
		const isGivenUp = isWithheld(attempt) || (isLast && isFault(attempt));
		return isGivenUp ? undefined : this.valueOf(call, attempt);
	}

	private valueOf<T>({ path, read }: RecoveryCall<T>, attempt: Attempt): T {
		return this.client.valueOf('GET', path, attempt, read, 'a list');
	}

	private async send<T>({ path, qs }: RecoveryCall<T>): Promise<Attempt> {
		const wait = this.nextAt - performance.now();
		if (wait > 0) await sleep(wait);
		if (this.isClosed()) throw new Error('the workflow was unpublished meanwhile');
		const attempt = await this.client.send({ method: 'GET' }, path, { qs });
		if (attempt.kind === 'success' && attempt.callsPerMinute !== undefined) {
			this.callsPerMinute = Math.max(attempt.callsPerMinute, this.documented);
		}
		this.nextAt = performance.now() + 60_000 / this.callsPerMinute;
		return attempt;
	}
}
