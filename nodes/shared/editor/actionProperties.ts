import type { ExpressionString, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { Confirmation, ManagementApi, Provider, ProviderFamily } from '../provider';
import {
	CUSTOM_EVENTS,
	eventOptions,
	productProperty,
	productShow,
	reachOptions,
	schemeOptions,
	shownFor,
	TOLERANCE,
	type Show,
} from './properties';
import { ALL_EVENTS } from '../events';

/** One output, but for Verify, whose verdicts leave by outputs of their own. */
export const ACTION_OUTPUTS: ExpressionString =
	'={{$parameter["resource"] === "signature" && $parameter["operation"] === "verify" ? [{ type: "main", displayName: "Valid" }, { type: "main", displayName: "Invalid" }] : [{ type: "main" }]}}';

/** The parameters of an action node, made from the facts of its providers: only what each offers. */
export function actionProperties(family: ProviderFamily): INodeProperties[] {
	const products = family[0].product === undefined ? [] : [productProperty(family)];
	return [...products, ...family.flatMap(providerProperties)];
}

function providerProperties(provider: Provider): INodeProperties[] {
	const show = productShow(provider);
	const { api } = provider;
	const resources = [
		...(api === undefined ? [] : ['endpoint']),
		...(api?.operations.deliveries === undefined ? [] : ['delivery']),
		...(api?.inboundPath === undefined ? [] : ['event']),
		'signature',
	];
	return [
		resourceProperty(resources, show),
		...(api === undefined ? [] : endpointProperties(provider, api, show)),
		...(api?.operations.deliveries === undefined ? [] : deliveryProperties(show)),
		...(api?.inboundPath === undefined ? [] : eventProperties(show)),
		...signatureProperties(provider, show),
		...(api === undefined
			? []
			: [optionsProperty(api, { ...show, resource: ['endpoint', 'delivery'] })]),
	];
}

const RESOURCES: readonly INodePropertyOptions[] = [
	{
		name: 'Delivery',
		value: 'delivery',
		description: 'An attempt of the provider to send an event to an endpoint',
	},
	{
		name: 'Endpoint',
		value: 'endpoint',
		description: 'A webhook URL that the provider sends events to',
	},
	{ name: 'Event', value: 'event', description: 'Something that happened to an email' },
	{
		name: 'Signature',
		value: 'signature',
		description: 'The proof that a delivery comes from the provider and was not changed',
	},
];

function resourceProperty(resources: readonly string[], show: Show): INodeProperties {
	const [firstResource = 'signature'] = resources;
	return {
		displayName: 'Resource',
		name: 'resource',
		type: 'options',
		noDataExpression: true,
		options: RESOURCES.filter(({ value }) => resources.some((resource) => resource === value)),
		default: firstResource,
		description: 'What to work with',
		displayOptions: { show },
	};
}

function operationProperty(
	options: INodePropertyOptions[],
	defaultOperation: string,
	show: Show,
): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: options.sort((a, b) => a.name.localeCompare(b.name)),
		default: defaultOperation,
		description: 'What to do with it',
		displayOptions: { show },
	};
}

/** An operation's entry, saying so when no document confirms the call behind it. */
function operation(
	name: string,
	value: string,
	action: string,
	description: string,
	confirmation: Confirmation | undefined,
): INodePropertyOptions[] {
	if (confirmation === undefined) return [];
	const caveat =
		confirmation === 'unconfirmed'
			? '. The documents do not confirm this call, so it may not work.'
			: '';
	return [{ name, value, action, description: `${description}${caveat}` }];
}

