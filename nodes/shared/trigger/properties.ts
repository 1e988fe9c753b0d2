import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { ALL_EVENTS } from '../events';
import {
	eventOptions,
	productProperty,
	productShow,
	shownFor,
	SIMPLIFY,
	type Show,
} from '../properties';
import type { Provider, ProviderFamily } from '../provider';
import type { WebhookApi } from '../webhookApi';
import { ADDRESS_VARIABLE } from '../url';
import { optionsProperty } from './options';

/** n8n empties what depends on the product when another one is chosen. */
const PRODUCT_HINT = 'Choosing another product empties Events and Options';

/**
 * The parameters of a trigger node, made from the facts of its providers, so that every trigger of
 * the package looks and works alike.
 */
export function triggerProperties(family: ProviderFamily): INodeProperties[] {
	return [
		...(family[0].product === undefined
			? []
			: [{ ...productProperty(family), hint: PRODUCT_HINT }]),
		...family.flatMap(providerProperties),
		SIMPLIFY,
		...family.map(optionsProperty),
	];
}

function providerProperties(provider: Provider): INodeProperties[] {
	const show = productShow(provider);
	const byHand = { ...show, ...(provider.api === undefined ? {} : { registration: ['manual'] }) };
	return [
		...(provider.api === undefined ? [] : [registrationProperty(provider, provider.api, show)]),
		{
			displayName: manualSteps(provider),
			name: 'manualNotice',
			type: 'notice',
			default: '',
			...shownFor(byHand),
		},
		...(provider.secretOptional === true ? [unverifiedNotice(provider, show)] : []),
		...eventsProperties(provider, show),
		...(provider.events.length === 0 ? [] : [outputsNotice(show)]),
	];
}

/** Shown when Custom Events holds names. From the root: n8n 1.x resolves no other path into a collection. */
const CUSTOM_EVENTS: Show = { '/options.customEvents': [{ _cnd: { exists: true } }] };

/**
 * The choice of events, twice. The first one is required, so that the editor marks a node without events in red. The
 * second one replaces it when all may be under Custom Events: n8n does not run a node with an empty required parameter.
 */
function eventsProperties(provider: Provider, show: Show): INodeProperties[] {
	const events: INodeProperties = {
		displayName: 'Events',
		name: 'events',
		type: 'multiOptions',
		options: eventOptions(provider).map((option) => ({
			...option,
			description: describe(option, provider),
			...actionOf(option, provider),
		})),
		default: [],
		description: 'Which events start the workflow. Choose several, or All Events.',
	};
	return [
		{
			...events,
			required: true,
			displayOptions: { ...shownFor(show).displayOptions, hide: CUSTOM_EVENTS },
		},
		{ ...events, displayOptions: { show: { ...show, ...CUSTOM_EVENTS } } },
	];
}

/** What an entry of the list of events means, and how to make the event happen. */
function describe({ value, description = '' }: INodePropertyOptions, { events }: Provider): string {
	const event = events.find(({ name }) => name === value);
	if (event === undefined) return description;
	return `${description.replace(/\.$/, '')}. To try it: ${event.howTo.charAt(0).toLowerCase()}${event.howTo.slice(1)}.`;
}

/** n8n lists the events of the first product as actions: say which product they belong to. */
function actionOf(
	{ name, value }: INodePropertyOptions,
	{ product, displayName }: Provider,
): Pick<INodePropertyOptions, 'action'> {
	if (product === undefined) return {};
	const others = value === ALL_EVENTS ? ', or choose another product' : '';
	return { action: `On ${name.toLowerCase()} (${displayName}${others})` };
}

/**
 * The panel opens on the Test URL, so the first step names the other one; what few people need comes last. Of tags,
 * n8n's notices keep only links and bullets.
 */
function manualSteps({ displayName, manualSteps: steps }: Provider): string {
	const list = [
		'Open Webhook URLs above, switch to “Production URL” and click the URL to copy it. A duplicate of a trigger has a URL of its own.',
		...steps,
		'Publish this workflow, if you have not yet.',
	];
	const items = list.map((step) => `<li>${step}</li>`).join('');
	return `Set this up once:<ul>${items}</ul>${displayName} must be able to reach the URL over the internet. If it does not begin with https://, or names localhost or a private address such as 192.168.0.10, ask whoever runs your n8n to set ${ADDRESS_VARIABLE} to its public address.`;
}

/** n8n's editor removes the connections of outputs that are gone, and does not say so. */
function outputsNotice(show: Show): INodeProperties {
	return {
		displayName:
			'Output per Event is on: after you change the events, look at the connections of this node on the canvas. n8n keeps each at its position, first, second and so on, whichever event that then is for, and removes those of outputs that are gone.',
		name: 'outputsNotice',
		type: 'notice',
		default: '',
		// From the root: n8n 1.x resolves no other path into a collection, and would refuse the node.
		...shownFor({ ...show, '/options.outputPerEvent': [true] }),
	};
}

function unverifiedNotice(provider: Provider, show: Show): INodeProperties {
	return {
		displayName: `Verification may be off: while the credential holds no signing secret, every request to the webhook URL starts this workflow, including requests that ${provider.displayName} did not send. Enter the secret in the credential as soon as you have it.`,
		name: 'unverifiedNotice',
		type: 'notice',
		default: '',
		// From the root: n8n 1.x resolves no other path into a collection, and would refuse the node.
		...shownFor({ ...show, '/options.acceptUnverified': [true] }),
	};
}

function registrationProperty(provider: Provider, api: WebhookApi, show: Show): INodeProperties {
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
				description: `You add the webhook URL in the ${provider.displayName} dashboard yourself; the API is ${provider.recovery === undefined ? 'not called' : 'called only to recover missed events'}`,
			},
		],
		default: defaultRegistration,
		description: `Who registers the webhook URL of this workflow with ${provider.displayName}`,
		hint: `Automatic needs an API key ${api.requiredPermissions}`,
		...shownFor(show),
	};
}
