import type { SampleRequest } from '../provider';

/** Events whose `messageId` is the id of the entity (docs.metigan.com/docs/api/webhooks). */
export function isEntityEvent(event: string): boolean {
	return /^(contact|audience|form)\./.test(event);
}

/** Metigan's `data`: the JS SDK 3's types, with the API page's richer fields where both describe an event. */
export function sampleMetiganData({ event, id, at }: SampleRequest): unknown {
	const mail = { recipient: 'ada@example.com', subject: 'Welcome!', timestamp: at };
	const client = { ip: '203.0.113.7', userAgent: 'Mozilla/5.0 (Macintosh)' };
	const place = {
		geolocation: { country: 'PT', city: 'Lisbon' },
		device: { type: 'desktop', os: 'macOS', client: 'Apple Mail' },
	};
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
				timestamp: at,
			};
		case 'email.delivered':
			return {
				...mail,
				status: 'delivered',
				metadata: { queueId: '4F1A2B3C', dsn: '2.0.0', statusDetail: '250 OK' },
			};
		case 'email.opened':
			return { ...mail, status: 'opened', openCount: 1, metadata: { ...client, ...place } };
		case 'email.clicked':
			return {
				...mail,
				status: 'clicked',
				metadata: { ...client, device: 'desktop', url: 'https://example.com/pricing' },
			};
		case 'email.bounced':
			return {
				...mail,
				status: 'bounced',
				bounceType: 'hard',
				metadata: { bounceReason: '550 5.1.1 User unknown' },
			};
		case 'email.complained':
			return { ...mail, status: 'complained', metadata: {} };
		case 'email.delivery_delayed':
			return { ...mail, status: 'delayed', metadata: {} };
		case 'email.unsubscribed':
			return { email: 'ada@example.com', timestamp: at };
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
				createdAt: at,
			};
		case 'contact.updated':
			return { id, email: 'ada@example.com', status: 'subscribed', updatedAt: at };
		case 'contact.deleted':
			return { _id: id, email: 'ada@example.com', userId: 'usr_1' };
		case 'audience.created':
			return { id, name: 'Customers', description: 'Everyone who bought', createdAt: at };
		case 'audience.updated':
		case 'audience.deleted':
			return { _id: id, name: 'Customers', userId: 'usr_1' };
		case 'form.submitted':
			return { id, formId: 'frm_1', email: 'ada@example.com', fields: { name: 'Ada' } };
		default:
			return { id, timestamp: at };
	}
}
