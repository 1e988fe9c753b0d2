import { z } from 'zod/v4';

import { EMAIL_HOW_TO } from '../shared/emailEvents';
import type { EventFact, Provider, ProviderFamily } from '../shared/provider';
import { operations } from './operations';
import { sample } from './samples';

/**
 * Mail Panda, after its webhook page (mailpanda.io/docs/webhooks). The page documents list and
 * create; update and delete are implied, so the ways an installation may serve them are tried.
 */

const events: readonly EventFact[] = [
	{
		name: 'open',
		label: 'Email Opened',
		description: 'A recipient opened an email, as far as its tracking pixel can tell',
		howTo: EMAIL_HOW_TO.opened,
	},
	{
		name: 'click',
		label: 'Email Clicked',
		description: 'A recipient clicked a tracked link',
		howTo: EMAIL_HOW_TO.clicked,
	},
	{
		name: 'bounce',
		label: 'Email Bounced',
		description: 'Hard or soft bounce: the email was not delivered',
		howTo: EMAIL_HOW_TO.bounced,
	},
	{
		name: 'unsubscribe',
		label: 'Email Unsubscribed',
		description: 'A recipient opted out with the unsubscribe link',
		howTo: EMAIL_HOW_TO.unsubscribed,
	},
];

const shortNames = new Set(events.map(({ name }) => name));

/** The page subscribes to `open` and describes `email.open`: one event. */
function shortName(name: string): string {
	const short = name.replace(/^email\./, '');
	return shortNames.has(short) ? short : name;
}

const mailPandaProvider: Provider = {
	id: 'mailPanda',
	displayName: 'Mail Panda',
	description: 'Emails opened, clicked, bounced and unsubscribed',
	credentialType: 'mailPandaApi',
	baseUrl: 'https://www.mailpanda.io',
	apiRoots: ['/api'],
	events,
	sample,
	schemes: [
		{
			id: 'bare',
			name: 'X-Webhook-Signature',
			description: 'The body alone is signed',
			kind: 'hmac',
			header: 'x-webhook-signature',
			layout: { type: 'hex', prefixes: [''] },
			signed: 'body',
			auto: true,
		},
	],
	envelope: {
		// The body of a delivery is not documented: any object is accepted.
		shapes: [{ id: 'any', mark: 'event', schema: z.object({}) }],
		eventFields: ['event', 'type'],
		eventHeaders: [],
		timeFields: ['timestamp', 'created_at', 'createdAt'],
		dataTimeFields: ['timestamp'],
		recipientFields: ['recipient', 'email', 'to'],
		data: (body) => body['data'] ?? body,
		// None is documented, and an id in the body may be the email's: the digest of the body serves.
		idempotencyKey: () => undefined,
		testEvents: ['ping', 'test', 'webhook.test'],
		canonicalEvent: shortName,
		retried: true,
		// Not documented: as the shortest of the other providers.
		answerWithinSeconds: 10,
	},
	api: {
		paths: ['/api/webhooks/manage'],
		itemStyles: [
			{ id: 'query', update: 'PUT' },
			{ id: 'query', update: 'PATCH' },
			{ id: 'body', update: 'PUT' },
			{ id: 'body', update: 'PATCH' },
			{ id: 'path', update: 'PUT' },
			{ id: 'path', update: 'PATCH' },
		],
		eventsFormat: 'commaSeparated',
		sendsSecret: 'always',
		requiredPermissions: 'of an administrator, or the email and password of one',
		operations: { update: 'unconfirmed', delete: 'unconfirmed' },
	},
	operations,
	defaultRegistration: 'automatic',
	manualSteps: [
		'Open your Mail Panda dashboard and go to its webhooks. Add one with the URL and the same events as below, and a signing secret of your choice, for example 32 random characters.',
		'Enter the same secret as Signing Secret in the credential.',
	],
	secretOptional: true,
};

/** Mail Panda has one product. */
export const mailPanda: ProviderFamily = [mailPandaProvider];
