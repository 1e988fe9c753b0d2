import type { INodeProperties } from 'n8n-workflow';

import {
	deliveryOptions,
	optionsCollection,
	productShow,
	reachOptions,
	shownFor,
	skipDuplicatesOption,
} from '../properties';
import type { Provider } from '../provider';
import type { RecoveryApi } from '../recoveryApi';
import { COLLECT_OPTIONS } from './collect';
import { OUTPUT_PER_EVENT_OPTION, REPORT_PROBLEMS_OPTION } from './outputs';

/** The parameter Options of a trigger. */
export function optionsProperty(provider: Provider): INodeProperties {
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
			description: `When to tell ${displayName} that an event has arrived. In queue mode, webhook processors always answer when they receive it.`,
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
