import {
	NodeApiError,
	sleep,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type IExecuteFunctions,
	type IHookFunctions,
	type ILoadOptionsFunctions,
	type ITriggerFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { SESSION_TOKEN } from '../credential';
import { CALL_LIMITS, requestWithin, type Answer } from '../limitedRequest';
import type { Provider } from '../provider';
import { urlBelow } from '../url';
import { apiFailure, type Refusal } from './apiFailure';
import { isPlanRefusal } from './refusalBody';

/** Contexts that may call a provider's API. */
export type ApiContext =
	| IHookFunctions
	| ITriggerFunctions
	| IExecuteFunctions
	| ILoadOptionsFunctions;

/** How to reach an API with a credential. */
export interface ApiAccess {
	/** Origin (and path prefix) of the provider, from the credential. */
	readonly baseUrl: string;
	/** Texts that must never reach a message. */
	readonly secrets: readonly string[];
	/** Without it n8n would read the credential again, for the first item of an action node. */
	readonly decrypted: ICredentialDataDecryptedObject;
	/** What is read or changed, e.g. "articles", where it is not about webhooks; for errors. */
	readonly reads?: string;
	/** The item that an action node is working on, for its errors. */
	readonly itemIndex?: number;
	/** Epoch milliseconds from which on no call is begun. */
	readonly endAt?: number;
}

/** A call of an API. One that changes something says whether repeating it would change nothing more. */
export type Call =
	| { readonly method: 'GET' }
	| { readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'; readonly idempotent: boolean };

/** What a request carries besides its method and path. */
export interface Content {
	readonly body?: IDataObject;
	readonly qs?: IDataObject;
}

/** All attempts of one call together, including waits. */
const RETRY_BUDGET_MS = 15_000;
const FIRST_BACKOFF_MS = 250;
const MAX_ATTEMPTS = 4;
/** A longer `Retry-After` is a fault of the provider, or a clock that is wrong. */
const MAX_RETRY_AFTER_S = 3_600;

type Success = {
	readonly kind: 'success';
	readonly status: number;
	readonly body: unknown;
	/** Calls a minute that the answer says are allowed. */
	readonly callsPerMinute?: number;
};
/** What a request ended with. */
export type Attempt = Success | Exclude<Refusal, { kind: 'unreadable' }>;

/**
 * Sends requests to a provider's API.
 *
 * Rate limits, 502–504 and network faults are retried inside a small budget, honouring
 * `Retry-After`; plan refusals and every other status are not. A call that is not idempotent is never
 * repeated once it may have taken effect.
 */
export class ApiClient {
	constructor(
		private readonly context: ApiContext,
		private readonly provider: Provider,
		private readonly access: ApiAccess,
	) {}

	async send(call: Call, path: string, content: Content): Promise<Attempt> {
		const { endAt = Number.POSITIVE_INFINITY } = this.access;
		if (Date.now() >= endAt) return { kind: 'unreachable', code: 'ERR_OUT_OF_TIME' };
		const idempotent = call.method === 'GET' || call.idempotent;
		const deadline = Date.now() + RETRY_BUDGET_MS;
		let wasLost = false;
		for (let attempts = 1; ; attempts++) {
			const attempt = await this.attempt(call.method, path, content, deadline);
			if (!idempotent && isLost(attempt)) return { ...attempt, mayHaveHappened: true };
			const waitMs = retryDelayMs(attempt, attempts, this.provider.planRefusals);
			if (waitMs === undefined || attempts >= MAX_ATTEMPTS || Date.now() + waitMs >= deadline) {
				return wasLost && attempt.kind === 'status' ? { ...attempt, afterLost: true } : attempt;
			}
			wasLost ||= isLost(attempt);
			await sleep(waitMs);
		}
	}

	private async attempt(
		method: Call['method'],
		path: string,
		content: Content,
		deadline: number,
	): Promise<Attempt> {
		const { decrypted } = this.access;
		try {
			const answer = await this.request(method, path, content, deadline);
			if (answer.statusCode !== 401 || !decrypted[SESSION_TOKEN]) return readAnswer(answer);
			// The session that n8n keeps has expired: without it n8n signs in, and keeps the new one.
			decrypted[SESSION_TOKEN] = '';
			return readAnswer(await this.request(method, path, content, deadline));
		} catch (error) {
			return readThrown(error);
		}
	}

	private async request(
		method: Call['method'],
		path: string,
		content: Content,
		deadline: number,
	): Promise<Answer> {
		const { context, access } = this;
		const type = this.provider.credentialType;
		const credential = { id: '', name: '', type, data: access.decrypted };
		const left = Math.max(1, deadline - Date.now());
		return await requestWithin(
			async (options) =>
				await context.helpers.httpRequestWithAuthentication.call(context, type, options, {
					credentialsDecrypted: credential,
				}),
			{ method, url: urlBelow(access.baseUrl, path), ...content },
			{ ...CALL_LIMITS, deadlineMs: Math.min(CALL_LIMITS.deadlineMs, left) },
		);
	}

	/** Whether the plan does not allow what was asked for. */
	isPlanRefusal(attempt: Attempt): boolean {
		if (attempt.kind !== 'status') return false;
		return isPlanRefusal(attempt.status, attempt.body, this.provider.planRefusals);
	}

	/**
	 * The content of an answer.
	 * @param read returns undefined for an answer that is not as documented
	 * @param expected a description of the expected answer, e.g. "a list"
	 * @throws NodeApiError where the request was refused, or the answer cannot be read
	 */
	valueOf<T>(
		method: Call['method'],
		path: string,
		attempt: Attempt,
		read: (body: unknown) => T | undefined,
		expected: string,
	): T {
		if (attempt.kind !== 'success') throw this.failure(method, path, attempt);
		const value = read(attempt.body);
		if (value !== undefined) return value;
		throw this.failure(method, path, { kind: 'unreadable', status: attempt.status, expected });
	}

	/** The error for what a request ended with: what happened, and what to do. */
	failure(
		method: string,
		path: string,
		refusal: Refusal,
		{ sentSecret = '', endpointId }: { sentSecret?: string; endpointId?: string | undefined } = {},
	): NodeApiError {
		const node = this.context.getNode();
		return apiFailure(
			node,
			{
				method,
				url: urlBelow(this.access.baseUrl, path),
				providerName: this.provider.displayName,
				planRefusals: this.provider.planRefusals,
				secrets: [...this.access.secrets, sentSecret],
				reads: this.access.reads,
				endpointId,
				itemIndex: this.access.itemIndex,
				// The types of n8n's triggers end so.
				forTrigger: node.type.endsWith('Trigger'),
			},
			refusal,
		);
	}
}

export function isMissing(attempt: Attempt): boolean {
	return attempt.kind === 'status' && (attempt.status === 404 || attempt.status === 405);
}

export function isUnauthorized(attempt: Attempt): boolean {
	return attempt.kind === 'status' && attempt.status === 401;
}

/** Whether the connection was never made, so that the provider has seen nothing. */
export function neverSent(code: string): boolean {
	return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_OUT_OF_TIME'].includes(code);
}

/** Whether a call may have taken effect although its answer does not say so. */
function isLost(attempt: Attempt): attempt is Exclude<Attempt, Success> {
	if (attempt.kind === 'unreachable') return !neverSent(attempt.code);
	return attempt.kind === 'status' && attempt.status >= 500;
}

/** Milliseconds to wait before the next attempt, or undefined when there should be none. */
function retryDelayMs(
	attempt: Attempt,
	attempts: number,
	planRefusals: readonly string[] | undefined,
): number | undefined {
	const backoff = FIRST_BACKOFF_MS * 2 ** (attempts - 1);
	if (attempt.kind === 'success') return undefined;
	if (attempt.kind === 'unreachable') {
		// The answer would be as large again.
		return attempt.code === 'ERR_BODY_TOO_LARGE' ? undefined : backoff;
	}
	const { status, body, retryAfterSeconds } = attempt;
	const limited = status === 429 && !isPlanRefusal(status, body, planRefusals);
	const unavailable = status >= 502 && status <= 504;
	if (!limited && !unavailable) return undefined;
	return retryAfterSeconds === undefined ? backoff : retryAfterSeconds * 1000;
}

function readAnswer({ statusCode: status, body, headers }: Answer): Attempt {
	if (status >= 200 && status < 300) {
		return { kind: 'success', status, body, ...readRateLimit(headers) };
	}
	const retryAfterSeconds = readRetryAfter(headers['retry-after']);
	return {
		kind: 'status',
		status,
		body,
		...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
	};
}

/** Misar Mail and Misar.Blog document the header, counted per minute. */
function readRateLimit(headers: IDataObject): { callsPerMinute?: number } {
	const limit = Number(headers['x-ratelimit-limit']);
	return limit > 0 ? { callsPerMinute: limit } : {};
}

/** Seconds of a `Retry-After` header: a number, or an HTTP date. Believed up to an hour. */
function readRetryAfter(value: unknown): number | undefined {
	if (typeof value !== 'string' || value === '') return undefined;
	const isNumber = /^\d+(?:\.\d+)?$/.test(value);
	// "-5" would be a date.
	const at = /^[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
	const seconds = Math.ceil(isNumber ? Number(value) : (at - Date.now()) / 1000);
	// A time that has passed is that of another clock, and no reason to ask again at once.
	const isUsable = isNumber || seconds > 0;
	return isUsable ? Math.min(seconds, MAX_RETRY_AFTER_S) : undefined;
}

/** The relevant parts of what is thrown where nothing answers: n8n wraps some of it in a NodeApiError. */
const thrownSchema = z.object({
	httpCode: z.string().nullish(),
	code: z.string().optional(),
	context: z.object({ data: z.unknown() }).partial().optional(),
	cause: z.object({ code: z.string().optional() }).optional(),
});

function readThrown(error: unknown): Attempt {
	const parsed = thrownSchema.safeParse(error);
	if (!parsed.success) return { kind: 'unreachable', code: '' };
	const { httpCode, context, cause, code } = parsed.data;
	// Every answer is returned, except that of a login that was refused.
	const status = Number(httpCode ?? 0);
	if (status >= 300) return { kind: 'status', status, body: context?.data };
	return { kind: 'unreachable', code: cause?.code ?? code ?? '' };
}
