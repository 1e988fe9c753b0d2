import type { IHookFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';

/** Who answers at a webhook URL: a trigger of this package, nobody, or unknown. */
export type Occupant = 'trigger' | 'nobody' | 'unknown';

const TIMEOUT_MS = 5_000;
/** The connection was refused, or the host name does not exist. */
const DEAD_CODES: readonly unknown[] = ['ECONNREFUSED', 'ENOTFOUND'];
const GONE_STATUSES = [404, 405, 410];

const responseSchema = z.object({ statusCode: z.number(), body: z.unknown() });
const thrownSchema = z.object({
	code: z.unknown(),
	cause: z.object({ code: z.unknown() }).optional(),
});

/**
 * Sends an unsigned request to a webhook URL. A live trigger of this package refuses it with its own
 * 401 or 503 and starts nothing.
 */
export async function whoAnswersAt(
	context: Pick<IHookFunctions, 'helpers'>,
	url: string,
): Promise<Occupant> {
	try {
		const response: unknown = await context.helpers.httpRequest({
			method: 'POST',
			url,
			body: {},
			json: true,
			timeout: TIMEOUT_MS,
			returnFullResponse: true,
			disableFollowRedirect: true,
			ignoreHttpStatusErrors: true,
		});
		const { statusCode, body } = responseSchema.parse(response);
		if (isRefusalOfOurs(statusCode, body)) return 'trigger';
		return GONE_STATUSES.includes(statusCode) ? 'nobody' : 'unknown';
	} catch (error) {
		const thrown = thrownSchema.safeParse(error);
		const codes = thrown.success ? [thrown.data.code, thrown.data.cause?.code] : [];
		return codes.some((code) => DEAD_CODES.includes(code)) ? 'nobody' : 'unknown';
	}
}

/** `{"error": "…"}`, as the triggers answer what they cannot verify. */
function isRefusalOfOurs(status: number, body: unknown): boolean {
	return (
		(status === 401 || status === 503) &&
		isJsonObject(body) &&
		typeof body['error'] === 'string' &&
		Object.keys(body).length === 1
	);
}
