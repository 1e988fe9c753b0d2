import type {
	IBinaryKeyData,
	IDataObject,
	IExecuteFunctions,
	ILoadOptionsFunctions,
	INodeListSearchItems,
	INodeProperties,
} from 'n8n-workflow';
import type { z } from 'zod/v4';

import type { BaseUrlFacts } from './baseUrl';
import type { ProviderCredential } from './credential';

/**
 * The contract of a webhook provider: facts as data, read by shared code.
 * A provider that is genuinely different passes a function here; it never edits `shared/`.
 */

/**
 * How a delivery proves where it comes from.
 *
 * - `hmac`: HMAC-SHA256 with the secret used verbatim as UTF-8, written as lower-case hex.
 * - `sharedSecret`: the header carries the secret itself.
 */
export type SignatureScheme = HmacScheme | SharedSecretScheme;

interface SchemeBase {
	/** Stable id, stored in workflows as the value of `options.signatureScheme`. */
	readonly id: string;
	/** Name in the editor. */
	readonly name: string;
	readonly description: string;
	/** Lower-case name of the header that carries the signature. */
	readonly header: string;
	/** Whether the choice `auto` tries this scheme. Weaker legacy schemes have to be pinned. */
	readonly auto: boolean;
}

export interface HmacScheme extends SchemeBase {
	readonly kind: 'hmac';
	/**
	 * `hex`: the whole value is the signature, after one of `prefixes` ('' = none).
	 * `elements`: `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`.
	 */
	readonly layout:
		| { readonly type: 'hex'; readonly prefixes: readonly string[] }
		| { readonly type: 'elements'; readonly timestamp: string; readonly signature: string };
	/** What is signed: the raw body, or `<timestamp>.<raw body>`. */
	readonly signed: 'body' | 'timestamp.body';
	/** Header with the Unix timestamp in seconds, where the signature header does not hold it. */
	readonly timestampHeader?: string;
	/** The timestamp may have a fraction. Default: whole seconds. */
	readonly decimalTimestamp?: true;
}

export interface SharedSecretScheme extends SchemeBase {
	readonly kind: 'sharedSecret';
}

/** One event a provider documents. */
export interface EventFact {
	/** Machine name as in the payload, in lower case. */
	readonly name: string;
	/** Title in the editor, e.g. "Email Bounced". */
	readonly label: string;
	/** When it fires, in terms that users of the provider know; no full stop after a single sentence. */
	readonly description: string;
	/** How a person who builds a workflow can make it happen, as an instruction without a full stop. */
	readonly howTo: string;
	/**
	 * Documented shapes of the event's data, by the id of the envelope they come in; a mismatch is
	 * reported as a warning, never dropped.
	 */
	readonly data?: Readonly<Record<string, z.ZodType>>;
	/** Why "all events" does not register it, e.g. because the name is inferred; shown to the user. */
	readonly unconfirmed?: string;
}

/** A sample of an event's delivery, to build a workflow with before a real one has arrived. */
export interface EventSample {
	/** The whole body. */
	readonly body: IDataObject;
	/** Whether the provider's documents show this body; if not, its fields are those of similar events. */
	readonly isDocumented: boolean;
}

/** One documented shape of a whole body, checked for warnings only. */
export interface EnvelopeShape {
	readonly id: string;
	/** A field that distinguishes this shape from the provider's others. */
	readonly mark: string;
	readonly schema: z.ZodType;
}

/** How a body is read. The first field that holds a usable value wins. */
export interface EnvelopeFacts {
	/** A body that has the mark of no shape is compared with the first shape. */
	readonly shapes: readonly [EnvelopeShape, ...EnvelopeShape[]];
	/** Body fields that may hold the event name. */
	readonly eventFields: readonly string[];
	/** Headers that repeat the event name. They are not signed: one that differs is a warning. */
	readonly eventHeaders: readonly string[];
	/**
	 * The one of `eventHeaders` that a document says to compare with the body: a delivery is refused
	 * when it differs, and when it carries none of `eventHeaders`.
	 */
	readonly comparedEventHeader?: string;
	/**
	 * What the body's `product` says in deliveries of this product. A delivery that names another
	 * product of the family is refused, because products can share a secret.
	 */
	readonly productNames?: readonly string[];
	/** Body fields that may hold the time, in any form that `timeOf` reads. */
	readonly timeFields: readonly string[];
	/** Fields of the event's data that may hold the time, where none of `timeFields` does. */
	readonly dataTimeFields?: readonly string[];
	/** Fields of the event's data that may hold the one email address the event is about. */
	readonly recipientFields?: readonly string[];
	/** The event's own data. Default: the body's `data`. */
	readonly data?: (body: IDataObject) => IDataObject[string];
	/**
	 * The event's idempotency key: an id that a document says belongs to this event alone.
	 * @returns undefined when the body holds none; a digest of the body is the key then
	 */
	readonly idempotencyKey: (body: IDataObject) => string | undefined;
	/** Prefix of that digest, so that a reader can tell which event it belongs to. Several events may share it. */
	readonly keyPrefix?: (body: IDataObject) => string | undefined;
	/** Names of test deliveries: answered with 200, never run. */
	readonly testEvents: readonly string[];
	/** Maps several names of one event to the same name before they are compared; both in lower case. */
	readonly canonicalEvent?: (name: string) => string;
	/** Where a bounce states whether it is hard or soft. */
	readonly bounce?: { readonly event: string; readonly fields: readonly string[] };
	/** Whether the provider sends a delivery again when the answer is not 2xx. */
	readonly retried: boolean;
	/** Seconds it waits for an answer: the shortest time that its documents name, or those of the others. */
	readonly answerWithinSeconds: number;
	/** How many failed deliveries in a row make the provider switch the endpoint off. */
	readonly switchesOffAfter?: number;
	/**
	 * The provider pings a new endpoint before it returns the secret, and refuses the endpoint if the answer
	 * is not 2xx. Such a ping is answered unverified, and starts nothing.
	 */
	readonly pingsOnCreate?: true;
}

