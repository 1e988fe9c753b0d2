import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { ManagementApi, Provider, ProviderFamily } from './provider';
import { ALL_EVENTS } from './triggerSettings';

/**
 * The parameters of a trigger node, made from the facts of its providers, so that every trigger of
 * the package looks and works alike.
 */
export function triggerProperties(family: ProviderFamily): INodeProperties[] {
	return [
		...(family[0].product === undefined ? [] : [productProperty(family)]),
		...family.flatMap(providerProperties),
		{
			displayName: 'Simplify',
			name: 'simplify',
			type: 'boolean',
			default: true,
			description:
				'Whether to return a simplified version of the delivery instead of the raw data with headers and verification details',
		},
	];
}

function productProperty(family: ProviderFamily): INodeProperties {
	const firstProduct = family[0].product ?? '';
	return {
		displayName: 'Product',
		name: 'product',
		type: 'options',
		noDataExpression: true,
		options: family.map((provider) => ({
			name: provider.displayName,
			value: provider.product ?? '',
			description: provider.description,
		})),
		default: firstProduct,
		description: 'Which product sends the events. The credential has to be one of this product.',
	};
}

function providerProperties(provider: Provider): INodeProperties[] {
	const show = provider.product === undefined ? {} : { product: [provider.product] };
	const byHand = { ...show, ...(provider.api === undefined ? {} : { registration: ['manual'] }) };
	return [
		...(provider.api === undefined ? [] : [registrationProperty(provider, show)]),
		{
			displayName: `${provider.manualSteps} Use the <b>Production URL</b> shown under Webhook URLs above. Put the signing secret into the credential.`,
			name: 'manualNotice',
			type: 'notice',
			default: '',
			...shownFor(byHand),
		},
		...(provider.secretOptional === true ? [unverifiedNotice(provider, show)] : []),
		{
			displayName: 'Events',
			name: 'events',
			type: 'multiOptions',
			options: eventOptions(provider),
			default: [],
			// Not `required`: n8n would refuse a node whose events are all under Custom Events.
			description: 'Which events start the workflow',
			...shownFor(show),
		},
		optionsProperty(provider, show),
	];
}

function unverifiedNotice(
	provider: Provider,
	show: NonNullable<IDisplayOptions['show']>,
): INodeProperties {
	return {
		displayName: `Verification may be off: while the credential holds no signing secret, every request to the webhook URL starts this workflow, also one that ${provider.displayName} did not send. Enter the secret in the credential as soon as you have it.`,
		name: 'unverifiedNotice',
		type: 'notice',
		default: '',
		...shownFor({ ...show, 'options.acceptUnverified': [true] }),
	};
}

function registrationProperty(
	provider: Provider,
	show: NonNullable<IDisplayOptions['show']>,
): INodeProperties {
	const { defaultRegistration } = provider;
	return {
		displayName: 'Registration',
		name: 'registration',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Automatic',
				value: 'automatic',
				description: `Publishing creates the webhook endpoint through the ${provider.displayName} API, unpublishing deletes it`,
			},
			{
				name: 'Manual',
				value: 'manual',
				description: `You add the webhook URL in the ${provider.displayName} dashboard yourself; the API is not called`,
			},
		],
		default: defaultRegistration,
		description: 'Who adds the webhook URL to the provider',
		...shownFor(show),
	};
}

function eventOptions(provider: Provider): INodePropertyOptions[] {
	const documented = provider.events.map(({ name, label, description, reservation }) => ({
		name: label,
		value: name,
		description: reservation === undefined ? description : `${description}. ${reservation}`,
	}));
	return [
		{
			name: 'All Events',
			value: ALL_EVENTS,
			description: 'Every event, also those whose names are not in this list',
		},
		...documented.sort((a, b) => a.name.localeCompare(b.name)),
	];
}

