import type { IHttpRequestOptions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isNestedDeeper, jsonObjectSchema } from './jsonObject';

/** The limits of an answer: milliseconds until it is complete, and bytes of its body, uncompressed. */
export interface CallLimits {
	readonly deadlineMs: number;
	readonly maxBytes: number;
}

/** For every call that leaves n8n. No provider's document names a slower or larger answer. */
export const CALL_LIMITS: CallLimits = { deadlineMs: 10_000, maxBytes: 5 * 1024 * 1024 };

/** How deep a body may be nested; no documented answer has ten levels. */
const MAX_LEVELS = 100;
/** Replaces a body that is nested deeper, which n8n could neither show nor store. */
const TOO_DEEP = 'JSON that is nested too deeply to be read';

/** Thrown for an answer that exceeds a limit: `ETIMEDOUT` for its time, `ERR_BODY_TOO_LARGE` for its size. */
export class LimitExceeded extends Error {
	constructor(readonly code: 'ETIMEDOUT' | 'ERR_BODY_TOO_LARGE') {
		super(code);
	}
}

/** The parts of a Node.js stream that are used; node:stream may not be imported by a community node. */
interface BodyStream extends AsyncIterable<Uint8Array> {
	destroy(): unknown;
}

const answerSchema = z.object({
	statusCode: z.number(),
	body: z.unknown(),
	headers: jsonObjectSchema.default({}),
});
export type Answer = z.output<typeof answerSchema>;

/** Thrown for an answer that is a refusal, in the form of the errors of n8n's HTTP client. */
export class Refused extends Error {
	readonly response: { readonly status: number; readonly data: unknown };

	constructor({ statusCode, body }: Answer) {
		super(`HTTP ${statusCode}`);
		this.response = { status: statusCode, data: body };
	}
}

/**
 * Sends one request, whose complete answer has to arrive within the limits. n8n's own `timeout` only counts while
 * nothing arrives, and n8n reads a body of any size; so the body is read here.
 *
 * Every status is an answer. No redirect is followed: it would carry the API key to another address.
 *
 * @param send one of n8n's request helpers
 * @returns the answer; its body is parsed where it is JSON
 * @throws LimitExceeded, or what n8n throws when nothing answers
 */
export async function requestWithin(
	send: (options: IHttpRequestOptions) => Promise<unknown>,
	options: IHttpRequestOptions,
	{ deadlineMs, maxBytes }: CallLimits = CALL_LIMITS,
): Promise<Answer> {
	const call = new AbortController();
	const tooLate = new Promise<never>((_, reject) => {
		const giveUp = () => reject(new LimitExceeded('ETIMEDOUT'));
		AbortSignal.timeout(deadlineMs).addEventListener('abort', giveUp, { once: true });
	});
	const answered = send(stoppable(options, deadlineMs, call)).then(async (response) => {
		const { body, ...head } = answerSchema.parse(response);
		const read = isStream(body) ? await readBody(body, maxBytes, call.signal) : body;
		return { ...head, body: isNestedDeeper(read, MAX_LEVELS) ? TOO_DEEP : read };
	});
	try {
		return await Promise.race([answered, tooLate]);
	} finally {
		call.abort();
	}
}

/** The options of a request whose answer is a stream, which aborting `call` ends. */
function stoppable(
	options: IHttpRequestOptions,
	deadlineMs: number,
	call: AbortController,
): IHttpRequestOptions {
	return {
		...options,
		json: true,
		encoding: 'stream',
		returnFullResponse: true,
		disableFollowRedirect: true,
		ignoreHttpStatusErrors: true,
		timeout: deadlineMs,
		get abortSignal() {
			return call.signal;
		},
		/** In a run, n8n puts the signal of the execution here. It ends the call as well. */
		set abortSignal(execution) {
			execution?.addEventListener?.('abort', () => call.abort(), { once: true });
		},
	};
}

/** Whether a body has to be read. n8n's mock of a provider, which its evaluations use, answers with a value. */
function isStream(body: unknown): body is BodyStream {
	return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function readBody(stream: BodyStream, maxBytes: number, stop: AbortSignal): Promise<unknown> {
	// The helper of credential tests takes no signal, and may answer after the deadline.
	if (stop.aborted) stream.destroy();
	stop.addEventListener('abort', () => stream.destroy(), { once: true });
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of stream) {
		size += chunk.length;
		if (size > maxBytes) throw new LimitExceeded('ERR_BODY_TOO_LARGE');
		chunks.push(chunk);
	}
	const text = new TextDecoder().decode(Buffer.concat(chunks));
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
