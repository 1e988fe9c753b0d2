import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { Provider, ProviderFamily } from './provider';
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
		{
			displayName: 'Events',
			name: 'events',
			type: 'multiOptions',
			required: true,
			options: eventOptions(provider),
			default: [],
			description: 'Which events start the workflow',
			...shownFor(show),
		},
		optionsProperty(provider, show),
	];
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
	const documented = provider.events.map(({ name, label, description, inferred }) => ({
		name: label,
		value: name,
		description: inferred
			? `${description}. The documents do not tell this name: ${name} is inferred.`
			: description,
	}));
	return [
		{
			name: 'All Events',
			value: ALL_EVENTS,
			description: 'Every event, also names that are added later and custom ones',
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
	const options: INodeProperties[] = [
		...(provider.api === undefined ? [] : [apiPathOption(provider.api.paths)]),
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