/** How a call says which endpoint it is for, and which method updates one. */
export interface ItemStyle {
	readonly id: ItemAddress;
	/** Method of an update; not used where `operations` has none. */
	readonly update: 'PATCH' | 'PUT';
}

/** Where a call carries the id of an endpoint: `…/{id}`, `?id=` or in the JSON body. */
export type ItemAddress = 'path' | 'query' | 'body';

/** A call on one endpoint. `deliveries` is the log of its delivery attempts. */
export type EndpointOperation = 'get' | 'update' | 'delete' | 'test' | 'deliveries';

/** `unconfirmed`: no document names the call; it is tried, and may turn out not to exist. */
export type Confirmation = 'documented' | 'unconfirmed';

/** The provider's API for webhook endpoints. */
export interface WebhookApi {
	/** Paths of the collection, in the order to try: the next one is tried on 404 and 405. */
	readonly paths: readonly string[];
	/**
	 * How one endpoint is addressed: the style that worked before first, then the next one when an answer is 400 (where
	 * there are several styles), 404 or 405.
	 */
	readonly itemStyles: readonly [ItemStyle, ...ItemStyle[]];
	/** How a call carries the names of events. */
	readonly eventsFormat: 'list' | 'commaSeparated';
	/**
	 * Where the signing secret comes from. `always`: this package sends one on create. `never`: the provider issues it
	 * and returns it once.
	 */
	readonly sendsSecret: 'always' | 'never';
	/** The provider may ignore the secret that was sent and issue its own; its answer then holds that one. */
	readonly mayIssueAnother?: true;
	/** What the API key has to be allowed to do, as far as is documented; follows the words "needs an API key". */
	readonly requiredPermissions: string;
	/** Calls beyond list and create, with how well each is documented. */
	readonly operations: Readonly<Partial<Record<EndpointOperation, Confirmation>>>;
	/** Query of page n (from 1), where the list is paged. */
	readonly page?: {
		readonly size: number;
		readonly query: (page: number, size: number) => IDataObject;
	};
	/** Body fields of a create besides `url`, `events` and `secret`. */
	readonly createExtras?: (owner: { workflowId: string; nodeName: string }) => IDataObject;
}

/** What is known of an event, whether it came in a delivery or from the provider's API. */
export interface KnownEvent {
	/** Name of the event. */
	readonly event: string;
	/** Epoch milliseconds at which it happened. */
	readonly at: number;
	readonly data: IDataObject;
	/** `deliveryId` of its delivery, where it arrived in one. */
	readonly deliveryId?: string | undefined;
}

/** An event that a provider's API lists. */
export interface ListedEvent extends KnownEvent {
	/** The call that listed it, e.g. `GET /api/suppressions`. */
	readonly source: string;
}

/** A call of a provider's API, and how its answer is read. */
export interface RecoveryCall<T> {
	readonly path: string;
	readonly qs: IDataObject;
	/** @returns undefined for an answer that is not as documented */
	readonly read: (body: unknown) => T | undefined;
}

/** A page of what happened, the newest first. */
export interface EventPage {
	readonly events: readonly ListedEvent[];
	/** How many entries the page has, including those that are not events. */
	readonly size: number;
	/** How many entries there are on all pages; undefined where the answer does not say so. */
	readonly total?: number | undefined;
}

/** Which entries of a list to ask for. */
export interface PagePlace {
	/** Epoch milliseconds of the oldest event that is wanted. */
	readonly since: number;
	/** Counted from 0. */
	readonly number: number;
	/** How many entries come before it. */
	readonly offset: number;
	/** How many entries to ask for. */
	readonly size: number;
}

/**
 * Identifies an event. A listed event and a delivered one are the same event if they have the same `own`, or the same
 * `about` at about the same time.
 */
export interface Identity {
	/** An id that only this event has. */
	readonly own?: string | undefined;
	/** The event's name and what it is about. */
	readonly about: string;
	/** Epoch milliseconds. */
	readonly at: number;
	/** How far the two times of one event may differ, in milliseconds. */
	readonly toleranceMs: number;
}

