import type { IDataObject } from 'n8n-workflow';

import type { EventSample } from '../shared/provider';

/** Samples of what Metigan sends, after the API page and the webhook types of its SDK. */

const AT = '2026-01-15T09:30:00.000Z';

/** Events that the documentation names without showing their data. */
const UNDOCUMENTED = new Set([
	'email.delivery_delayed',
	'contact.updated',
	'contact.deleted',
	'audience.updated',
	'audience.deleted',
	'form.submitted',
]);

/** Of contacts, audiences and forms, `messageId` is the id of the entity. */
export function sample(event: string): EventSample {
	const [entity = ''] = event.split('.');
	const messageId = entity === 'email' ? 'msg_01j9abc' : `${entity}_01j9abc`;
	const data = dataOf(event, messageId);
	return {
		body: { event, messageId, data, timestamp: Date.parse(AT) },
		isDocumented: !UNDOCUMENTED.has(event),
	};
}

function dataOf(event: string, id: string): IDataObject {
	const email = { recipient: 'ada@example.com', subject: 'Welcome!', timestamp: AT };
	const client = { ip: '203.0.113.7', userAgent: 'Mozilla/5.0 (Macintosh)' };
	switch (event) {
		case 'email.sent':
			return {
				to: 'ada@example.com',
				from: 'hello@example.com',
				subject: 'Welcome!',
				emailId: 'eml_1',
				messageId: id,
				trackingId: 'trk_1',
				hasAttachments: false,
				attachmentsCount: 0,
				timestamp: AT,
			};
		case 'email.delivered':
			return {
				...email,
				status: 'delivered',
				metadata: { queueId: '4F1A2B3C', dsn: '2.0.0', statusDetail: '250 OK' },
			};
		case 'email.opened':
			return {
				...email,
				status: 'opened',
				openCount: 1,
				metadata: {
					...client,
					geolocation: { country: 'PT', city: 'Lisbon' },
					device: { type: 'desktop', os: 'macOS', client: 'Apple Mail' },
				},
			};
		case 'email.clicked':
			return {
				...email,
				status: 'clicked',
				metadata: { ...client, device: 'desktop', url: 'https://example.com/pricing' },
			};
		case 'email.bounced':
			return {
				...email,
				status: 'bounced',
				bounceType: 'hard',
				metadata: { bounceReason: '550 5.1.1 User unknown' },
			};
		case 'email.complained':
			return { ...email, status: 'complained', metadata: {} };
		case 'email.delivery_delayed':
			return { ...email, status: 'delayed', metadata: {} };
		case 'email.unsubscribed':
			return { email: 'ada@example.com', timestamp: AT };
		case 'email.failed':
			return { to: 'ada@example.com', emailId: 'eml_1', reason: 'Rejected by the provider' };
		case 'contact.created':
			return {
				id,
				email: 'ada@example.com',
				firstName: 'Ada',
				lastName: 'Lovelace',
				status: 'subscribed',
				audienceId: 'aud_1',
				tags: ['customer'],
				createdAt: AT,
			};
		case 'contact.updated':
			return { id, email: 'ada@example.com', status: 'subscribed', updatedAt: AT };
		case 'contact.deleted':
			return { _id: id, email: 'ada@example.com', userId: 'usr_1' };
		case 'audience.created':
			return { id, name: 'Customers', description: 'Everyone who bought', createdAt: AT };
		case 'audience.updated':
		case 'audience.deleted':
			return { _id: id, name: 'Customers', userId: 'usr_1' };
		case 'form.submitted':
			return { id, formId: 'frm_1', email: 'ada@example.com', fields: { name: 'Ada' } };
		default:
			return { id, timestamp: AT };
	}
}
