import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { throughApi } from './endpoint/call';
import type { Operation } from './operation';
import { isoTime, readParameter, readText } from './parameter';

const additionalSchema = z.object({
	recipient: z.string().optional(),
	timestamp: z.string().optional(),
});

const FIELDS: readonly INodeProperties[] = [
	{
		displayName: 'Event Type',
		name: 'eventType',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. email.bounced',
		description: 'What happened to the email, as the mail provider calls it',
	},
	{
		displayName: 'Email ID',
		name: 'emailId',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. msg_abc123',
		description: 'ID of the email the event belongs to',
	},
	{
		displayName: 'Additional Fields',
		name: 'additionalFields',
		type: 'collection',
		placeholder: 'Add Field',
		default: {},
		description: 'What else is known about the event',
		options: [
			{
				displayName: 'Recipient',
				name: 'recipient',
				type: 'string',
				default: '',
				placeholder: 'e.g. ada@example.com',
				description: 'Email address of the recipient',
			},
			{
				displayName: 'Timestamp',
				name: 'timestamp',
				type: 'dateTime',
				default: '',
				description: 'When it happened',
			},
		],
	},
];

/** Events of other mail providers. */
export const eventOperations: readonly Operation[] = [
	{
		resource: 'event',
		value: 'record',
		name: 'Record',
		action: 'Record an email event',
		description: 'Hand over an event of another mail provider, such as Resend, SendGrid or Mailgun',
		isDefault: true,
		offered: ({ api }) => (api?.inboundPath === undefined ? undefined : 'documented'),
		properties: () => FIELDS,
		run: throughApi(async (call) => {
			const optional = readParameter(call, 'additionalFields', additionalSchema, {});
			const event = {
				type: readText(call, 'eventType'),
				email_id: readText(call, 'emailId'),
				...(optional.recipient ? { recipient: optional.recipient } : {}),
				...(optional.timestamp ? { timestamp: isoTime(call, optional.timestamp) } : {}),
			};
			await call.api.record(call.management.inboundPath ?? '', event);
			return [{ recorded: true, ...event }];
		}),
	},
];
