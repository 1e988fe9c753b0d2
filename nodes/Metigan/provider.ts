import { z } from 'zod/v4';

import { jsonObjectSchema } from '../shared/jsonObject';
import { EMAIL_HOW_TO } from '../shared/emailEvents';
import type { EventFact, Provider, ProviderFamily, SignatureScheme } from '../shared/provider';
import { operations } from './operations';
import { recovery } from './recovery';
import { sample } from './samples';

/**
 * Metigan, after its webhook guide and API page (docs.metigan.com) and its JavaScript SDK, whose
 * catalogue of events is generated from the backend.
 */

const recipientEvent = z.object({
	recipient: z.string(),
	subject: z.string().optional(),
	status: z.string().optional(),
	timestamp: z.string(),
	metadata: jsonObjectSchema.optional(),
});
/** The guide reads `bounceType` beside the SDK's `metadata.bounceReason`. */
const bounced = recipientEvent.extend({ bounceType: z.string().optional() });
const contact = z.union([
	z.object({ contactId: z.string(), email: z.string() }),
	z.object({ id: z.string(), email: z.string() }),
]);

/** The newest SDK's closed list of names lacks it. */
const UNCONFIRMED_EVENT = 'Not confirmed by Metigan, not part of All Events';

const events: readonly EventFact[] = [
	{
		name: 'email.sent',
		label: 'Email Sent',
		description: 'The mail server accepted an email for sending',
		howTo: EMAIL_HOW_TO.sent,
		data: {
			M: z.object({
				to: z.string(),
				from: z.string(),
				subject: z.string(),
				timestamp: z.string(),
			}),
		},
	},
	{
		name: 'email.delivered',
		label: 'Email Delivered',
		description: 'An email was delivered to the inbox',
		howTo: EMAIL_HOW_TO.delivered,
		data: { M: recipientEvent },
	},
	{
		name: 'email.opened',
		label: 'Email Opened',
		description: 'A recipient opened an email',
		howTo: EMAIL_HOW_TO.opened,
		data: { M: recipientEvent },
	},
	{
		name: 'email.clicked',
		label: 'Email Clicked',
		description: 'A recipient clicked a link',
		howTo: EMAIL_HOW_TO.clicked,
		data: { M: recipientEvent },
	},
	{
		name: 'email.bounced',
		label: 'Email Bounced',
		description: 'Hard or soft bounce: the email was not delivered',
		howTo: EMAIL_HOW_TO.bounced,
		data: { M: bounced },
	},
	{
		name: 'email.complained',
		label: 'Marked as Spam',
		description: 'Spam complaint: a recipient marked an email as spam',
		howTo: EMAIL_HOW_TO.complained,
		data: { M: recipientEvent },
	},
	{
		name: 'email.delivery_delayed',
		label: 'Email Delivery Delayed',
		description: 'An email could not be delivered yet; Metigan keeps trying',
		howTo: 'Send an email to a mailbox that is full or whose server is down',
		unconfirmed: UNCONFIRMED_EVENT,
	},
	{
		name: 'email.unsubscribed',
		label: 'Email Unsubscribed',
		description: 'A recipient opted out of further emails',
		howTo: EMAIL_HOW_TO.unsubscribed,
		data: { M: z.object({ email: z.string(), timestamp: z.string() }) },
	},
	{
		name: 'email.failed',
		label: 'Email Failed',
		description: 'An email could not be sent',
		howTo: 'Send an email from a domain that is not verified',
		data: { M: z.object({ to: z.string(), emailId: z.string(), reason: z.string() }) },
	},
	{
		name: 'contact.created',
		label: 'Contact Created',
		description: 'A contact was added to an audience',
		howTo: 'Add a contact to an audience',
		data: { M: contact },
	},
	{
		name: 'contact.updated',
		label: 'Contact Updated',
		description: 'A contact was changed',
		howTo: 'Change a field of a contact',
		unconfirmed: UNCONFIRMED_EVENT,
	},
	{
		name: 'contact.deleted',
		label: 'Contact Deleted',
		description: 'A contact was removed',
		howTo: 'Remove a contact',
	},
	{
		name: 'audience.created',
		label: 'Audience Created',
		description: 'An audience was created',
		howTo: 'Create an audience',
	},
	{
		name: 'audience.updated',
		label: 'Audience Updated',
		description: 'An audience was changed',
		howTo: 'Rename an audience',
	},
	{
		name: 'audience.deleted',
		label: 'Audience Deleted',
		description: 'An audience was deleted',
		howTo: 'Delete an audience that you made for the test',
	},
	{
		name: 'form.submitted',
		label: 'Form Submitted',
		description: 'A form was submitted',
		howTo: 'Fill in one of your forms',
		unconfirmed: UNCONFIRMED_EVENT,
	},
];

