import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { addressOf, timeOf } from '../shared/values';
import type { ListedEvent, RecoveryApi } from '../shared/recoveryApi';

/** Whatever else it may hold is left out: the event counts. */
const optionalText = z
	.union([z.string(), z.number().transform(String)])
	.nullish()
	.catch(undefined);
const suppressionSchema = z.object({
	email: z.string(),
	reason: z.string().transform((reason) => reason.trim().toLowerCase()),
	createdAt: z.union([z.string(), z.number()]),
	bounceCode: optionalText,
	diagnostic: optionalText,
	messageId: optionalText,
	message: z.object({ subject: optionalText }).nullish().catch(undefined),
});
export const suppressionPageSchema = z.object({
	data: z.array(z.unknown()),
	// Without a total that can be read, a list is read until a page is empty.
	pagination: z
		.object({ total: z.number().min(0).optional().catch(undefined) })
		.optional()
		.catch(undefined),
});

/** Which event put an address on the list; the other reasons stand for no event. */
const EVENT_OF_REASON = new Map([
	['hard_bounce', 'email.bounced'],
	['soft_bounce', 'email.bounced'],
	['complaint', 'email.complained'],
	['unsubscribe', 'email.unsubscribed'],
]);
export const SUPPRESSIONS = '/api/suppressions';
export const PAGE_SIZE = 200;

const MINUTE_MS = 60_000;
/** How far the time of a delivery and of the list may differ. */
const TOLERANCE_MS = 5 * MINUTE_MS;
/** Nobody unsubscribes twice a day. */
const UNSUBSCRIBE_TOLERANCE_MS = 12 * 60 * MINUTE_MS;

/** A suppression as the data of the event behind it: only what the API really returns. */
function suppressionEvent(listed: unknown): ListedEvent[] {
	const parsed = suppressionSchema.safeParse(listed);
	if (!parsed.success) return [];
	const { email, reason, createdAt, bounceCode, diagnostic, messageId, message } = parsed.data;
	const event = EVENT_OF_REASON.get(reason);
	const at = timeOf(createdAt);
	if (event === undefined || at === undefined) return [];
	const source = `GET ${SUPPRESSIONS}`;
	const timestamp = createdAt;
	if (reason === 'unsubscribe') return [{ event, at, data: { email, timestamp }, source }];
	const bounce = reason === 'complaint' ? {} : { bounceType: reason.replace('_bounce', '') };
	const metadata = present({ bounceReason: diagnostic, dsn: bounceCode });
	const data = {
		recipient: email,
		...present({ subject: message?.subject }),
		status: event.replace('email.', ''),
		timestamp,
		...bounce,
		...(Object.keys(metadata).length === 0 ? {} : { metadata }),
		...present({ messageId }),
	};
	return [{ event, at, data, source }];
}

function present(fields: Readonly<Record<string, string | null | undefined>>): IDataObject {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => typeof value === 'string'),
	);
}

/**
 * The list of addresses that Metigan no longer sends to (its JavaScript SDK 2.5). One entry
 * per address: a second bounce of an address that is on it leaves no trace.
 */
export const recovery: RecoveryApi = {
	noun: 'suppressions',
	events: ['email.bounced', 'email.complained', 'email.unsubscribed'],
	description:
		'Bounces, spam complaints and unsubscribes are recovered from the suppression list, which holds one entry for each address. Other events are not.',
	// The documentation allows 1,000 calls a day on the Free plan; 5,000 suppressions take 25.
	callsPerMinute: 60,
	pageSize: PAGE_SIZE,
	startsAnywhere: false,
	page: ({ since, number, size }) => ({
		path: SUPPRESSIONS,
		qs: {
			// Inclusive; whether a time of day counts is not documented.
			from: new Date(since).toISOString().slice(0, 10),
			sort: 'newest',
			page: number + 1,
			limit: size,
		},
		read: (body) => {
			const { success, data } = suppressionPageSchema.safeParse(body);
			return success
				? {
						events: data.data.flatMap(suppressionEvent),
						size: data.data.length,
						total: data.pagination?.total,
					}
				: undefined;
		},
	}),
	identify: ({ event, at, data, deliveryId }) => {
		const address = readAddress(data);
		if (address === undefined) return undefined;
		const about = `${event}|${address}`;
		if (event === 'email.unsubscribed') {
			return { about, at, toleranceMs: UNSUBSCRIBE_TOLERANCE_MS };
		}
		const messageId = data['messageId'] ?? messageIdIn(deliveryId ?? '', event);
		const own = typeof messageId === 'string' ? `${event}|${messageId}|${address}` : undefined;
		return { own, about, at, toleranceMs: TOLERANCE_MS };
	},
};

function readAddress({ recipient, email }: IDataObject): string | undefined {
	const address = addressOf(recipient) ?? addressOf(email) ?? recipient ?? email;
	return typeof address === 'string' ? address.trim().toLowerCase() : undefined;
}

/** The message id in the id of a delivery, see `keyPrefix` of the envelope. */
function messageIdIn(deliveryId: string, event: string): string | undefined {
	if (!deliveryId.startsWith(`${event}:`)) return undefined;
	return /^(.+?)(?::\d+)?:[0-9a-f]{16}$/.exec(deliveryId.slice(event.length + 1))?.[1];
}
