import { createHmac } from 'node:crypto';

import { buildDelivery } from '../../sandbox';
import type { TriggerCase } from '../../testkit/triggers';

/** A signed delivery as it arrives. */
export interface Delivery {
	readonly headers: Record<string, string>;
	readonly body: Buffer;
}

let count = 0;

/**
 * A delivery of about `bytes`, signed by the sandbox. Its documented sample is kept, and the rest is filled
 * with records such as a provider could add to it.
 *
 * @param content - its event, and an id; by default each has an id of its own
 */
export function makeDelivery(
	trigger: TriggerCase,
	secret: string,
	bytes: number,
	content: { event?: string; id?: string } = {},
): Delivery {
	const { provider, scheme, events } = trigger;
	const { event = events[0], id = `evt_${String(++count).padStart(20, '0')}` } = content;
	const compose = (data?: unknown) => buildDelivery({ provider, scheme, event, secret, id, data });
	const plain = compose();
	const sample: unknown = JSON.parse(plain.body.toString());
	const details = fill(id, bytes - plain.body.length);
	return compose(
		provider === 'misarBlog' ? padBlog(sample, details) : { ...dataOf(sample), details },
	);
}

function padBlog(sample: unknown, details: object[]): object {
	const { article, author } = recordOf(sample);
	return { article: { ...recordOf(article), details }, author };
}

function dataOf(sample: unknown): object {
	return recordOf(recordOf(sample)['data']);
}

function recordOf(value: unknown): Record<string, unknown> {
	return typeof value === 'object' && value !== null ? { ...value } : {};
}

const fillings = new Map<number, object[]>();

/** Records that make up `bytes` of JSON or a little more; the first differs from delivery to delivery. */
function fill(id: string, bytes: number): object[] {
	const filling = fillings.get(bytes) ?? makeFilling(bytes);
	fillings.set(bytes, filling);
	return [{ id }, ...filling];
}

function makeFilling(bytes: number): object[] {
	const records: object[] = [];
	for (let length = 0; length < bytes; ) {
		const record = {
			id: `rec_${records.length}`,
			email: `person${records.length}@example.com`,
			tags: ['customer', 'newsletter'],
			score: records.length / 7,
			active: records.length % 2 === 0,
			note: 'Zoë asked for the “large” one — 10 € off',
		};
		records.push(record);
		length += Buffer.byteLength(JSON.stringify(record)) + 1;
	}
	return records;
}

export function hmacHex(secret: string, ...parts: Array<string | Buffer>): string {
	const hmac = createHmac('sha256', secret);
	for (const part of parts) hmac.update(part);
	return hmac.digest('hex');
}
