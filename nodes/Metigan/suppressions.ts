import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { listClient } from '../shared/action/list';
import type { Attempt } from '../shared/api/request';
import { settingsError } from '../shared/errors';
import { jsonObjectSchema } from '../shared/jsonObject';
import type { ActionCall, Operation, Resource } from '../shared/provider';
import { SUPPRESSIONS } from './recovery';
import {
	EMAIL,
	EMAILS,
	NOTE,
	REASON,
	readEmail,
	readEmails,
	readNote,
	readReason,
	type Emails,
} from './suppressionParameters';

/** Single addresses of the suppression list, after Metigan's JavaScript SDK 2.5. */

export const RESOURCE: Resource = {
	name: 'Suppression',
	value: 'suppression',
	description: 'An address that the provider sends no more emails to',
};

/** What errors call the entries of the list. */
export const NOUN = 'suppressions';

/** `Suppression` of the SDK. */
export const suppressionOutput = () =>
	z.object({
		email: z.string(),
		reason: z.string(),
		source: z.string(),
		createdAt: z.string(),
		updatedAt: z.string(),
		bounceCode: z.string().optional(),
		diagnostic: z.string().optional(),
		messageId: z.string().optional(),
		message: z
			.object({
				messageId: z.string(),
				emailId: z.string(),
				subject: z.string(),
				sentAt: z.string(),
			})
			.optional(),
		policy: z.string(),
	});

/** Addresses that Metigan takes in one call. */
const BATCH_SIZE = 1_000;

const addedSchema = z.object({
	data: z.object({
		added: z.array(z.string()),
		alreadySuppressed: jsonObjectSchema.catch({}),
		invalid: z
			.array(z.unknown())
			.transform((all) => all.filter((one) => typeof one === 'string'))
			.catch([]),
	}),
});
const oneSchema = z.object({ data: jsonObjectSchema });

export const add: Operation = {
	resource: RESOURCE,
	value: 'add',
	name: 'Add',
	action: 'Add suppressions',
	description: 'Stop emails to some addresses; those already on the list stay as they are',
	offered: () => 'documented',
	properties: () => [EMAILS, REASON, NOTE],
	output: () =>
		z.object({
			added: z.array(z.string()),
			alreadySuppressed: z.array(z.object({ email: z.string(), reason: z.string() })),
			invalid: z.array(z.string()),
		}),
	run: async (call) => [{ json: await addAll(call, readEmails(call)) }],
};

export const get: Operation = {
	resource: RESOURCE,
	value: 'get',
	name: 'Get',
	action: 'Get suppression',
	description:
		'Find out whether and why an address gets no more emails, with the history of its changes',
	offered: () => 'documented',
	properties: () => [EMAIL],
	output: () =>
		z.object({
			email: z.string(),
			suppressed: z.boolean(),
			suppression: z.looseObject({}).optional(),
			history: z.array(z.looseObject({})),
		}),
	run: async (call) => {
		const { client, path } = at(call, readEmail(call));
		const attempt = await client.send({ method: 'GET' }, path, {});
		return [{ json: client.valueOf('GET', path, attempt, readOne, 'a suppression') }];
	},
};

export const remove: Operation = {
	resource: RESOURCE,
	value: 'remove',
	name: 'Remove',
	action: 'Remove suppression',
	description: 'Send emails to an address again',
	offered: () => 'documented',
	properties: () => [
		EMAIL,
		{
			displayName: 'Consent',
			name: 'consent',
			type: 'boolean',
			default: false,
			description:
				'Whether the recipient has opted in again. Otherwise Metigan does not remove an unsubscribe.',
		},
		NOTE,
	],
	output: suppressionOutput,
	run: async (call) => {
		const { context, itemIndex } = call;
		const email = readEmail(call);
		const consent = context.getNodeParameter('consent', itemIndex, false) === true;
		const { client, path } = at(call, email);
		const qs = { ...(consent ? { consent: 'true' } : {}), ...readNote(call) };
		// Not repeated: the recipient may have opted out again meanwhile.
		const attempt = await client.send({ method: 'DELETE', idempotent: false }, path, { qs });
		requireRemoved(call, email, attempt);
		return [{ json: client.valueOf('DELETE', path, attempt, readOne, 'a suppression') }];
	},
};

/** Adds addresses batch by batch. @throws NodeApiError that says how many were taken before it */
async function addAll(call: ActionCall, emails: Emails): Promise<IDataObject> {
	const client = listClient(call, { noun: NOUN });
	const { addresses, invalid } = emails;
	const content = { reason: readReason(call), ...readNote(call) };
	const added: string[] = [];
	const alreadySuppressed: IDataObject[] = [];
	for (let start = 0; start < addresses.length; start += BATCH_SIZE) {
		const body = { emails: addresses.slice(start, start + BATCH_SIZE), ...content };
		// If it were repeated, its answer would call the addresses that the first call added already suppressed.
		const attempt = await client.send({ method: 'POST', idempotent: false }, SUPPRESSIONS, {
			body,
		});
		const taken = attempt.kind === 'success' ? readAdded(attempt.body) : undefined;
		if (taken === undefined) {
			const failure = client.failure(
				'POST',
				SUPPRESSIONS,
				attempt.kind === 'success'
					? { kind: 'unreadable', status: attempt.status, expected: 'a result' }
					: attempt,
			);
			if (start > 0) {
				failure.description = `The first ${start} of ${addresses.length} addresses were added before this failed; adding them again does no harm — ${failure.description ?? ''}`;
			}
			throw failure;
		}
		added.push(...taken.added);
		invalid.push(...taken.invalid);
		for (const [email, reason] of Object.entries(taken.alreadySuppressed)) {
			alreadySuppressed.push({ email, ...(typeof reason === 'string' && { reason }) });
		}
	}
	return { added, alreadySuppressed, invalid };
}

function at(call: ActionCall, email: string) {
	const client = listClient(call, { noun: NOUN });
	return { client, path: `${SUPPRESSIONS}/${encodeURIComponent(email)}` };
}

function readAdded(body: unknown) {
	return addedSchema.safeParse(body).data?.data;
}

function readOne(body: unknown): IDataObject | undefined {
	return oneSchema.safeParse(body).data?.data;
}

const codeSchema = z.object({ code: z.string() });

/** @throws NodeOperationError where a rule of Metigan's keeps an address on the list, or it is not on it */
function requireRemoved({ context }: ActionCall, email: string, attempt: Attempt): void {
	if (attempt.kind !== 'status') return;
	const code = codeSchema.safeParse(attempt.body).data?.code;
	if (attempt.status === 404) {
		throw settingsError(
			context,
			`Metigan does not suppress ${email}`,
			'It may have been removed before: see Suppression → Get',
		);
	}
	if (attempt.status === 409 && code === 'consent_required') {
		throw settingsError(
			context,
			`${email} has unsubscribed, and Metigan sends to it again only with the consent of the recipient`,
			'Switch on Consent if the recipient has opted in again',
		);
	}
	if (attempt.status === 403 && code === 'support_only') {
		throw settingsError(
			context,
			`${email} has complained about spam, and only Metigan can remove it`,
			'Ask Metigan’s support',
		);
	}
}