const schemes: readonly SignatureScheme[] = [
	{
		id: 'timestamped',
		name: 'X-Webhook-Signature (t=…,v1=…)',
		description:
			'The current scheme: a timestamp is signed with the body, old deliveries are refused',
		kind: 'hmac',
		header: 'x-webhook-signature',
		layout: { type: 'elements', timestamp: 't', signature: 'v1' },
		signed: 'timestamp.body',
		auto: true,
	},
	{
		id: 'timestampHeader',
		name: 'X-Webhook-Signature with X-Webhook-Timestamp',
		description:
			'The same signature, with or without v1=, and the timestamp in a header of its own, as the SDK accepts it',
		kind: 'hmac',
		header: 'x-webhook-signature',
		layout: { type: 'hex', prefixes: ['', 'v1='] },
		signed: 'timestamp.body',
		timestampHeader: 'x-webhook-timestamp',
		auto: true,
	},
	{
		id: 'legacy',
		name: 'X-Metigan-Signature (Legacy)',
		description: 'The old scheme without a timestamp: an intercepted delivery could be sent again',
		kind: 'hmac',
		header: 'x-metigan-signature',
		layout: { type: 'hex', prefixes: [''] },
		signed: 'body',
		auto: false,
	},
];

const provider: Provider = {
	id: 'metigan',
	displayName: 'Metigan',
	description: 'Emails delivered, opened, clicked, bounced and complained about; contacts',
	credentialType: 'metiganApi',
	baseUrl: 'https://api.metigan.com',
	apiRoots: ['/api'],
	events,
	sample,
	schemes,
	envelope: {
		shapes: [
			{
				id: 'M',
				mark: 'event',
				schema: z.object({
					event: z.string(),
					messageId: z.string(),
					data: z.object({}),
					timestamp: z.number(),
				}),
			},
			// The old API page shows these two fields only.
			{ id: 'old', mark: 'type', schema: z.object({ type: z.string(), data: z.object({}) }) },
		],
		// The old API page reads `event.type`.
		eventFields: ['event', 'type'],
		eventHeaders: [],
		timeFields: ['timestamp'],
		dataTimeFields: ['timestamp'],
		recipientFields: ['recipient', 'email', 'to'],
		// X-Webhook-Id is the endpoint's id on the API page and a delivery id in the SDK, and not signed.
		idempotencyKey: () => undefined,
		// One message id recurs for sent, delivered, opened and so on, for each recipient and link.
		keyPrefix: ({ event, messageId, timestamp }) =>
			typeof event === 'string' && typeof messageId === 'string'
				? [event, messageId, ...(typeof timestamp === 'number' ? [timestamp] : [])].join(':')
				: undefined,
		testEvents: ['ping', 'test', 'webhook.test'],
		bounce: { event: 'email.bounced', fields: ['bounceType'] },
		retried: true,
		// "Respond with 2xx within 30 seconds", and the guide of the newest SDK: disabled after 10 in a row.
		answerWithinSeconds: 30,
		switchesOffAfter: 10,
	},
	api: {
		// Inferred from the sibling resources: the path of the webhook API is not documented.
		paths: ['/api/webhooks'],
		itemStyles: [
			{ id: 'path', update: 'PATCH' },
			{ id: 'path', update: 'PUT' },
		],
		eventsFormat: 'list',
		// Its documentation disagrees on whether a secret that is sent is used; if not, the answer holds another.
		sendsSecret: 'always',
		mayIssueAnother: true,
		requiredPermissions: 'with full access, not only sending access',
		operations: { get: 'unconfirmed', update: 'unconfirmed', delete: 'unconfirmed' },
		page: { size: 100, query: (page, limit) => ({ page, limit }) },
	},
	recovery,
	operations,
	// In its API reference.
	planRefusals: ['insufficient_quota'],
	defaultRegistration: 'manual',
	manualSteps: [
		'Open the <a href="https://app.metigan.com" target="_blank">Metigan dashboard</a> and go to Settings → Webhooks. Add an endpoint with the URL and the same events as below.',
		'Copy its signing key (whsec_…), which is shown only once, to Signing Secret in the credential.',
	],
};

/** Metigan has one product. */
export const metigan: ProviderFamily = [provider];
