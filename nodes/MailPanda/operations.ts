import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { RESOURCES } from '../shared/action/resources';
import { isoTime, readParameter, readText } from '../shared/action/parameter';
import { ApiClient } from '../shared/api/request';
import type { ActionCall, Operation } from '../shared/provider';

/** Events of other mail providers, which the webhook page takes at an inbound endpoint. */

const INBOUND = '/api/webhooks';

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
		description: 'What happened to the email, in the words of the mail provider',
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

export const operations: readonly Operation[] = [
	{
		resource: RESOURCES.event,
		value: 'record',
		name: 'Record',
		action: 'Record email event',
		description: 'Report an event from another mail provider, such as Resend, SendGrid or Mailgun',
		isDefault: true,
		offered: () => 'documented',
		properties: () => FIELDS,
		output: () =>
			z.object({
				recorded: z.boolean(),
				type: z.string(),
				email_id: z.string(),
				recipient: z.string().optional(),
				timestamp: z.string().optional(),
			}),
		run: async (call) => [{ json: await record(call) }],
	},
];

async function record(call: ActionCall): Promise<IDataObject> {
	const { context, itemIndex, provider, credential } = call;
	const optional = readParameter(call, 'additionalFields', additionalSchema, {});
	const event = {
		type: readText(call, 'eventType'),
		email_id: readText(call, 'emailId'),
		...(optional.recipient ? { recipient: optional.recipient } : {}),
		...(optional.timestamp ? { timestamp: isoTime(call, optional.timestamp) } : {}),
	};
	const client = new ApiClient(context, provider, { ...credential, itemIndex });
	const attempt = await client.send({ method: 'POST', idempotent: false }, INBOUND, {
		body: event,
	});
	if (attempt.kind !== 'success') throw client.failure('POST', INBOUND, attempt);
	return { recorded: true, ...event };
}
