import type { IDataObject } from 'n8n-workflow';

import type { EventSample } from '../shared/provider';

/** Samples of what Misar sends: the documented ones where there are any, else modelled on those. */

const ID = 'evt_01j9abc';
const AT = '2026-01-15T09:30:00Z';
const AT_MILLIS = '2026-01-15T09:30:00.000Z';

/** In the envelope of the platform page, which shows the data of `email.delivered` only. */
function inPlatformEnvelope(
	product: string,
	type: string,
	data: IDataObject,
	isDocumented = false,
): EventSample {
	const envelope = { id: ID, type, product, timestamp: AT, api_version: 'v1' };
	return { body: { ...envelope, data }, isDocumented };
}

/** For products whose documentation names the events and nothing else. */
export function platformSample(product: string): (event: string) => EventSample {
	return (event) =>
		inPlatformEnvelope(product, event, { id: `${event.split('.')[0]}_01j9abc`, occurred_at: AT });
}

/** In the envelope of the help page (docs.misar.io/social), which shows no data. */
export function postSample(event: string): EventSample {
	return { body: { event, timestamp: AT_MILLIS, data: postData(event) }, isDocumented: false };
}

function postData(event: string): IDataObject {
	const post = { postId: 'post_1', platform: 'linkedin' };
	if (event === 'post.failed') return { ...post, error: 'The platform refused the post' };
	if (event.startsWith('post.')) return post;
	if (event === 'account.disconnected') return { accountId: 'acc_1', platform: 'linkedin' };
	return { id: `${event.split('.')[0]}_1` };
}

/** Each in the envelope of the document that prints it; in that of the platform page where none does. */
export function mailSample(event: string): EventSample {
	switch (event) {
		// docs.misar.io/dev/mail/api-reference/webhooks
		case 'email.opened':
		case 'email.clicked':
			return {
				body: { id: ID, type: event, createdAt: AT_MILLIS, data: developerData[event] },
				isDocumented: true,
			};
		// docs.misar.io/mail/api-reference/webhooks
		case 'email.bounced':
			return {
				body: { id: ID, type: event, created_at: AT_MILLIS, data: bounce },
				isDocumented: true,
			};
		default:
			return inPlatformEnvelope('mail', event, mailData(event), event === 'email.delivered');
	}
}

const developerMessage = { messageId: 'msg_01j9abc', email: 'ada@example.com' };
const developerData = {
	'email.opened': {
		...developerMessage,
		openedAt: AT_MILLIS,
		userAgent: 'Mozilla/5.0 (Macintosh)',
		ip: '203.0.113.7',
		machineOpen: false,
	},
	'email.clicked': {
		...developerMessage,
		url: 'https://example.com/pricing',
		clickedAt: AT_MILLIS,
	},
};
const bounce = {
	message_id: 'msg_01j9abc',
	email: 'ada@example.com',
	bounce_type: 'hard',
	bounce_code: '550',
	bounce_message: '5.1.1 User unknown',
	timestamp: AT_MILLIS,
};

function mailData(event: string): IDataObject {
	const message = { id: 'msg_01j9abc', to: 'ada@example.com' };
	const campaign = { campaign_id: 'cmp_01j9', name: 'Autumn news', recipients: 120 };
	const contact = { contact_id: 'con_01j9', email: 'ada@example.com' };
	switch (event) {
		case 'email.sent':
			return {
				message_id: 'msg_01j9abc',
				to: 'ada@example.com',
				subject: 'Welcome!',
				campaign_id: null,
				sent_at: AT,
			};
		case 'email.delivered':
			return { ...message, subject: 'Welcome!', delivered_at: AT };
		case 'email.complained':
			return { ...message, complained_at: AT };
		case 'email.unsubscribed':
			return { ...message, unsubscribed_at: AT };
		case 'email.received':
			return {
				message_id: 'msg_01j9abc',
				from: 'ada@example.com',
				to: 'inbox@example.com',
				subject: 'Re: Welcome!',
				received_at: AT,
			};
		case 'campaign.sent':
			return { ...campaign, sent_at: AT };
		case 'campaign.completed':
			return { ...campaign, completed_at: AT };
		case 'contact.created':
			return { ...contact, created_at: AT };
		case 'contact.updated':
			return { ...contact, updated_at: AT };
		default:
			return { id: 'obj_01j9', occurred_at: AT };
	}
}
