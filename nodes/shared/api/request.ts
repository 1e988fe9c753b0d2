import {
	NodeApiError,
	sleep,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type IExecuteFunctions,
	type IHookFunctions,
	type IHttpRequestMethods,
	type ILoadOptionsFunctions,
	type ITriggerFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { jsonObjectSchema } from '../jsonObject';
import type { Provider } from '../provider';
import { urlBelow } from '../url';
import { apiFailure, isPlanRefusal, type Refusal } from './apiFailure';

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
	/** What is read, e.g. "articles", where it is not about webhooks; for errors. */
	readonly reads?: string;
	/** The item that an action node is working on, for its errors. */
	readonly itemIndex?: number;
}

/** What a request carries besides its method and path. */
export interface Content {
	readonly body?: IDataObject;
	readonly qs?: IDataObject;
}

/** Per request. */
const TIMEOUT_MS = 10_000;
/** All attempts of one call together, including waits. */
const RETRY_BUDGET_MS = 15_000;
const FIRST_BACKOFF_MS = 250;
const MAX_ATTEMPTS = 4;
type Success = {
	readonly kind: 'success';
	readonly status: number;
	readonly body: unknown;
	/** Calls a minute that the answer says are allowed. */
	readonly callsPerMinute?: number;
};
/** What a request ended with. */
export type Attempt = Success | Exclude<Refusal, { kind: 'unreadable' }>;

const fullResponseSchema = z.object({
	statusCode: z.number(),
	body: z.unknown(),
	headers: jsonObjectSchema.default({}),
});

/**
 * Sends requests to a provider's API.
 *
 * Rate limits, 502–504 and network faults are retried inside a small budget, honouring
 * `Retry-After`; plan refusals and every other status are not.
 */
export class ApiClient {
	constructor(
		private readonly context: ApiContext,
		private readonly provider: Provider,
		private readonly access: ApiAccess,
	) {}

	async send(
		method: IHttpRequestMethods,
		path: string,
		content: Content,
		retry: 'always' | 'ifNotExecuted',
	): Promise<Attempt> {
		const deadline = Date.now() + RETRY_BUDGET_MS;
		for (let attempts = 1; ; attempts++) {
			const attempt = await this.sendOnce(method, path, content);
			const waitMs = retryDelayMs(attempt, attempts, retry, this.provider.planRefusals);
			if (waitMs === undefined || attempts >= MAX_ATTEMPTS || Date.now() + waitMs > deadline) {
				return attempt;
			}
			await sleep(waitMs);
		}
	}

	private async sendOnce(
		method: IHttpRequestMethods,
		path: string,
		content: Content,
	): Promise<Attempt> {
		try {
			const type = this.provider.credentialType;
			const response: unknown = await this.context.helpers.httpRequestWithAuthentication.call(
				this.context,
				type,
				{
					method,
					url: urlBelow(this.access.baseUrl, path),
					...content,
					json: true,
					timeout: TIMEOUT_MS,
					returnFullResponse: true,
					// A redirect would carry the API key to another address.
					disableFollowRedirect: true,
					// 401 has to throw: n8n renews an expired session then, and sends again.
					ignoreHttpStatusErrors: { ignore: true, except: [401] },
				},
				{ credentialsDecrypted: { id: '', name: '', type, data: this.access.decrypted } },
			);
			const { statusCode, body, headers } = fullResponseSchema.parse(response);
			const retryAfterSeconds = readRetryAfter(headers['retry-after']);
			return statusCode >= 200 && statusCode < 300
				? { kind: 'success', status: statusCode, body, ...readRateLimit(headers) }
				: {
						kind: 'status',
						status: statusCode,
						body,
						...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
					};
		} catch (error) {
			return readThrown(error);
		}
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
		method: IHttpRequestMethods,
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
		return apiFailure(
			this.context.getNode(),
			{
				method,
				url: urlBelow(this.access.baseUrl, path),
				providerName: this.provider.displayName,
				planRefusals: this.provider.planRefusals,
				secrets: [...this.access.secrets, sentSecret],
				reads: this.access.reads,
				endpointId,
				itemIndex: this.access.itemIndex,
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

/** The connection was never made, so the provider has seen nothing. */
export function neverSent(code: string): boolean {
	return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code);
}

/** Milliseconds to wait before the next attempt, or undefined when there should be none. */
function retryDelayMs(
	attempt: Attempt,
	attempts: number,
	retry: 'always' | 'ifNotExecuted',
	planRefusals: readonly string[] | undefined,
): number | undefined {
	const backoff = FIRST_BACKOFF_MS * 2 ** (attempts - 1);
	if (attempt.kind === 'success') return undefined;
	if (attempt.kind === 'unreachable') {
		return retry === 'always' || neverSent(attempt.code) ? backoff : undefined;
	}
	const { status, body, retryAfterSeconds } = attempt;
	const limited = status === 429 && !isPlanRefusal(status, body, planRefusals);
	const unavailable = status >= 502 && status <= 504 && retry === 'always';
	if (!limited && !unavailable) return undefined;
	return retryAfterSeconds === undefined ? backoff : retryAfterSeconds * 1000;
}

/** Misar Mail and Misar.Blog document the header, counted per minute. */
function readRateLimit(headers: IDataObject): { callsPerMinute?: number } {
	const limit = Number(headers['x-ratelimit-limit']);
	return limit > 0 ? { callsPerMinute: limit } : {};
}

/** Seconds of a `Retry-After` header: a number, or an HTTP date. */
function readRetryAfter(value: unknown): number | undefined {
	if (typeof value !== 'string' || value === '') return undefined;
	if (/^\d+$/.test(value)) return Math.min(Number(value), 1e9);
	const seconds = Math.ceil((Date.parse(value) - Date.now()) / 1000);
	return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** The relevant parts of the NodeApiError in which n8n wraps what its HTTP client throws. */
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
	const status = Number(httpCode ?? 0);
	if (status >= 300) return { kind: 'status', status, body: context?.data };
	// A success status here means that the answer was cut off after its head.
	return { kind: 'unreachable', code: status > 0 ? 'ECONNRESET' : (cause?.code ?? code ?? '') };
}
