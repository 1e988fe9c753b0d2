import type { SampleRequest } from '../provider';

type Fields = Record<string, string | number | boolean | null>;

/** The developer reference (camelCase); events that it does not show follow the same pattern. */
function camelCase(event: string, at: string): Fields {
	const message = { messageId: 'msg_01j9abc', email: 'ada@example.com' };
	switch (event) {
		case 'email.delivered':
			return {
				messageId: 'msg_01j9abc',
				to: 'ada@example.com',
				subject: 'Welcome!',
				campaignId: null,
				deliveredAt: at,
			};
		case 'email.opened':
			return {
				...message,
				openedAt: at,
				userAgent: 'Mozilla/5.0 (Macintosh)',
				ip: '203.0.113.7',
				machineOpen: false,
			};
		case 'email.clicked':
			return { ...message, url: 'https://example.com/pricing', clickedAt: at };
		case 'email.bounced':
			return {
				...message,
				bounceType: 'hard',
				bounceCode: '550',
				bounceMessage: '5.1.1 User unknown',
				bouncedAt: at,
			};
		case 'email.sent':
			return {
				messageId: 'msg_01j9abc',
				to: 'ada@example.com',
				subject: 'Welcome!',
				campaignId: null,
				sentAt: at,
			};
		case 'email.complained':
			return { ...message, complainedAt: at };
		case 'email.unsubscribed':
			return { ...message, unsubscribedAt: at };
		case 'email.received':
			return {
				messageId: 'msg_01j9abc',
				from: 'ada@example.com',
				to: 'inbox@example.com',
				subject: 'Re: Welcome!',
				receivedAt: at,
			};
		case 'campaign.sent':
			return { campaignId: 'cmp_01j9', name: 'Autumn news', recipients: 120, sentAt: at };
		case 'campaign.completed':
			return { campaignId: 'cmp_01j9', name: 'Autumn news', recipients: 120, completedAt: at };
		case 'contact.created':
			return { contactId: 'con_01j9', email: 'ada@example.com', createdAt: at };
		case 'contact.updated':
			return { contactId: 'con_01j9', email: 'ada@example.com', updatedAt: at };
		default:
			return { id: 'obj_01j9', occurredAt: at };
	}
}

/** The mail reference (snake_case, with `timestamp`), which spells out opens and bounces. */
function mailReference(event: string, at: string): Fields {
	const message = { message_id: 'msg_01j9abc', email: 'ada@example.com' };
	if (event === 'email.opened') return { ...message, campaign_id: 'cmp_01j9', timestamp: at };
	if (event === 'email.bounced') {
		return {
			...message,
			bounce_type: 'hard',
			bounce_code: '550',
			bounce_message: '5.1.1 User unknown',
			timestamp: at,
		};
	}
	const fields = Object.entries(camelCase(event, at)).filter(([name]) => !/[a-z]At$/.test(name));
	return { ...snakeCase(Object.fromEntries(fields)), timestamp: at };
}

/** The platform page, which spells out deliveries and calls a message's id `id`. */
function platformPage(event: string, at: string): Fields {
	if (event === 'email.delivered') {
		return { id: 'msg_01j9abc', to: 'ada@example.com', subject: 'Welcome!', delivered_at: at };
	}
	const { messageId, email, ...rest } = camelCase(event, at);
	if (messageId === undefined || email === undefined) return snakeCase(camelCase(event, at));
	return { id: messageId, to: email, ...snakeCase(rest) };
}

function snakeCase(fields: Fields): Fields {
	return Object.fromEntries(
		Object.entries(fields).map(([name, value]) => [
			name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
			value,
		]),
	);
}

/** MisarMail's `data` with the casing and field names of the envelope's document. */
export function sampleMailData({ event, envelope, at }: SampleRequest): unknown {
	if (envelope === 'E2') return camelCase(event, at);
	if (envelope === 'E3') return mailReference(event, at);
	// misar.io/docs/api shows an id and nothing else.
	if (envelope === 'E4') return { id: 'msg_123' };
	return platformPage(event, at.replace(/\.\d{3}Z$/, 'Z'));
}
