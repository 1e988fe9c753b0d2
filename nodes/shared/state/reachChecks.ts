import { randomUUID } from 'node:crypto';

/** Requests with which this process asks whether a webhook URL leads to itself. */

/** Marks such a request; its value means something only to the process that sent it. */
const HEADER = 'x-n8n-reach-check';
/** The size of `{}`, which n8n's HTTP client sends as an empty body. */
const MAX_BODY_BYTES = 2;

/** Checks under way. */
const awaited = new Map<string, ReachCheck>();

/** One of these requests. */
export class ReachCheck {
	/** Whether it has arrived in this process. */
	hasArrived = false;
	private readonly id = randomUUID();

	/** Sends it. @param send adds the headers, and never rejects */
	async during<T>(send: (headers: Record<string, string>) => Promise<T>): Promise<T> {
		awaited.set(this.id, this);
		try {
			return await send({ [HEADER]: this.id });
		} finally {
			awaited.delete(this.id);
		}
	}
}

/**
 * Whether a request is such a check, from any process; notes that it has arrived. It is not a delivery: it is refused
 * without counting as one, whoever sends it.
 */
export function isReachCheck(
	headers: Readonly<Record<string, unknown>>,
	rawBody: Buffer = Buffer.alloc(0),
): boolean {
	const id = headers[HEADER];
	if (typeof id !== 'string' || rawBody.length > MAX_BODY_BYTES) return false;
	const check = awaited.get(id);
	if (check !== undefined) check.hasArrived = true;
	return true;
}