/** The API that lists events whose deliveries were lost. */
export interface RecoveryApi {
	/** What it lists, in words, e.g. "articles". */
	readonly noun: string;
	/** The events it lists. */
	readonly events: readonly string[];
	/** What it can and cannot recover, for the editor. */
	readonly description: string;
	/** Calls a minute that the provider allows where its answers do not say so. */
	readonly callsPerMinute: number;
	/** The most entries that a page holds. */
	readonly pageSize: number;
	/** Whether a page can begin at any entry of the list; if not, it begins at a multiple of its size. */
	readonly startsAnywhere: boolean;
	/** Makes the call for one page; the page may also hold events older than `since`. */
	readonly page: (place: PagePlace) => RecoveryCall<EventPage>;
	/** Makes the call for the fields of one event that the list leaves out. */
	readonly details?: (event: ListedEvent) => RecoveryCall<ListedEvent>;
	/** @returns undefined for what cannot be one of `events` */
	readonly identify: (event: KnownEvent) => Identity | undefined;
}

/** What operations work on: an entry of the parameter Resource. */
export interface Resource {
	readonly name: string;
	readonly value: string;
	readonly description: string;
}

/** One input item of an action node, with everything its operation needs. */
export interface ActionCall {
	readonly context: IExecuteFunctions;
	readonly itemIndex: number;
	readonly provider: Provider;
	/** The provider and its other products. */
	readonly family: ProviderFamily;
	readonly credential: ProviderCredential;
}

/** An item that an operation returns. */
export interface ActionResult {
	readonly json: IDataObject;
	readonly binary?: IBinaryKeyData;
	/** Index of the output it goes to; the first one by default. */
	readonly output?: number;
}

/** One operation of an action node: how the editor offers it, and what it does. */
export interface Operation {
	readonly resource: Resource;
	/** Value of the parameter Operation, unique within the resource. */
	readonly value: string;
	readonly name: string;
	/** Its line in the list of actions. */
	readonly action: string;
	readonly description: string;
	/** The editor preselects it within its resource. */
	readonly isDefault?: true;
	/** Names of its outputs, where it has more than one. */
	readonly outputs?: readonly string[];
	/** Whether a provider has it, and how well the call behind it is documented. */
	readonly offered: (provider: Provider) => Confirmation | undefined;
	/**
	 * Its parameters, in the editor's order, without the conditions that follow from resource and
	 * operation. Equal parameters of several operations become one.
	 */
	readonly properties: (provider: Provider) => readonly INodeProperties[];
	/**
	 * The fields of the items it returns (by its first output, where it has several), for the editor and n8n's
	 * Assistant before the first run. One that only some products of the family have is optional.
	 * @returns undefined where no document names them
	 */
	readonly output: (family: ProviderFamily) => z.ZodObject | undefined;
	/** Runs the operation for one item. @throws NodeApiError or NodeOperationError that says what to do */
	readonly run: (call: ActionCall) => Promise<readonly ActionResult[]>;
}

/** A search of a resource locator, called while the editor shows an action node. */
export interface SearchCall extends Pick<ActionCall, 'provider' | 'credential'> {
	readonly context: ILoadOptionsFunctions;
	/** What the user typed, in lower case. */
	readonly filter: string;
}

/** Lists what a resource locator may hold. */
export type ListSearch = (call: SearchCall) => Promise<INodeListSearchItems[]>;

/** Everything the package knows of one provider (or of one product of it). */
export interface Provider extends BaseUrlFacts {
	/** `provider` of the trigger's output. */
	readonly id: string;
	/** `product` of the trigger's output and value of the `product` parameter. */
	readonly product?: string;
	readonly displayName: string;
	readonly description: string;
	readonly credentialType: string;
	readonly events: readonly EventFact[];
	/** A sample of each of its events. */
	readonly sample: (event: string) => EventSample;
	readonly schemes: readonly SignatureScheme[];
	readonly envelope: EnvelopeFacts;
	/** Absent where the provider has no API for webhooks: registration by hand only. */
	readonly api?: WebhookApi;
	/** Absent where no API lists missed events. */
	readonly recovery?: RecoveryApi;
	/** Operations of the action node that no other provider has. */
	readonly operations?: readonly Operation[];
	/** What resource locators of those operations list, by the name in their `searchListMethod`. */
	readonly searches?: Readonly<Record<string, ListSearch>>;
	/** Error codes of its API that say that the plan does not allow a call. */
	readonly planRefusals?: readonly string[];
	readonly defaultRegistration: Registration;
	/**
	 * What to do at the provider once the Production URL is copied, step by step; n8n's notices render
	 * links.
	 */
	readonly manualSteps: readonly string[];
	/** How to get the signing secret, unless the dashboard shows it: a sentence that is continued after a comma. */
	readonly whereSecretIs?: string;
	/** The documents allow a webhook without a secret, so the user may choose to accept unverified deliveries. */
	readonly secretOptional?: true;
}

/** Who puts the webhook URL into the provider's account. */
export type Registration = 'automatic' | 'manual';

/** What a trigger offers: one provider, or the products of one, which the parameter `product` picks. */
export type ProviderFamily = readonly [Provider, ...Provider[]];
