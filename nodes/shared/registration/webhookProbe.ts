import { sleep, type IHookFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { CALL_LIMITS, requestWithin, type Answer } from '../limitedRequest';

/**
 * Who answers at a webhook URL.
 *
 * - `trigger`: a trigger of this package.
 * - `nobody`: an n8n that has no such webhook.
 * - `silence`: nothing that could be an n8n at this moment; one may be starting, or out of reach.
 * - `unknown`: this cannot be told.
 */
export type Occupant = 'trigger' | 'nobody' | 'silence' | 'unknown';

const LIMITS = { ...CALL_LIMITS, deadlineMs: 5_000 };
/** Longer than n8n takes to start, during which it answers 404 to every webhook for a while. */
const ASK_FOR_MS = 20_000;
const ASK_AGAIN_MS = 5_000;
/** The connection was refused, or the host name does not exist. */
const SILENT_CODES: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND'];
/** A proxy may turn n8n's 404 into a 503, because n8n also answers 404 while it starts. */
const NOT_REGISTERED_STATUSES = [404, 503];
const SILENT_STATUSES = [404, 405, 410];

const thrownSchema = z.object({
	code: z.string().optional().catch(undefined),
	cause: z
		.object({ code: z.string().optional().catch(undefined) })
		.optional()
		.catch(undefined),
});

/**
 * Sends an unsigned request to a webhook URL. A live trigger of this package refuses it with its own
 * 401 or 503 and starts nothing. n8n is asked for longer than a start takes before it counts as having no such
 * webhook.
 */
export async function whoAnswersAt(
	context: Pick<IHookFunctions, 'helpers'>,
	url: string,
): Promise<Occupant> {
	const until = performance.now() + ASK_FOR_MS;
	for (;;) {
		const occupant = await askOnce(context, url);
		if (occupant !== 'nobody' || performance.now() >= until) return occupant;
		await sleep(ASK_AGAIN_MS);
	}
}

async function askOnce(context: Pick<IHookFunctions, 'helpers'>, url: string): Promise<Occupant> {
	const reply = await sendUnsigned(context, url);
	if ('code' in reply) return SILENT_CODES.includes(reply.code) ? 'silence' : 'unknown';
	if (isRefusalOfOurs(reply)) return 'trigger';
	if (saysNotRegistered(reply)) return 'nobody';
	return SILENT_STATUSES.includes(reply.statusCode) ? 'silence' : 'unknown';
}

/** The result of a request: an answer, or the code of the error if there is none. */
export type Reply = Pick<Answer, 'statusCode' | 'body'> | { readonly code: string };

/** Sends a request without a body to a webhook URL, unsigned. Never throws. */
export async function sendUnsigned(
	context: Pick<IHookFunctions, 'helpers'>,
	url: string,
	headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
	try {
		return await requestWithin(
			async (options): Promise<unknown> => await context.helpers.httpRequest(options),
			{ method: 'POST', url, body: {}, headers },
			LIMITS,
		);
	} catch (error) {
		const { data } = thrownSchema.safeParse(error);
		return { code: data?.cause?.code ?? data?.code ?? '' };
	}
}

/** Whether an answer is `{"error": "…"}`, with which triggers refuse what they cannot verify. */
export function isRefusalOfOurs({ statusCode, body }: Pick<Answer, 'statusCode' | 'body'>) {
	return (
		(statusCode === 401 || statusCode === 503) &&
		isJsonObject(body) &&
		typeof body['error'] === 'string' &&
		Object.keys(body).length === 1
	);
}

/** Whether n8n says: `{"code":404,"message":"The requested webhook \"POST …\" is not registered.","hint":…}` */
export function saysNotRegistered({ statusCode, body }: Pick<Answer, 'statusCode' | 'body'>) {
	const message = isJsonObject(body) ? body['message'] : undefined;
	return (
		NOT_REGISTERED_STATUSES.includes(statusCode) &&
		typeof message === 'string' &&
		message.startsWith('The requested webhook "') &&
		message.endsWith('" is not registered.')
	);
}
