import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { addressOf, timeOf } from '../shared/delivery/values';
import type { ListedEvent, RecoveryApi } from '../shared/provider';

const suppressionSchema = z.object({
	email: z.string(),
	reason: z.string().transform((reason) => reason.trim().toLowerCase()),
	createdAt: z.union([z.string(), z.number()]),
	bounceCode: z.string().optional(),
	diagnostic: z.string().optional(),
	messageId: z.string().optional(),
	message: z.object({ subject: z.string().optional() }).optional(),
});
export const suppressionPageSchema = z.object({
	data: z.array(z.unknown()),
	pagination: z.object({ total: z.number().optional() }).optional(),
});

/** Which event put an address on the list; the other reasons are nobody's event. */
const EVENT_OF_REASON: Readonly<Record<string, string>> = {
	hard_bounce: 'email.bounced',
	soft_bounce: 'email.bounced',
	complaint: 'email.complained',
	unsubscribe: 'email.unsubscribed',
};
export const SUPPRESSIONS = '/api/suppressions';
export const PAGE_SIZE = 200;

/** A suppression as the data of the event behind it: only what the API really returns. */
function suppressionEvent(listed: unknown): ListedEvent[] {
	const parsed = suppressionSchema.safeParse(listed);
	if (!parsed.success) return [];
	const { email, reason, createdAt, bounceCode, diagnostic, messageId, message } = parsed.data;
	const event = EVENT_OF_REASON[reason];
	const at = timeOf(createdAt);
	if (event === undefined || at === undefined) return [];
	const source = `GET ${SUPPRESSIONS}`;
	if (reason === 'unsubscribe') {
		return [{ event, at, data: { email, timestamp: createdAt }, source }];
	}
	const bounce = reason === 'complaint' ? {} : { bounceType: reason.replace('_bounce', '') };
	const metadata = {
		...(diagnostic === undefined ? {} : { bounceReason: diagnostic }),
		...(bounceCode === undefined ? {} : { dsn: bounceCode }),
	};
	const data = {
		recipient: email,
		...(message?.subject === undefined ? {} : { subject: message.subject }),
		status: event.replace('email.', ''),
		timestamp: createdAt,
		...bounce,
		...(Object.keys(metadata).length === 0 ? {} : { metadata }),
		...(messageId === undefined ? {} : { messageId }),
	};
	return [{ event, at, data, source }];
}

/**
 * The list of addresses that Metigan sends to no more (its JavaScript SDK 2.5). One entry
 * an address: a second bounce of an address that is on it leaves no trace.
 */
export const recovery: RecoveryApi = {
	things: 'suppressions',
	events: ['email.bounced', 'email.complained', 'email.unsubscribed'],
	description:
		'Bounces, spam complaints and unsubscribes are recovered from the suppression list, which holds one entry for each address. Other events are not.',
	// The documents allow 1,000 calls a day on the Free plan; 5,000 suppressions take 25.
	callsPerMinute: 60,
	page: (since, number) => ({
		path: SUPPRESSIONS,
		qs: {
			// Inclusive; whether a time of day counts is not documented.
			from: new Date(since).toISOString().slice(0, 10),
			sort: 'newest',
			page: number + 1,
			limit: PAGE_SIZE,
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
	keys: ({ event, at, data, deliveryId }) => {
		const address = readAddress(data);
		if (address === undefined) return [];
		if (event === 'email.unsubscribed') return [`${event}|${address}|${dayOf(at)}`];
		// A delivery has it in its id, see `keyPrefix` of the envelope.
		const messageId = data['messageId'] ?? deliveryId?.split(':')[1];
		return [
			...(typeof messageId === 'string' ? [`${event}|${messageId}|${address}`] : []),
			`${event}|${address}|${minuteOf(at)}`,
		];
	},
};

function readAddress({ recipient, email }: IDataObject): string | undefined {
	const address = addressOf(recipient) ?? addressOf(email) ?? recipient ?? email;
	return typeof address === 'string' ? address.trim().toLowerCase() : undefined;
}

function minuteOf(at: number): number {
	return Math.floor(at / 60_000);
}

function dayOf(at: number): number {
	return Math.floor(at / 86_400_000);
}
