import {
	NodeOperationError,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type IHookFunctions,
	type ITriggerFunctions,
	type IWebhookFunctions,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from './jsonObject';
import type {
	ItemAddress,
	Provider,
	ProviderFamily,
	Registration,
	SignatureScheme,
} from './provider';

/** The contexts a trigger is called in, besides that of a run. */
export type TriggerContext = IHookFunctions | IWebhookFunctions | ITriggerFunctions;

/** Any context that knows its node, those of action nodes included. */
export type NodeContext = Pick<IHookFunctions, 'getNode'>;

/** Value of the `events` parameter that stands for every event. */
export const ALL_EVENTS = '*';

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
	readonly simplify: boolean;
	/** Runs unverified deliveries while no secret is configured. */
	readonly acceptUnverified: boolean;
	/** Where the API takes the id of an endpoint from; undefined = find out. */
	readonly itemAddress?: ItemAddress;
	/** Minutes between two checks of the endpoint; 0 = at starts only. */
	readonly checkInterval: number;
	/** A second output tells of problems. */
	readonly reportProblems: boolean;
}

/** The secrets and the address a credential holds; fields a credential type lacks are empty. */
export interface ProviderCredential {
	/** The product it is for, where the credential type has several. */
	readonly product: string;
	readonly baseUrl: string;
	/** What opens the API: the API key, or the password of a login. Empty = the API cannot be called. */
	readonly apiSecret: string;
	/** `apiSecret` is a password that a person chose. */
	readonly apiSecretTyped: boolean;
	readonly signingSecret: string;
	readonly previousSigningSecret: string;
	/** Every secret in it, also of the way to sign in that is not chosen, to keep out of texts. */
	readonly secrets: readonly string[];
	/** As n8n gave it, to call the API with. */
	readonly decrypted: ICredentialDataDecryptedObject;
}

const SECRET_FIELDS = [
	'apiKey',
	'password',
	'sessionToken',
	'signingSecret',
	'previousSigningSecret',
] as const;

/** What an option may hold, and how that is said. By hand, because it is asked for each delivery. */
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
const MINUTES: OptionKind<number> = {
	title: 'a whole number of 0 or more',
	includes: (value): value is number => Number.isInteger(value) && Number(value) >= 0,
};
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
 * Something the user set cannot work. What to do is part of the message, because n8n shows no
 * description of such an error when publishing fails.
 */
export function settingsError(
	context: NodeContext,
	what: string,
	whatToDo: string,
): NodeOperationError {
	return new NodeOperationError(context.getNode(), `${what}. ${whatToDo}.`);
}

/**
 * The provider that the node's `product` parameter names; the first where there are no products.
 * @throws NodeOperationError for a product nobody knows (an expression can yield anything)
 */
export function selectProvider(context: TriggerContext, family: ProviderFamily): Provider {
	const product = family[0].product && context.getNodeParameter('product');
	return providerFor(context, family, product);
}

/** @throws NodeOperationError for a product that the family does not have */
export function providerFor(
	context: NodeContext,
	family: ProviderFamily,
	product: unknown,
): Provider {
	const provider = family.find((candidate) => candidate.product === product);
	if (provider !== undefined) return provider;
	throw settingsError(
		context,
		`The product "${String(product)}" is not known`,
		`Choose one of: ${family.map((candidate) => candidate.product).join(', ')}`,
	);
}

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
	const selected: unknown = context.getNodeParameter('events', []);
	const events = [
		...(Array.isArray(selected) ? selected.filter(isEventName) : []),
		...namesIn(option('customEvents', '', TEXT)),
	];
	if (events.length === 0) {
		throw settingsError(
			context,
			'No event is selected',
			`Choose at least one event of ${provider.displayName}, or add a name under Options → Custom Events`,
		);
	}
	return {
		signatureScheme: option('signatureScheme', 'auto', TEXT),
		toleranceSeconds: option('toleranceSeconds', 300, SECONDS),
		skipDuplicates: option('skipDuplicates', true, SWITCH),
		checkInterval: option('checkInterval', 30, MINUTES),
		reportProblems: option('reportProblems', false, SWITCH),
		bounceType: option('bounceType', 'any', BOUNCE_TYPE),
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

/** Where there is no API nobody can choose; otherwise the node's parameter decides. */
export function readRegistration(context: TriggerContext, provider: Provider): Registration {
	if (provider.api === undefined) return 'manual';
	const chosen = context.getNodeParameter('registration', provider.defaultRegistration);
	return chosen === 'automatic' || chosen === 'manual' ? chosen : provider.defaultRegistration;
}

/** Reads the credential. @throws what n8n throws when none is set, or NodeOperationError */
export async function readCredential(
	context: NodeContext & Pick<IHookFunctions, 'getCredentials'>,
	provider: Provider,
): Promise<ProviderCredential> {
	const data = await context.getCredentials(provider.credentialType);
	const field = (name: string): string => {
		const value = data[name] ?? '';
		if (typeof value === 'string') return value;
		throw settingsError(
			context,
			`The ${provider.displayName} credential has a field that is not text`,
			'Open the credential, enter its fields again and save it',
		);
	};
	// Taken verbatim, but for a field that looks empty: anybody could sign with white space.
	const secret = (name: string) => (field(name).trim() === '' ? '' : field(name));
	const apiKey = field('apiKey').trim();
	return {
		product: field('product'),
		baseUrl: field('baseUrl').trim(),
		apiSecret: apiKey || field('password'),
		apiSecretTyped: apiKey === '',
		signingSecret: secret('signingSecret'),
		previousSigningSecret: secret('previousSigningSecret'),
		secrets: SECRET_FIELDS.map((name) => field(name).trim()),
		decrypted: data,
	};
}

/** The schemes to try, in order: the pinned one, or every scheme that `auto` covers. */
export function schemesToTry(
	provider: Provider,
	{ signatureScheme }: Pick<TriggerSettings, 'signatureScheme'>,
): readonly SignatureScheme[] {
	return provider.schemes.filter((scheme) =>
		signatureScheme === 'auto' ? scheme.auto : scheme.id === signatureScheme,
	);
}

function isEventName(value: unknown): value is string {
	return typeof value === 'string' && value !== '';
}

/** Names as the field Custom Events holds them: separated by commas or white space. */
export function namesIn(text: string): string[] {
	return text.split(/[\s,]+/).filter(isEventName);
}

/**
 * The names to register for a selection: "all events" is the full list of documented names,
 * without those that a document leaves in doubt.
 */
export function eventsToRegister(provider: Provider, selected: readonly string[]): string[] {
	const documented = provider.events.filter((event) => event.reservation === undefined);
	const all = selected.includes(ALL_EVENTS) ? documented.map((event) => event.name) : [];
	return [...new Set([...all, ...selected.filter((name) => name !== ALL_EVENTS)])];
}

/** The options that say how to reach an API; what cannot be used is left to its default. */
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
