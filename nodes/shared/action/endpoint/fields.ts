import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { customEvents, eventOptions, optionsCollection, reachOptions } from '../../properties';
import { ALL_EVENTS } from '../../events';
import type { Provider } from '../../provider';

export const ENDPOINT: INodeProperties = {
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
};

export const WEBHOOK_URL_FIELD: INodeProperties = {
	displayName: 'Webhook URL',
	name: 'url',
	type: 'string',
	default: '',
	placeholder: 'e.g. https://example.com/hooks/email',
	description: 'Public HTTPS address that deliveries are sent to',
};

const SIGNING_SECRET: INodeProperties = {
	displayName: 'Signing Secret',
	name: 'signingSecret',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	placeholder: 'e.g. whsec_…',
	description:
		'Secret to sign deliveries of a new endpoint with. Leave empty to use the Signing Secret of the credential, or, if it has none, to let the provider issue one if it does. What is typed here is stored with the workflow: use an expression for a secret you want to keep.',
};

const INCLUDE_SECRET: INodeProperties = {
	displayName: 'Include Signing Secret',
	name: 'includeSecret',
	type: 'boolean',
	default: false,
	description:
		'Whether to put the signing secret of a new endpoint into the output. The provider reveals it only once, so store it in the next step; everyone who may see the execution can read it.',
};

/** The parameters for creating an endpoint. */
export function newEndpointFields(provider: Provider): INodeProperties[] {
	const { api } = provider;
	return [
		{ ...WEBHOOK_URL_FIELD, required: true },
		eventsProperty(provider),
		optionsCollection([
			customEvents(provider),
			...(api?.sendsSecret === 'never' ? [] : [SIGNING_SECRET]),
			INCLUDE_SECRET,
			...(api === undefined ? [] : reachOptions(api)),
		]),
	];
}

/** The options of a new endpoint, without those that say how to reach the API. */
export const newEndpointOptionsSchema = z.object({
	customEvents: z.string().default(''),
	signingSecret: z.string().default(''),
	includeSecret: z.boolean().default(false),
});

/** What can be changed about an endpoint. */
export function updateFields(provider: Provider): INodeProperties {
	return {
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
			customEvents(provider),
			eventsProperty(provider),
			WEBHOOK_URL_FIELD,
		],
	};
}

/** The options for an installation whose API differs from the documentation. */
export function reachFields({ api }: Provider): INodeProperties[] {
	if (api === undefined) return [];
	return [
		{
			displayName: 'Options',
			name: 'options',
			type: 'collection',
			placeholder: 'Add option',
			default: {},
			description: 'Settings for an installation whose API differs from the documentation',
			options: reachOptions(api),
		},
	];
}

function eventsProperty(provider: Provider): INodeProperties {
	return {
		displayName: 'Events',
		name: 'events',
		type: 'multiOptions',
		options: eventOptions(provider).map((option) =>
			option.value === ALL_EVENTS ? { ...option, description: 'Every documented event' } : option,
		),
		default: [],
		description: 'Which events are sent to the endpoint',
	};
}
