import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { readParameter, readText } from '../shared/action/parameter';
import { settingsError, shown } from '../shared/errors';
import type { ActionCall } from '../shared/provider';
import { addressOf } from '../shared/values';

/** The parameters of the operations on suppressions, and how they are read. */

/** Characters of a note that Metigan keeps. */
const LONGEST_NOTE = 500;

export const EMAIL: INodeProperties = {
	displayName: 'Email Address',
	name: 'email',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. ana@example.com',
	description: 'The address to work with',
};

export const EMAILS: INodeProperties = {
	displayName: 'Email Addresses',
	name: 'emails',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. ana@example.com, bob@example.com',
	description:
		'One address or several, separated by commas, or an expression that returns a list. More than 1,000 take several calls.',
};

/** Why a person may put an address on the list. */
const REASONS = [
	{ name: 'Manual', value: 'manual', description: 'No more emails at all' },
	{
		name: 'Unsubscribe',
		value: 'unsubscribe',
		description: 'The recipient opted out: no campaigns, but transactional emails',
	},
];

export const REASON: INodeProperties = {
	displayName: 'Reason',
	name: 'reason',
	type: 'options',
	options: REASONS,
	default: 'manual',
	description: 'Why the addresses get no more emails: manual or unsubscribe',
};

export const NOTE: INodeProperties = {
	displayName: 'Note',
	name: 'note',
	type: 'string',
	default: '',
	placeholder: 'e.g. Opted out in the CRM',
	description: 'Kept in the history of the address, 500 characters at most',
};

/** Several addresses as a list, or as text that an AI agent or a spreadsheet cell holds. */
const emailsSchema = z.preprocess(
	(value) => (typeof value === 'string' ? value.split(/[\s,;"[\]]+/) : value),
	z.array(z.unknown()),
);

export interface Emails {
	/** Each once, as written. */
	readonly addresses: string[];
	/** What is not an email address. */
	readonly invalid: string[];
}

/** @throws NodeOperationError when there is no address at all */
export function readEmails(call: ActionCall): Emails {
	const given = readParameter(call, 'emails', emailsSchema, '');
	const texts = given.map((one) => shown(one ?? '').trim()).filter((text) => text !== '');
	if (texts.length === 0) {
		throw settingsError(call.context, 'There is no email address', 'Enter one in Email Addresses');
	}
	const addresses = texts.flatMap((text) => addressOf(text) ?? []);
	const invalid = texts.filter((text) => addressOf(text) === undefined);
	if (addresses.length === 0) throw noAddress(call, invalid.slice(0, 5).join(', '));
	return { addresses: [...new Set(addresses)], invalid };
}

/** @throws NodeOperationError when it is not an address */
export function readEmail(call: ActionCall): string {
	const text = readText(call, 'email');
	const address = addressOf(text);
	if (address === undefined) throw noAddress(call, text);
	return address;
}

function noAddress({ context }: ActionCall, text: string) {
	return settingsError(
		context,
		`"${text}" is not an email address`,
		'Enter an address such as ana@example.com',
	);
}

/** @throws NodeOperationError for one that Metigan does not take */
export function readReason(call: ActionCall): string {
	const reason = readText(call, 'reason');
	const values = REASONS.map(({ value }) => value);
	if (values.includes(reason)) return reason;
	throw settingsError(
		call.context,
		`The reason "${reason}" is not one of ${values.join(', ')}`,
		'Choose one of them',
	);
}

/** @throws NodeOperationError when it is too long */
export function readNote(call: ActionCall): IDataObject {
	const note = readParameter(call, 'note', z.string().trim(), '');
	if (note.length > LONGEST_NOTE) {
		throw settingsError(
			call.context,
			`The note has ${note.length} characters, but Metigan keeps at most ${LONGEST_NOTE}`,
			'Shorten it',
		);
	}
	return note === '' ? {} : { note };
}
