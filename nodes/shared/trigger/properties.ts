import type { IDisplayOptions, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { ALL_EVENTS } from '../events';
import {
	deliveryOptions,
	eventOptions,
	optionsCollection,
	productProperty,
	productShow,
	reachOptions,
	SIMPLIFY,
	skipDuplicatesOption,
	type Show,
} from '../properties';
import type { WebhookApi, Provider, ProviderFamily, RecoveryApi } from '../provider';
import { ADDRESS_VARIABLE } from '../url';
import { COLLECT_OPTIONS } from './collect';
import { OUTPUT_PER_EVENT_OPTION, REPORT_PROBLEMS_OPTION } from './outputs';

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

/** When a parameter is shown; always where there is no condition. */
function shownFor(show: Show): { displayOptions?: IDisplayOptions } {
	return Object.keys(show).length === 0 ? {} : { displayOptions: { show } };
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

function optionsProperty(provider: Provider): INodeProperties {
	const { api, recovery } = provider;
	const options: INodeProperties[] = [
		...(provider.secretOptional === true ? [ACCEPT_UNVERIFIED_OPTION] : []),
		...(api === undefined ? [] : reachOptions(api).map(automaticOnly)),
		...answerOptions(provider),
		...checkIntervalOption(provider),
		...COLLECT_OPTIONS,
		...(recovery === undefined ? [] : recoverMissedOptions(recovery)),
		...deliveryOptions(provider),
		...(provider.events.length === 0 ? [] : [OUTPUT_PER_EVENT_OPTION]),
		REPORT_PROBLEMS_OPTION,
		skipDuplicatesOption(
			'to answer a delivery that was accepted before without running the workflow again',
		),
	];
	return { ...optionsCollection(options), ...shownFor(productShow(provider)) };
}

/** From the root: n8n 1.x resolves no other path out of a collection. */
function automaticOnly(option: INodeProperties): INodeProperties {
	return { ...option, ...shownFor({ '/registration': ['automatic'] }) };
}

/** How often the provider is asked about its endpoint, about missed events, or both. */
function checkIntervalOption({ api, recovery }: Provider): INodeProperties[] {
	if (api === undefined && recovery === undefined) return [];
	const option: INodeProperties = {
		displayName: 'Check Every (Minutes)',
		name: 'checkInterval',
		type: 'number',
		typeOptions: { minValue: 0, numberPrecision: 0 },
		default: 30,
		description: [
			api !== undefined &&
				'How often to ask the provider whether the webhook endpoint is still there, switched on and up to date, and to repair it if not.',
			recovery !== undefined && 'How often to look for missed events, if they are recovered.',
			'0 checks only when n8n starts.',
		]
			.filter((sentence) => sentence !== false)
			.join(' '),
	};
	if (recovery === undefined) return [automaticOnly(option)];
	// Names a neighbour in the collection: at run time n8n finds no path from the root into a collection it is reading.
	return [api === undefined ? { ...option, ...shownFor({ recoverMissed: [true] }) } : option];
}

/** When deliveries are answered; a provider that never sends one again gets its answer at once. */
function answerOptions({ envelope, displayName }: Provider): INodeProperties[] {
	if (!envelope.retried) return [];
	const afterRun = shownFor({ answer: ['succeeded'] });
	return [
		{
			displayName: 'Answer',
			name: 'answer',
			type: 'options',
			options: [
				{
					name: 'When Received',
					value: 'received',
					description: 'As soon as n8n has stored the event',
				},
				{
					name: 'When the Run Has Succeeded',
					value: 'succeeded',
					description: `If the run fails or is cut short, ${displayName} is told to send the event again, and it runs again`,
				},
			],
			default: 'received',
			description: `When to tell ${displayName} that an event has arrived. Webhook processors of queue mode always do so when it is received.`,
		},
		{
			displayName: 'Answer to Long Runs',
			name: 'longRuns',
			type: 'options',
			options: [
				{
					name: 'Received',
					value: 'received',
					description: 'The event is not sent again, even if its run fails later',
				},
				{
					name: 'Send Again',
					value: 'sendAgain',
					description: 'The next delivery of the event gets the answer; it starts no second run',
				},
			],
			default: 'sendAgain',
			description: `What to answer when a run takes longer than ${displayName} waits for an answer`,
			...afterRun,
		},
		{
			displayName: 'Attempts per Event',
			name: 'maxAttempts',
			type: 'number',
			typeOptions: { minValue: 1, numberPrecision: 0 },
			default: 4,
			description:
				'How many deliveries of an event may fail before it is given up: answered as received, and reported as a problem',
			...afterRun,
		},
	];
}

function recoverMissedOptions({ noun, description }: RecoveryApi): INodeProperties[] {
	return [
		{
			displayName: 'Recover Missed Events',
			name: 'recoverMissed',
			type: 'boolean',
			default: false,
			description: `Whether to also start the workflow for events whose deliveries were lost, for example while n8n was down. Needs an API key. ${description}`,
		},
		{
			displayName: 'Recover Newest at First Activation',
			name: 'recoverNewest',
			type: 'number',
			typeOptions: { minValue: 0, numberPrecision: 0 },
			default: 0,
			description: `How many of the newest ${noun} from before the first activation start the workflow too. Once: a later activation does not repeat it.`,
			...shownFor({ recoverMissed: [true] }),
		},
	];
}

const ACCEPT_UNVERIFIED_OPTION: INodeProperties = {
	displayName: 'Accept Unverified Deliveries',
	name: 'acceptUnverified',
	type: 'boolean',
	default: false,
	description:
		'Whether to run deliveries even though no signing secret is configured. Anybody who learns the webhook URL can then start this workflow. Has no effect once the credential holds a secret.',
};
