import {
	type IDataObject,
	type IHookFunctions,
	type ITriggerFunctions,
	type IWebhookFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { readConditions, type Condition } from './conditions';
import { settingsError, type NodeContext } from './errors';
import { namesIn, noEventSelected, selectedNames } from './events';
import { isJsonObject } from './jsonObject';
import type { Provider, Registration } from './provider';
import type { ItemAddress } from './webhookApi';

/** The contexts a trigger is called in, besides that of a run. */
export type TriggerContext = IHookFunctions | IWebhookFunctions | ITriggerFunctions;

/** What a user set on a trigger node, validated. */
export interface TriggerSettings {
	readonly registration: Registration;
	/** Selected event names, custom ones included; may hold `ALL_EVENTS`. */
	readonly events: readonly string[];
	/** `auto` or the id of a scheme. */
	readonly signatureScheme: string;
	/** Seconds; 0 = no limit. */
	readonly toleranceSeconds: number;
	readonly skipDuplicates: boolean;
	readonly apiPath?: string;
	readonly bounceType: 'any' | 'hard' | 'soft';
	/** All have to be met. */
	readonly conditions: readonly Condition[];
	readonly simplify: boolean;
	/** Runs unverified deliveries while no secret is configured. */
	readonly acceptUnverified: boolean;
	/** Where a call carries the id of an endpoint; undefined = try each. */
	readonly itemAddress?: ItemAddress;
	/** Minutes between two checks of the endpoint; 0 = at starts only. */
	readonly checkInterval: number;
	/** When a delivery is answered with 200: once n8n has stored it, or after its run. */
	readonly answer: 'received' | 'succeeded';
	/** What is answered to a run that takes longer than the provider waits: 503, or 200. */
	readonly longRuns: 'sendAgain' | 'received';
	/** How many deliveries of one event may fail; after the last of them the event is given up. */
	readonly maxAttempts: number;
	/** Seconds for which a delivery waits for others that one run takes with it; 0 = it has a run of its own. */
	readonly collectFor: number;
	/** Deliveries of one such run. */
	readonly collectAtMost: number;
	/** Each chosen event has an output of its own. */
	readonly outputPerEvent: boolean;
	/** A further output reports problems. */
	readonly reportProblems: boolean;
	/** The provider is asked for events whose deliveries were lost. */
	readonly recoverMissed: boolean;
	/** How many of the newest events from before the first activation are recovered, too. */
	readonly recoverNewest: number;
}

/** Which values an option may hold, and how a message describes them. Not in zod: every delivery checks it. */
interface OptionKind<T> {
	readonly title: string;
	readonly includes: (value: unknown) => value is T;
}

const TEXT: OptionKind<string> = {
	title: 'text',
	includes: (value) => typeof value === 'string',
};
const SWITCH: OptionKind<boolean> = {
	title: 'true or false',
	includes: (value) => typeof value === 'boolean',
};
const SECONDS: OptionKind<number> = {
	title: 'a number of 0 or more',
	includes: (value): value is number => typeof value === 'number' && value >= 0,
};
const WHOLE: OptionKind<number> = {
	title: 'a whole number of 0 or more',
	includes: (value): value is number => Number.isInteger(value) && Number(value) >= 0,
};
const COUNT: OptionKind<number> = {
	title: 'a whole number of 1 or more',
	includes: (value): value is number => Number.isInteger(value) && Number(value) >= 1,
};
/** Every provider waits at least twice as long for an answer. */
export const MAX_COLLECT_SECONDS = 5;
const COLLECT_FOR: OptionKind<number> = {
	title: `a number from 0 to ${MAX_COLLECT_SECONDS}`,
	includes: (value): value is number =>
		typeof value === 'number' && value >= 0 && value <= MAX_COLLECT_SECONDS,
};
const ANSWER = oneOf(['received', 'succeeded']);
const LONG_RUNS = oneOf(['sendAgain', 'received']);
const OPTIONS: OptionKind<IDataObject> = { title: 'an object', includes: isJsonObject };
const BOUNCE_TYPE = oneOf(['any', 'hard', 'soft']);
const ITEM_ADDRESSES = ['auto', 'path', 'query', 'body'] as const;
const ITEM_ADDRESS = oneOf(ITEM_ADDRESSES);

function oneOf<const T extends string>(names: readonly T[]): OptionKind<T> {
	return {
		title: `one of ${names.join(', ')}`,
		includes: (value): value is T => names.some((name) => name === value),
	};
}

const apiOptionsSchema = z
	.object({
		apiPath: z.string().default(''),
		itemAddress: z.enum(ITEM_ADDRESSES).default('auto'),
	})
	.catch({ apiPath: '', itemAddress: 'auto' });

/**
 * Reads and checks the trigger's parameters.
 * @throws NodeOperationError when a value cannot be used, with what to change
 */
export function readSettings(context: TriggerContext, provider: Provider): TriggerSettings {
	const usable = <T>(name: string, value: unknown, kind: OptionKind<T>): T => {
		if (kind.includes(value)) return value;
		throw settingsError(
			context,
			`The option "${name}" cannot be used: it has to be ${kind.title}`,
			'Open the node and correct it under Options',
		);
	};
	const options = usable('options', context.getNodeParameter('options', {}), OPTIONS);
	const option = <T>(name: string, fallback: T, kind: OptionKind<T>): T =>
		usable(name, options[name] ?? fallback, kind);
	const answer = provider.envelope.retried ? option('answer', 'received', ANSWER) : 'received';
	const collecting = {
		collectFor: option('collectFor', 0, COLLECT_FOR),
		collectAtMost: option('collectAtMost', 100, COUNT),
	};
	if (collecting.collectFor > 0 && answer === 'succeeded') {
		throw settingsError(
			context,
			'Collect For cannot be used with Answer → When the Run Has Succeeded',
			'Each event has to be answered by a run of its own then. Remove one of the two under Options',
		);
	}
	const selected: unknown = context.getNodeParameter('events', []);
	// An expression may return text.
	const listed: unknown = typeof selected === 'string' ? namesIn(selected) : selected;
	const chosen: unknown[] = Array.isArray(listed) ? listed : [];
	const events = selectedNames(chosen, option('customEvents', '', TEXT));
	if (events.length === 0) throw noEventSelected(context, provider, 'Options → Custom Events');
	return {
		signatureScheme: option(
			'signatureScheme',
			'auto',
			oneOf(['auto', ...provider.schemes.map(({ id }) => id)]),
		),
		toleranceSeconds: option('toleranceSeconds', 300, SECONDS),
		skipDuplicates: option('skipDuplicates', true, SWITCH),
		checkInterval: option('checkInterval', 30, WHOLE),
		answer,
		longRuns: option('longRuns', 'sendAgain', LONG_RUNS),
		maxAttempts: option('maxAttempts', 4, COUNT),
		...collecting,
		outputPerEvent: option('outputPerEvent', false, SWITCH),
		reportProblems: option('reportProblems', false, SWITCH),
		recoverMissed: option('recoverMissed', false, SWITCH) && provider.recovery !== undefined,
		recoverNewest: option('recoverNewest', 0, WHOLE),
		bounceType: option('bounceType', 'any', BOUNCE_TYPE),
		conditions: usableConditions(context, options['conditions']),
		...apiOptionsIn({
			apiPath: option('apiPath', '', TEXT),
			itemAddress: option('itemAddress', 'auto', ITEM_ADDRESS),
		}),
		acceptUnverified: option('acceptUnverified', false, SWITCH) && provider.secretOptional === true,
		events: [...new Set(events)],
		registration: readRegistration(context, provider),
		simplify: context.getNodeParameter('simplify', true) !== false,
	};
}

/** @throws NodeOperationError that says which row is wrong, and how */
export function usableConditions(context: NodeContext, option: unknown): Condition[] {
	const conditions = readConditions(option);
	if (typeof conditions !== 'string') return conditions;
	throw settingsError(context, conditions, 'Correct it under Options → Conditions');
}

/** Who registers the webhook, as the node's parameter says; always by hand where the provider has no API. */
export function readRegistration(context: TriggerContext, provider: Provider): Registration {
	if (provider.api === undefined) return 'manual';
	const chosen = context.getNodeParameter('registration', provider.defaultRegistration);
	return chosen === 'automatic' || chosen === 'manual' ? chosen : provider.defaultRegistration;
}

/** The options that say how to reach an API; the defaults for both if either cannot be used. */
export function readApiOptions(value: unknown): Pick<TriggerSettings, 'apiPath' | 'itemAddress'> {
	return apiOptionsIn(apiOptionsSchema.parse(value));
}

function apiOptionsIn({
	apiPath,
	itemAddress,
}: z.output<typeof apiOptionsSchema>): Pick<TriggerSettings, 'apiPath' | 'itemAddress'> {
	return {
		...(apiPath.trim() === '' ? {} : { apiPath: apiPath.trim() }),
		...(itemAddress === 'auto' ? {} : { itemAddress }),
	};
}