function endpointProperties(provider: Provider, api: ManagementApi, show: Show): INodeProperties[] {
	const { operations } = api;
	const at = (...names: string[]): Show => ({ ...show, resource: ['endpoint'], operation: names });
	return [
		operationProperty(
			[
				...operation('Create', 'create', 'Create endpoint', 'Register a webhook URL', 'documented'),
				...operation(
					'Create or Update',
					'createOrUpdate',
					'Create or update endpoint',
					'Register a webhook URL, or bring its endpoint in line; running it twice changes nothing',
					operations.update,
				),
				...operation(
					'Delete',
					'delete',
					'Delete endpoint',
					'Remove an endpoint',
					operations.delete,
				),
				...operation('Get', 'get', 'Get endpoint', 'Retrieve an endpoint', operations.get),
				...operation('Get Many', 'getAll', 'Get many endpoints', 'List endpoints', 'documented'),
				...operation(
					'Send Test',
					'test',
					'Send test to endpoint',
					'Have the provider send a test delivery',
					operations.test,
				),
				...operation(
					'Update',
					'update',
					'Update endpoint',
					'Change URL, events or whether the endpoint is active',
					operations.update,
				),
			],
			'getAll',
			{ ...show, resource: ['endpoint'] },
		),
		endpointLocator(at('delete', 'get', 'test', 'update')),
		{
			displayName: 'Webhook URL',
			name: 'url',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. https://example.com/hooks/email',
			description: 'Public HTTPS address that deliveries are sent to',
			displayOptions: { show: at('create', 'createOrUpdate') },
		},
		eventsProperty(provider, at('create', 'createOrUpdate')),
		{ ...CUSTOM_EVENTS, displayOptions: { show: at('create', 'createOrUpdate') } },
		...(api.sendsSecret === 'never' ? [] : [signingSecretProperty(at('create', 'createOrUpdate'))]),
		{
			displayName: 'Include Signing Secret',
			name: 'includeSecret',
			type: 'boolean',
			default: false,
			description:
				'Whether to put the signing secret of a new endpoint into the output. The provider tells it only once, so store it in the next step; everyone who may see the execution can read it.',
			displayOptions: { show: at('create', 'createOrUpdate') },
		},
		...limitProperties('endpoints', at('getAll')),
		{
			displayName: 'Update Fields',
			name: 'updateFields',
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			description: 'What to change; everything else stays as it is',
			options: [
				{
					displayName: 'Active',
					name: 'active',
					type: 'boolean',
					default: true,
					description: 'Whether the provider delivers to this endpoint',
				},
				CUSTOM_EVENTS,
				eventsProperty(provider),
				{
					displayName: 'Webhook URL',
					name: 'url',
					type: 'string',
					default: '',
					placeholder: 'e.g. https://example.com/hooks/email',
					description: 'Public HTTPS address that deliveries are sent to',
				},
			],
			displayOptions: { show: at('update') },
		},
	];
}

function deliveryProperties(show: Show): INodeProperties[] {
	const at: Show = { ...show, resource: ['delivery'] };
	return [
		operationProperty(
			operation(
				'Get Many',
				'getAll',
				'Get many deliveries',
				'List the last delivery attempts of an endpoint, 100 at most',
				'documented',
			),
			'getAll',
			at,
		),
		endpointLocator(at),
		...limitProperties('deliveries', at),
		{
			displayName: 'Failed Only',
			name: 'failedOnly',
			type: 'boolean',
			default: false,
			description: 'Whether to return only attempts that were not answered with 2xx',
			displayOptions: { show: at },
		},
	];
}

function eventProperties(show: Show): INodeProperties[] {
	const at: Show = { ...show, resource: ['event'] };
	return [
		operationProperty(
			operation(
				'Record',
				'record',
				'Record event',
				'Hand over an event of another mail provider, such as Resend, SendGrid or Mailgun',
				'documented',
			),
			'record',
			at,
		),
		{
			displayName: 'Event Type',
			name: 'eventType',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. email.bounced',
			description: 'What happened to the email, in the words of the mail provider',
			displayOptions: { show: at },
		},
		{
			displayName: 'Email ID',
			name: 'emailId',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. msg_abc123',
			description: 'ID of the email the event belongs to',
			displayOptions: { show: at },
		},
		{
			displayName: 'Additional Fields',
			name: 'additionalFields',
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			description: 'What else is known of the event',
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
			displayOptions: { show: at },
		},
	];
}

