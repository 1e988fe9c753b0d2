import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { AccountRules, AccountEndpoints } from './endpointStore';
import type { Behaviour, DeliveryRecord, Named, SandboxEndpoint } from './types';

/** A way to sign, as one document describes it. */
export interface Scheme {
	readonly id: string;
	readonly source: string;
	/** Whether the timestamp is part of what is signed. */
	readonly timestamped: boolean;
	/** The header that carries the proof. */
	readonly signatureHeader: string;
	/** Headers besides the proof that the same document names. */
	extraHeaders?(delivery: DeliveryFacts): Record<string, string>;
	/** The header of `extraHeaders` that repeats the event's name. */
	readonly eventHeader?: string;
	/** The headers that prove the sender knows the secret. */
	sign(input: { body: Buffer; secret: string; timestampSeconds: number }): Record<string, string>;
}

/** What headers can contain. */
export interface DeliveryFacts {
	/** The event's id. */
	id: string;
	/** The same for every try and copy of one delivery. */
	deliveryId: string;
	event: string;
	endpointId?: string;
	timestampSeconds: number;
	behaviour: Partial<Behaviour>;
}

/** The JSON around an event's data, as one document describes it. */
export interface Envelope {
	readonly id: string;
	readonly source: string;
	build(event: EnvelopeFacts): Record<string, unknown>;
}

export interface EnvelopeFacts {
	id: string;
	event: string;
	occurredAtMs: number;
	data: unknown;
}

export interface SampleRequest {
	event: string;
	envelope: string;
	id: string;
	/** ISO 8601 with milliseconds. */
	at: string;
}

/** When a provider tries again and when it gives up on an endpoint. */
export interface RetryPolicy {
	/** Waits before the second, third … try, in the provider's seconds. */
	delaysSeconds: readonly number[];
	/** How long a receiver may take, in real seconds. */
	timeoutSeconds: number;
	/** Failed tries in a row after which the endpoint is switched off. */
	disableAfterFailures?: number;
	/** The endpoint is switched off when every try of a delivery over this span met a 5xx. */
	disableAfterServerErrorSeconds?: number;
}

/** A provider as seen from outside: what it sends, and its management API if it has one. */
export interface Provider extends AccountRules {
	/** The name that people know it by. */
	readonly title: string;
	/** Every name a document lists. */
	readonly events: readonly Named[];
	readonly schemes: readonly [Scheme, ...Scheme[]];
	readonly envelopes: readonly [Envelope, ...Envelope[]];
	readonly retry: RetryPolicy;
	/** The start of an API key. */
	readonly keyPrefix: string;
	newEventId(event: string): string;
	/** The documented `data` of an event, or a plausible minimum. */
	sampleData(request: SampleRequest): unknown;
	/** Whether an endpoint is subscribed to an event; default: its list contains exactly this name. */
	wants?(endpoint: SandboxEndpoint, event: string): boolean;
	api?(services: ApiServices): Api;
}

export type KeyScope = 'full' | 'limited';

/** A management request after HTTP parsing. */
export interface ApiRequest {
	method: string;
	/** Without the query. */
	path: string;
	query: URLSearchParams;
	headers: IncomingHttpHeaders;
	/** Parsed JSON; undefined without a body or with one that is no JSON. */
	body: unknown;
	/** Whether there was a body that is no JSON or not declared as such. */
	malformed: boolean;
}

/** An answer of the management API before it is sent. */
export interface Answer {
	status: number;
	headers: Record<string, string>;
	/** Absent: no body. */
	text?: string;
}

export interface Route {
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** With `:name` for a segment. */
	path: string;
	/** Needs no authentication. */
	open?: boolean;
	/** Needs the permission that the limited key lacks. */
	managesWebhooks?: boolean;
	handle(request: ApiRequest, params: Readonly<Record<string, string>>): Answer | Promise<Answer>;
}

/** A refused field and the reason. */
export interface FieldIssue {
	/** Empty for the body as a whole. */
	field: string;
	message: string;
}

/** A provider's error answers, each in its own shape. */
export interface ApiErrors {
	unauthorized(): Answer;
	notFound(): Answer;
	scope(): Answer;
	plan(): Answer;
	rateLimit(retryAfterSeconds: number): Answer;
	invalid(issues: readonly FieldIssue[]): Answer;
	/** Any other status. */
	other(status: number): Answer;
}

/** An event that happened at the provider, delivered or not. */
export interface HappenedEvent {
	event: string;
	/** Its id. */
	id: string;
	/** ISO 8601. */
	at: string;
	data: unknown;
}

export interface Api {
	/** Whether a request is for this provider; asked in the order of the provider list. */
	owns(request: ApiRequest): boolean;
	/** What the caller may do; undefined when it did not authenticate. */
	identify(request: ApiRequest): KeyScope | undefined;
	readonly routes: readonly Route[];
	readonly errors: ApiErrors;
	readonly variants: VariantHolder;
	/** A user's login, where the provider has one. */
	readonly login?: { email: string; password: string };
	expireSessions?(): void;
	/** Stores what the API will return about an event. */
	record?(event: HappenedEvent): void;
	reset?(): void;
}

/** The behaviour of a provider that can be switched. */
export interface VariantHolder {
	snapshot(): Partial<Behaviour>;
	change(patch: Partial<Behaviour>): void;
	reset(): void;
}

/** What a provider's API gets from the sandbox. */
export interface ApiServices {
	readonly endpoints: AccountEndpoints;
	readonly keys: Readonly<Record<KeyScope, string>>;
	/** A webhook URL the provider accepts: public https unless the sandbox was started otherwise. */
	readonly webhookUrl: z.ZodType<string, z.ZodTypeDef, unknown>;
	/** Sends one event to one endpoint, once; resolves with whether it was accepted. */
	deliver(endpoint: SandboxEndpoint, event: string, data: unknown): Promise<boolean>;
	/** The deliveries of one endpoint, oldest first. */
	deliveriesOf(endpointId: string): readonly DeliveryRecord[];
}
