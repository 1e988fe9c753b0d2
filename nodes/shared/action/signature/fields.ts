import type { INodeProperties } from 'n8n-workflow';

import { schemeOptions, TOLERANCE } from '../../properties';
import type { Provider } from '../../provider';

/** The bytes that are signed. */
const PAYLOAD: readonly INodeProperties[] = [
	{
		displayName: 'Payload Source',
		name: 'payloadSource',
		type: 'options',
		options: [
			{
				name: 'Binary File',
				value: 'binary',
				description: 'The raw body, as n8n’s Webhook node outputs it with its option Raw Body',
			},
			{ name: 'Text', value: 'text', description: 'The body as text' },
		],
		default: 'binary',
		description: 'Where the exact bytes come from. Parsed JSON cannot be verified.',
	},
	{
		displayName: 'Input Binary Field',
		name: 'binaryPropertyName',
		type: 'string',
		required: true,
		default: 'data',
		placeholder: 'e.g. data',
		hint: 'The name of the input binary field containing the file to be read',
		description: 'Where the raw body is; n8n’s Webhook node calls it data',
		displayOptions: { show: { payloadSource: ['binary'] } },
	},
	{
		displayName: 'Payload',
		name: 'payload',
		type: 'string',
		typeOptions: { rows: 4 },
		default: '',
		placeholder: 'e.g. {"type":"email.delivered"}',
		description: 'The body exactly as it is sent, white space included',
		displayOptions: { show: { payloadSource: ['text'] } },
	},
];

/** Where the output of n8n's Webhook node has the headers. */
export const HEADERS_OF_WEBHOOK = '={{ $json.headers }}';

const HEADERS: INodeProperties = {
	displayName: 'Headers',
	name: 'headers',
	type: 'json',
	required: true,
	default: HEADERS_OF_WEBHOOK,
	description: 'Headers of the delivery, as n8n’s Webhook node outputs them',
};

/** A delivery as n8n's Webhook node outputs it. */
export const DELIVERY: readonly INodeProperties[] = [...PAYLOAD, HEADERS];

const TIMESTAMP: INodeProperties = {
	displayName: 'Timestamp',
	name: 'timestamp',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 0,
	description: 'Unix time in seconds to sign with, where the scheme signs one. 0 is now.',
};

/** The parameters for signing a payload. */
export function signFields(provider: Provider): INodeProperties[] {
	const [, ...schemes] = schemeOptions(provider);
	const defaultScheme = schemes[0]?.value ?? '';
	const signatureScheme: INodeProperties = {
		displayName: 'Signature Scheme',
		name: 'signatureScheme',
		type: 'options',
		options: schemes,
		default: defaultScheme,
		description: 'How to sign',
	};
	return [...PAYLOAD, signatureScheme, TIMESTAMP];
}

/** The parameters for verifying a payload. */
export function verifyFields(provider: Provider): INodeProperties[] {
	const signatureScheme: INodeProperties = {
		displayName: 'Signature Scheme',
		name: 'signatureScheme',
		type: 'options',
		options: schemeOptions(provider),
		default: 'auto',
		description: 'How the payload is signed',
	};
	return [...DELIVERY, signatureScheme, TOLERANCE];
}