function signatureProperties(provider: Provider, show: Show): INodeProperties[] {
	const at = (...names: string[]): Show => ({ ...show, resource: ['signature'], operation: names });
	const [automatic, ...schemes] = schemeOptions(provider);
	const [firstScheme] = schemes;
	const defaultScheme = firstScheme?.value ?? '';
	return [
		operationProperty(
			[
				...operation(
					'Sign',
					'sign',
					'Sign payload',
					'Make the headers that the provider would send with a payload',
					'documented',
				),
				...operation(
					'Verify',
					'verify',
					'Verify payload',
					'Tell whether a payload comes from the provider; one output for each verdict',
					'documented',
				),
			],
			'verify',
			{ ...show, resource: ['signature'] },
		),
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
			displayOptions: { show: at('sign', 'verify') },
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
			displayOptions: { show: { ...at('sign', 'verify'), payloadSource: ['binary'] } },
		},
		{
			displayName: 'Payload',
			name: 'payload',
			type: 'string',
			typeOptions: { rows: 4 },
			default: '',
			placeholder: 'e.g. {"type":"email.delivered"}',
			description: 'The body exactly as it is sent, white space included',
			displayOptions: { show: { ...at('sign', 'verify'), payloadSource: ['text'] } },
		},
		{
			displayName: 'Headers',
			name: 'headers',
			type: 'json',
			default: '={{ $json.headers }}',
			description: 'Headers of the delivery, as n8n’s Webhook node outputs them',
			displayOptions: { show: at('verify') },
		},
		{
			displayName: 'Signature Scheme',
			name: 'signatureScheme',
			type: 'options',
			options: schemes,
			default: defaultScheme,
			description: 'How to sign',
			displayOptions: { show: at('sign') },
		},
		{
			displayName: 'Signature Scheme',
			name: 'signatureScheme',
			type: 'options',
			options: [automatic, ...schemes],
			default: 'auto',
			description: 'How the payload is signed',
			displayOptions: { show: at('verify') },
		},
		{
			displayName: 'Timestamp',
			name: 'timestamp',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: 0,
			description: 'Unix time in seconds to sign with, where the scheme signs one. 0 is now.',
			displayOptions: { show: at('sign') },
		},
		{ ...TOLERANCE, displayOptions: { show: at('verify') } },
	];
}

function endpointLocator(show: Show): INodeProperties {
	return {
		displayName: 'Endpoint',
		name: 'endpoint',
		type: 'resourceLocator',
		required: true,
		default: { mode: 'list', value: '' },
		description: 'The webhook endpoint to work with',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select an endpoint…',
				typeOptions: { searchListMethod: 'searchEndpoints', searchable: true },
			},
			{ displayName: 'By ID', name: 'id', type: 'string', placeholder: 'e.g. wh_123' },
		],
		displayOptions: { show },
	};
}

function eventsProperty(provider: Provider, show: Show = {}): INodeProperties {
	return {
		displayName: 'Events',
		name: 'events',
		type: 'multiOptions',
		options: eventOptions(provider).map((option) =>
			option.value === ALL_EVENTS
				? { ...option, description: 'Every event that the documents name' }
				: option,
		),
		default: [],
		description: 'Which events are sent to the endpoint',
		...shownFor(show),
	};
}

function signingSecretProperty(show: Show): INodeProperties {
	return {
		displayName: 'Signing Secret',
		name: 'signingSecret',
		type: 'string',
		typeOptions: { password: true },
		default: '',
		placeholder: 'e.g. whsec_…',
		description:
			'Secret to sign deliveries of a new endpoint with. Leave empty to let the provider make one, where it does. What is typed here is stored with the workflow: use an expression for a secret you keep.',
		displayOptions: { show },
	};
}

function limitProperties(things: string, show: Show): INodeProperties[] {
	return [
		{
			displayName: 'Return All',
			name: 'returnAll',
			type: 'boolean',
			default: false,
			description: 'Whether to return all results or only up to a given limit',
			displayOptions: { show },
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			description: 'Max number of results to return',
			hint: `How many ${things} at most`,
			displayOptions: { show: { ...show, returnAll: [false] } },
		},
	];
}

function optionsProperty(api: ManagementApi, show: Show): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		description: 'Settings for an installation whose API differs from the documents',
		options: reachOptions(api),
		displayOptions: { show },
	};
}
