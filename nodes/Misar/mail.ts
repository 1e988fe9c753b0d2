import { z } from 'zod/v4';

import { EMAIL_HOW_TO } from '../shared/emailEvents';
import type { EnvelopeFacts, EventFact, Provider, SignatureScheme } from '../shared/provider';
import {
	BASE_URL,
	PLAN_REFUSALS,
	platformEnvelope,
	platformScheme,
	platformShape,
	UNCONFIRMED_EVENT,
} from './platform';
import { mailSample } from './samples';

/**
 * Misar Mail. Its sources disagree on path, signature and envelope, and all of them are served:
 * the platform page (misar.io/docs/webhooks), the integration page
 * (misarmail.com/integrations/webhooks), two API references on docs.misar.io, and the SDKs.
 */

const text = z.string();
const nullableText = z.string().nullish();

/**
 * The documented envelopes: E1 of the platform page, E2 of the developer reference, E3 of the mail
 * reference, E4 of the platform's API page.
 */
const shapes: EnvelopeFacts['shapes'] = [
	platformShape(['mail']),
	{
		id: 'E2',
		mark: 'createdAt',
		schema: z.object({ id: text, type: text, createdAt: text, data: z.object({}) }),
	},
	{
		id: 'E3',
		mark: 'created_at',
		schema: z.object({ id: text, type: text, created_at: text, data: z.object({}) }),
	},
	{
		id: 'E4',
		mark: 'event',
		schema: z.object({ event: text, timestamp: text, data: z.object({}) }),
	},
];

/** Data shapes by envelope, as far as they are documented. */
const delivered = {
	E1: z.object({ id: text, to: text, subject: text, delivered_at: text }),
	E2: z.object({
		messageId: text,
		to: text,
		subject: text,
		campaignId: nullableText,
		deliveredAt: text,
	}),
	E4: z.object({ id: text }),
};
const opened = {
	E2: z.object({
		messageId: text,
		email: text,
		openedAt: text,
		userAgent: nullableText,
		ip: nullableText,
		machineOpen: z.boolean(),
	}),
	E3: z.object({ message_id: text, email: text, campaign_id: nullableText, timestamp: text }),
};
const clicked = {
	E2: z.object({ messageId: text, email: text, url: text, clickedAt: text }),
};
const bounced = {
	E3: z.object({
		message_id: text,
		email: text,
		bounce_type: text,
		bounce_code: nullableText,
		bounce_message: nullableText,
	}),
};

const events: readonly EventFact[] = [
	{
		name: 'email.sent',
		label: 'Email Sent',
		description: 'An email was accepted for delivery',
		howTo: EMAIL_HOW_TO.sent,
	},
	{
		name: 'email.delivered',
		label: 'Email Delivered',
		description: "The recipient's mail server accepted an email",
		howTo: EMAIL_HOW_TO.delivered,
		data: delivered,
	},
	{
		name: 'email.opened',
		label: 'Email Opened',
		description: 'A recipient opened an email, as far as its tracking pixel can tell',
		howTo: EMAIL_HOW_TO.opened,
		data: opened,
	},
	{
		name: 'email.clicked',
		label: 'Email Clicked',
		description: 'A recipient clicked a tracked link',
		howTo: EMAIL_HOW_TO.clicked,
		data: clicked,
	},
	{
		name: 'email.bounced',
		label: 'Email Bounced',
		description: 'Hard or soft bounce: the email was not delivered',
		howTo: EMAIL_HOW_TO.bounced,
		data: bounced,
	},
	{
		name: 'email.complained',
		label: 'Marked as Spam',
		description: 'Spam complaint: a recipient marked an email as spam',
		howTo: EMAIL_HOW_TO.complained,
	},
	{
		name: 'email.unsubscribed',
		label: 'Email Unsubscribed',
		description: 'A recipient opted out of further emails',
		howTo: EMAIL_HOW_TO.unsubscribed,
	},
	{
		name: 'email.received',
		label: 'Email Received',
		description: 'An email arrived at a domain of yours that is set up for incoming mail',
		howTo: 'Write an email to an address at that domain',
	},
	{
		name: 'campaign.sent',
		label: 'Campaign Sent',
		description: 'All emails of a campaign were queued or sent',
		howTo: 'Send a campaign to a segment that holds only yourself',
	},
	{
		name: 'campaign.completed',
		label: 'Campaign Completed',
		description: 'A campaign finished, with all its sends and events settled',
		howTo:
			'Send a campaign to a segment that holds only yourself, and wait until its emails are settled',
	},
	{
		name: 'contact.created',
		label: 'Contact Created',
		description: 'A contact was added',
		howTo: 'Add a contact',
		unconfirmed: UNCONFIRMED_EVENT,
	},
	{
		name: 'contact.updated',
		label: 'Contact Updated',
		description: 'A contact was changed',
		howTo: 'Change a field of a contact',
		unconfirmed: UNCONFIRMED_EVENT,
	},
	{
		name: 'automation.triggered',
		label: 'Automation Triggered',
		description: 'An automation started',
		howTo: 'Do what one of your automations waits for, such as adding a contact',
		unconfirmed: 'Not confirmed by Misar, and its name is a guess; not part of All Events',
	},
];

const schemes: readonly SignatureScheme[] = [
	{
		id: 'timestamped',
		name: 'X-Misar-Signature with X-Misar-Timestamp',
		description: 'The newest: a timestamp is signed with the body, so old deliveries are refused',
		kind: 'hmac',
		header: 'x-misar-signature',
		layout: { type: 'hex', prefixes: [''] },
		signed: 'timestamp.body',
		timestampHeader: 'x-misar-timestamp',
		// MisarMail SDK 5 reads it as a decimal number.
		decimalTimestamp: true,
		auto: true,
	},
	platformScheme,
	{
		id: 'mailHeader',
		name: 'X-MisarMail-Signature',
		description: 'As on the Misar Mail integration page: the body alone is signed',
		kind: 'hmac',
		header: 'x-misarmail-signature',
		layout: { type: 'hex', prefixes: ['', 'sha256='] },
		signed: 'body',
		auto: true,
	},
];

export const misarMail: Provider = {
	id: 'misar',
	product: 'mail',
	displayName: 'Misar Mail',
	description: 'Emails sent, delivered, opened, clicked, bounced and unsubscribed; campaigns',
	credentialType: 'misarApi',
	baseUrl: BASE_URL,
	apiRoots: ['/mail/v1', '/mail'],
	events,
	sample: mailSample,
	schemes,
	envelope: {
		...platformEnvelope('mail'),
		shapes,
		recipientFields: ['email', 'to'],
		bounce: { event: 'email.bounced', fields: ['bounce_type', 'bounceType'] },
	},
	api: {
		paths: ['/mail/v1/webhooks', '/mail/webhooks'],
		itemStyles: [{ id: 'path', update: 'PATCH' }],
		eventsFormat: 'list',
		sendsSecret: 'always',
		requiredPermissions: 'with read and write access',
		operations: {
			get: 'documented',
			update: 'documented',
			delete: 'documented',
			test: 'documented',
			deliveries: 'documented',
		},
	},
	planRefusals: PLAN_REFUSALS,
	defaultRegistration: 'automatic',
	manualSteps: [
		'Open <a href="https://mail.misar.io" target="_blank">Misar Mail</a> and go to Settings → Webhooks → Add Webhook. Paste the URL and choose the same events as below.',
		'Copy the signing secret to Signing Secret in the credential.',
	],
};