function optionsProperty(
	provider: Provider,
	show: NonNullable<IDisplayOptions['show']>,
): INodeProperties {
	const timestamped = provider.schemes.some(
		(scheme) => scheme.kind === 'hmac' && scheme.signed === 'timestamp.body',
	);
	const { api } = provider;
	const options: INodeProperties[] = [
		...(provider.secretOptional === true ? [ACCEPT_UNVERIFIED_OPTION] : []),
		...(api === undefined ? [] : [apiPathOption(api.paths)]),
		...(api !== undefined && addresses(api).size > 1 ? [ITEM_ADDRESS_OPTION] : []),
		...(provider.envelope.bounce === undefined ? [] : [BOUNCE_TYPE_OPTION]),
		CUSTOM_EVENTS_OPTION,
		signatureSchemeOption(provider),
		...(timestamped ? [TOLERANCE_OPTION] : []),
		SKIP_DUPLICATES_OPTION,
	];
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options: options.sort((a, b) => a.displayName.localeCompare(b.displayName)),
		...shownFor(show),
	};
}

function apiPathOption(paths: readonly string[]): INodeProperties {
	return {
		displayName: 'API Path',
		name: 'apiPath',
		type: 'string',
		default: '',
		placeholder: `e.g. ${paths[0] ?? '/webhooks'}`,
		description: `Path of the webhook API below the Base URL of the credential. Leave empty to use ${paths.join(', else ')}.`,
	};
}

function signatureSchemeOption(provider: Provider): INodeProperties {
	return {
		displayName: 'Signature Scheme',
		name: 'signatureScheme',
		type: 'options',
		options: [
			{
				name: 'Automatic',
				value: 'auto',
				description: 'Pick by the headers of the delivery',
			},
			...provider.schemes.map(({ id, name, description }) => ({ name, value: id, description })),
		],
		default: 'auto',
		description: 'How deliveries are signed. A delivery that does not verify is always refused.',
	};
}

function addresses(api: ManagementApi): Set<string> {
	return new Set(api.itemStyles.map(({ id }) => id));
}

const ACCEPT_UNVERIFIED_OPTION: INodeProperties = {
	displayName: 'Accept Without Secret',
	name: 'acceptUnverified',
	type: 'boolean',
	default: false,
	description:
		'Whether to run deliveries although no signing secret is configured. Anybody who learns the webhook URL can then start this workflow. Has no effect once the credential holds a secret.',
};

const ITEM_ADDRESS_OPTION: INodeProperties = {
	displayName: 'Endpoint ID In',
	name: 'itemAddress',
	type: 'options',
	options: [
		{ name: 'Automatic', value: 'auto', description: 'Try what the installation answers to' },
		{ name: 'Body', value: 'body', description: 'In the JSON body: {"ID": 3}' },
		{ name: 'Path', value: 'path', description: 'In the path: /api/webhooks/manage/3' },
		{ name: 'Query', value: 'query', description: 'In the query: /api/webhooks/manage?ID=3' },
	],
	default: 'auto',
	description:
		'Where updates and deletes of an endpoint carry its ID. The documents do not tell, so installations may differ.',
};

const BOUNCE_TYPE_OPTION: INodeProperties = {
	displayName: 'Bounce Type',
	name: 'bounceType',
	type: 'options',
	options: [
		{ name: 'Any', value: 'any', description: 'Hard and soft bounces' },
		{ name: 'Hard', value: 'hard', description: 'The address does not exist: remove it' },
		{ name: 'Soft', value: 'soft', description: 'A passing condition such as a full mailbox' },
	],
	default: 'any',
	description:
		'Which bounces start the workflow. A bounce that does not tell its type always does.',
};

const CUSTOM_EVENTS_OPTION: INodeProperties = {
	displayName: 'Custom Events',
	name: 'customEvents',
	type: 'string',
	default: '',
	placeholder: 'e.g. email.deferred, list.imported',
	description: 'Names of further events that are not in the list, separated by commas',
};

const TOLERANCE_OPTION: INodeProperties = {
	displayName: 'Timestamp Tolerance (Seconds)',
	name: 'toleranceSeconds',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 300,
	description:
		'How far the signed time of a delivery may be from now, past or future. Older deliveries are refused as replays. 0 accepts any time.',
};

const SKIP_DUPLICATES_OPTION: INodeProperties = {
	displayName: 'Skip Duplicates',
	name: 'skipDuplicates',
	type: 'boolean',
	default: true,
	description:
		'Whether to answer a delivery that was accepted before without running the workflow again. Remembered in the memory of one n8n process.',
};

function shownFor(show: NonNullable<IDisplayOptions['show']>): {
	displayOptions?: IDisplayOptions;
} {
	return Object.keys(show).length === 0 ? {} : { displayOptions: { show } };
}
