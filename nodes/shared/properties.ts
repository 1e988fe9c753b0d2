import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { conditionsOption } from './conditionsOption';
import { ALL_EVENTS } from './events';
import type { Provider, ProviderFamily } from './provider';
import type { WebhookApi } from './webhookApi';

/** When a parameter is shown: values of other parameters. */
export type Show = NonNullable<IDisplayOptions['show']>;

/** Only while the provider's product is chosen, where there are several. */
export function productShow({ product }: Provider): Show {
	return product === undefined ? {} : { product: [product] };
}

/** When a parameter is shown; always where there is no condition. */
export function shownFor(show: Show): { displayOptions?: IDisplayOptions } {
	return Object.keys(show).length === 0 ? {} : { displayOptions: { show } };
}

/** The choice between the products of a family. */
export function productProperty(family: ProviderFamily): INodeProperties {
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
		description: 'Which product to work with. The credential must be for this product.',
	};
}

/**
 * An expression for the last word of the chosen product's name, which is short enough for the canvas. It gives an empty
 * text for the first product.
 * @returns undefined where there are no products to choose from
 */
export function shortProductLabel(family: ProviderFamily): string | undefined {
	if (family[0].product === undefined) return undefined;
	const labels = Object.fromEntries(
		family.slice(1).map(({ product, displayName }) => [product, displayName.split(' ').at(-1)]),
	);
	return `((${JSON.stringify(labels)})[$parameter.product] ?? "")`;
}

/** The events of a provider for a multi-select, "All Events" first. */
export function eventOptions(provider: Provider): INodePropertyOptions[] {
	const documented = provider.events.map(({ name, label, description, unconfirmed }) => ({
		name: label,
		value: name,
		description: unconfirmed === undefined ? description : `${description}. ${unconfirmed}.`,
	}));
	return [
		{
			name: 'All Events',
			value: ALL_EVENTS,
			description: provider.events.some(({ unconfirmed }) => unconfirmed !== undefined)
				? 'Every event, including those missing from this list, but not those marked as not confirmed'
				: 'Every event, including those missing from this list',
		},
		...documented.sort((a, b) => a.name.localeCompare(b.name)),
	];
}

/** The signature schemes of a provider for a choice, the automatic one first. */
export function schemeOptions(
	provider: Provider,
): [INodePropertyOptions, ...INodePropertyOptions[]] {
	return [
		{ name: 'Automatic', value: 'auto', description: 'Chosen by the headers of the delivery' },
		...provider.schemes.map(({ id, name, description }) => ({ name, value: id, description })),
	];
}

/** Options that say how to reach an API whose documents leave that open. */
export function reachOptions(api: WebhookApi): INodeProperties[] {
	const addresses = new Set(api.itemStyles.map(({ id }) => id));
	return [apiPathOption(api.paths), ...(addresses.size > 1 ? [itemAddressOption(api.paths)] : [])];
}

function apiPathOption(paths: readonly string[]): INodeProperties {
	return {
		displayName: 'API Path',
		name: 'apiPath',
		type: 'string',
		default: '',
		placeholder: `e.g. ${examplePath(paths)}`,
		description: `Path of the webhook API below the Base URL of the credential. Leave empty to use ${paths.join(', else ')}.`,
	};
}

function itemAddressOption(paths: readonly string[]): INodeProperties {
	const path = examplePath(paths);
	return {
		displayName: 'Send Endpoint ID In',
		name: 'itemAddress',
		type: 'options',
		options: [
			{
				name: 'Automatic',
				value: 'auto',
				description: 'Try each until the installation accepts one',
			},
			{ name: 'Body', value: 'body', description: 'In the JSON body: {"ID": 3}' },
			{ name: 'Path', value: 'path', description: `In the path: ${path}/3` },
			{ name: 'Query', value: 'query', description: `In the query: ${path}?ID=3` },
		],
		default: 'auto',
		description:
			'Where updates and deletes of an endpoint carry its ID. The documentation does not say, so installations may differ.',
	};
}

function examplePath([path = '/webhooks']: readonly string[]): string {
	return path;
}

/** The option for the names of events that the list of documented ones lacks. */
export function customEvents({ events }: Provider): INodeProperties {
	const example = events.slice(0, 2).map(({ name }) => name);
	return {
		displayName: 'Custom Events',
		name: 'customEvents',
		type: 'string',
		default: '',
		placeholder: `e.g. ${example.length === 0 ? 'page.published' : example.join(', ')}`,
		description: 'Names of further events that are not in the list, separated by commas',
	};
}

/** For every place where a timestamp is verified. */
export const TOLERANCE: INodeProperties = {
	displayName: 'Timestamp Tolerance (Seconds)',
	name: 'toleranceSeconds',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 300,
	description:
		'How far the signed time of a delivery may be from now, past or future. Older deliveries are refused as replays. 0 accepts any time.',
};

/** For every node that turns deliveries into items. */
export const SIMPLIFY: INodeProperties = {
	displayName: 'Simplify',
	name: 'simplify',
	type: 'boolean',
	default: true,
	description:
		'Whether to return a simplified version of the delivery instead of the raw data with headers and verification details',
};

/** The collection Options, in alphabetical order. */
export function optionsCollection(options: readonly INodeProperties[]): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		description: 'Settings for special cases: most workflows need none of them',
		options: [...options].sort((a, b) => a.displayName.localeCompare(b.displayName)),
	};
}

/** @param effect what happens to a delivery that was accepted before, after the word "Whether" */
export function skipDuplicatesOption(effect: string): INodeProperties {
	return {
		displayName: 'Skip Duplicates',
		name: 'skipDuplicates',
		type: 'boolean',
		default: true,
		description: `Whether ${effect}. Remembered in the memory of one n8n process.`,
	};
}

/** Options that say which deliveries a node accepts. */
export function deliveryOptions(provider: Provider): INodeProperties[] {
	const timestamped = provider.schemes.some(
		(scheme) => scheme.kind === 'hmac' && scheme.signed === 'timestamp.body',
	);
	return [
		...(provider.envelope.bounce === undefined ? [] : [BOUNCE_TYPE_OPTION]),
		...(provider.events.length === 0 ? [] : [conditionsOption(provider)]),
		customEvents(provider),
		{
			displayName: 'Signature Scheme',
			name: 'signatureScheme',
			type: 'options',
			options: schemeOptions(provider),
			default: 'auto',
			description: 'How deliveries are signed. A delivery that does not verify is always refused.',
		},
		...(timestamped ? [TOLERANCE] : []),
	];
}

const BOUNCE_TYPE_OPTION: INodeProperties = {
	displayName: 'Bounce Type',
	name: 'bounceType',
	type: 'options',
	options: [
		{ name: 'Any', value: 'any', description: 'Hard and soft bounces' },
		{ name: 'Hard', value: 'hard', description: 'The address does not exist: remove it' },
		{ name: 'Soft', value: 'soft', description: 'A temporary problem such as a full mailbox' },
	],
	default: 'any',
	description: 'Which bounces to accept. A bounce that does not state its type is always accepted.',
};
