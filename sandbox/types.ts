/** Every product that has webhooks of its own. */
export type ProviderId =
	| 'misar.mail'
	| 'misar.reach'
	| 'misar.post'
	| 'misar.dev'
	| 'misar.ai'
	| 'misar.ink'
	| 'misarBlog'
	| 'mailPanda'
	| 'metigan';

/** Options of the sandbox. */
export interface SandboxOptions {
	/** TCP port on 127.0.0.1; 0, the default, takes a free one. */
	port?: number;
	/** Accept http:// and private webhook URLs, which the providers refuse. Default false. */
	allowHttp?: boolean;
	/** The same API keys at every start, so that stored credentials go on working. Default false. */
	fixedKeys?: boolean;
	/**
	 * Factor from the provider's retry intervals to real ones. Default 0.0005 (a day becomes 43 s);
	 * with 0 the same number of retries follow each other without a wait.
	 */
	retryTimeScale?: number;
	/**
	 * Origin to origin: where deliveries for a registered origin are really sent, like a hosts file,
	 * e.g. `{'https://n8n.example.test': 'http://127.0.0.1:5678'}`.
	 */
	routes?: Record<string, string>;
}

/** A call to a provider's API. */
export interface ApiCall {
	method: string;
	/** With the query. */
	path: string;
	/** Names in lower case. */
	headers: Readonly<Record<string, string>>;
	/** The body; empty where there is none. */
	text: string;
}

/** A webhook endpoint as the provider stores it. */
export interface SandboxEndpoint {
	/** As text for every provider; Mail Panda shows it as an integer on the wire. */
	id: string;
	provider: ProviderId;
	url: string;
	events: string[];
	active: boolean;
	/** What deliveries are signed with; absent only where a provider lets a user do without (Mail Panda). */
	secret?: string;
	description?: string;
	/** ISO 8601. */
	createdAt: string;
	/** Attempts that failed in a row, over all deliveries of this endpoint. */
	consecutiveFailures: number;
}

/** What the provider may change about an endpoint. */
export interface EndpointChange {
	url?: string;
	events?: string[];
	active?: boolean;
}

/** An endpoint that was created without an API call (dashboard, another app). */
export interface EndpointInput {
	url: string;
	events: string[];
	/** Default true. */
	active?: boolean;
	/** Default: one made by the provider. */
	secret?: string;
}

/**
 * Points on which a provider's documentation contradicts itself or is silent. Each provider knows only some of
 * them (see its file) and refuses the others.
 */
export interface Behaviour {
	/** misar.mail: which of `/mail/v1/webhooks` and `/mail/webhooks` exist. */
	paths: 'both' | 'v1' | 'unversioned';
	/** misar.mail: `{data,total}` (SDK 1) or `{success:true,data}` (other resources of SDK 5). */
	listShape: 'dataTotal' | 'successData';
	/** The object itself, wrapped as `{success,…,data}`, or (metigan) bare with `secret` for `signatureKey`. */
	createShape: 'bare' | 'successData' | 'secretField';
	createStatus: 200 | 201;
	/** 204 without a body, or 200 with `{"success":true}`. */
	deleteStatus: 200 | 204;
	/** `accept`: the caller's secret is used; `issue`: it is ignored and the provider returns its own, once. */
	secretMode: 'accept' | 'issue';
	/** Status of a request body that is refused. */
	invalidStatus: 400 | 422;
	/** Status of a plan refusal. */
	planStatus: 402 | 403 | 429;
	/** Event names accepted on top of the documented ones. */
	extraEvents: string[];
	/** reach, post: only the names of the provider's own API client, or every name any document lists. */
	knownEvents: 'client' | 'union';
	/** reach, post: whether `DELETE …/{id}` exists. */
	deleteOffered: boolean;
	/** reach, post: what a missing delete answers. */
	deleteMissingStatus: 404 | 405;
	/** post: send a ping to a new endpoint before answering, and refuse the endpoint if it fails. */
	pingOnCreate: boolean;
	/** mailPanda: where update and delete take the id from. */
	manageStyle: 'query' | 'body' | 'path';
	/** mailPanda, metigan, post: the methods an update answers to. */
	updateMethods: 'both' | 'PUT' | 'PATCH' | 'none';
	/** mailPanda: whether API keys, and not only sessions, open `/api/webhooks/manage`. */
	bearerOnManage: boolean;
	/** metigan: whether `X-Webhook-Id` names the delivery (JS SDK 3) or the endpoint (API page). */
	webhookIdHeader: 'delivery' | 'endpoint';
	/** metigan: the name of the field with an endpoint's id. */
	idField: '_id' | 'id';
	/** misarBlog: how a list of articles is wrapped. */
	articleList: 'data' | 'articles';
	/** misarBlog: the plan's limit, in `X-RateLimit-Limit`. */
	callsPerMinute: number;
	/** misarBlog, metigan: how a list of articles or suppressions writes times. */
	listTimes: 'milliseconds' | 'seconds' | 'offset' | 'withoutZone';
	/** misarBlog, metigan: the most entries on its pages, however many are asked for. */
	listCap: number;
	/** misarBlog, metigan: its pages begin where they would without `listCap`. */
	listCapLeavesGaps: boolean;
	/** misarBlog, metigan: whether it says how many entries there are. */
	listTotal: boolean;
	/** misarBlog, metigan: which page since the start is answered once more in place of the next one; 0 = none. */
	listRepeats: number;
	/** misarBlog, metigan: after each page an entry appears at the top, or one of that page disappears. */
	listChurn: 'none' | 'comes' | 'goes';
	/** misarBlog, metigan: how long after it happened something appears in it, in milliseconds. */
	listLateMs: number;
	/** metigan: how the list of suppressions writes addresses. */
	listAddresses: 'asSent' | 'upperCase';
	/** metigan: whether the list of suppressions has the messages' ids. */
	listMessageIds: boolean;
}

/** How a faulty answer looks on the wire. */
export type FaultKind =
	| 'status'
	| 'drop'
	| 'truncate'
	| 'html'
	| 'hang'
	| 'empty'
	| 'delay'
	| 'planRefusal'
	| 'rateLimit'
	| 'scopeRefusal'
	| 'rewrite';

/** A fault of the management API. The first one that matches a request is used up by it. */
export interface Fault {
	provider?: ProviderId;
	method?: string;
	/** Text: this path and everything below it. RegExp: tested against the path without the query. */
	path?: RegExp | string;
	/** How many requests it hits; default 1. */
	times?: number;
	/** Milliseconds before anything else happens. */
	delayMs?: number;
	/** `before` (default): nothing happens at the provider; `after`: the effect happens, then the answer fails. */
	when?: 'before' | 'after';
	/**
	 * `status`: an error status (500); `drop`: the connection ends without an answer; `truncate`: it ends in
	 * the middle of the answer; `html`: a gateway's page (502); `hang`: no answer at all; `empty`: 200
	 * without a body; `delay`: the true answer, late; `rewrite`: the true answer as `rewrite` writes it;
	 * the others as the provider words them.
	 */
	kind: FaultKind;
	status?: number;
	headers?: Record<string, string>;
	/** Text is sent as it is, anything else as JSON. */
	body?: unknown;
	/** Changes the JSON of the real answer: an installation may differ in what the documents leave open. */
	rewrite?: (answer: unknown) => unknown;
}

/** A call of the management API. Never holds the value that authenticated it. */
export interface ApiRequestRecord {
	/** Epoch milliseconds. */
	at: number;
	/** Absent when no provider serves the path. */
	provider?: ProviderId;
	method: string;
	/** With the query. */
	path: string;
	body?: unknown;
	/** Absent while there is no answer; stays absent when the connection was dropped. */
	status?: number;
	/** As much of the answer as was sent, signing secrets included; the first 10,000 characters. */
	responseBody?: string;
	/** Absent until it is answered or dropped; stays absent when it hangs. */
	durationMs?: number;
}

/** One try to deliver. */
export interface DeliveryAttempt {
	/** Epoch milliseconds. */
	at: number;
	status?: number;
	/** Why there is no status. */
	error?: string;
	/** The first 10,000 characters. */
	responseBody?: string;
	durationMs: number;
}

/** A delivery with all its attempts. */
export interface DeliveryRecord {
	/** The event's id (`evt_…`, Metigan's `messageId`); copies of a delivery share it. */
	id: string;
	provider: ProviderId;
	/** Absent for a manually registered URL. */
	endpointId?: string;
	event: string;
	/** As registered, before routes. */
	url: string;
	attempts: DeliveryAttempt[];
	state: 'pending' | 'delivered' | 'failed';
}

/** What a forger or a broken clock would do to a delivery. Forged deliveries are not retried by default. */
export type Tamper =
	/** one byte of the body changed after signing; it stays valid JSON */
	| 'body'
	/** the last digit of the signature changed */
	| 'signature'
	/** signed with another secret */
	| 'wrongSecret'
	/** without the headers the scheme adds */
	| 'unsigned'
	/** signed ten minutes ago */
	| 'stale'
	/** signed ten minutes ahead */
	| 'future'
	/** the event header names another event than the signed body */
	| 'swappedEvent';

/** The parts of a delivery that do not depend on who receives it. */
export interface DeliveryInput {
	provider: ProviderId;
	/** Any name; undocumented ones get a minimal `data`. */
	event: string;
	/** Replaces the documented sample. Misar.Blog: `{article, author}`. */
	data?: unknown;
	/** Default: the first of the catalogue. */
	scheme?: string;
	/** Default: the first of the catalogue. */
	envelope?: string;
	/** The event's id where the envelope carries one. */
	id?: string;
	/** When the event happened and the delivery was signed; default now (and again for each retry). */
	timestampMs?: number;
	/** Replaces the envelope's `product`. */
	product?: string;
	/** Puts a UTF-8 byte order mark before the body, and signs it. */
	byteOrderMark?: boolean;
	tamper?: Tamper;
}

export interface BuildDeliveryInput extends DeliveryInput {
	secret: string;
}

export interface FireInput extends DeliveryInput {
	/** Signs instead of the endpoint's secret. */
	secret?: string;
	/** Manual registration: send here, with `secret`. */
	url?: string;
	/** Only to this endpoint, regardless of its subscriptions. */
	endpointId?: string;
	/** Send the same delivery this many times at once. */
	copies?: number;
	/** Default: the provider's policy, or none for a tampered delivery. */
	retry?: boolean;
}

/** How often an event is fired. */
export interface Repetition {
	times: number;
	perSecond: number;
}

/** Deliveries under way. */
export interface RunningFire {
	/** How many receivers the first event goes to. */
	receivers: number;
	/** How many deliveries there are, once all events are fired. */
	begun: Promise<number>;
	ended: Promise<DeliveryRecord[]>;
}

/** A try to deliver that is over. */
export interface Tried {
	/** With all its attempts so far. */
	delivery: DeliveryRecord;
	/** Present if another try is scheduled: when, in epoch milliseconds, and how many may follow. */
	retry?: { at: number; left: number };
}

/**
 * A line of the answer to `POST fire/tries`: first how many receivers there are, then each try when it is
 * over, how many deliveries there are once all events are fired, and last their outcome, or why it
 * ended before.
 */
export type FireNews =
	| { receivers: number }
	| { tried: Tried }
	| { begun: number }
	| { ended: DeliveryRecord[] }
	| { error: string };

/** A fact and the page or package it comes from. */
export interface Named {
	name: string;
	source: string;
}

export interface CatalogueScheme {
	id: string;
	source: string;
	/** Whether a timestamp is signed, so that `stale` and `future` are possible. */
	timestamped: boolean;
	/** The header `swappedEvent` changes, in lower case, where the scheme's document has one. */
	eventHeader?: string;
}

export interface CatalogueEntry {
	provider: ProviderId;
	/** The name that people know it by. */
	title: string;
	schemes: CatalogueScheme[];
	envelopes: Array<{ id: string; source: string }>;
	events: Named[];
}

/** A running sandbox. */
export interface Sandbox {
	/** `http://127.0.0.1:<port>`, for a credential's `baseUrl`. */
	url: string;
	/** The page that shows what happens and lets a person act as a provider. */
	pageUrl: string;
	/** A key that may do everything, for each provider. */
	keys: Record<ProviderId, string>;
	/** A valid key without permission to manage webhooks: 403 in the provider's own error shape. */
	limitedKeys: Record<ProviderId, string>;
	/** Mail Panda's seeded administrator (mailpanda.io/docs/authentication). */
	login: { email: string; password: string };
	/** Makes a new key in place of the one in `keys`, which is refused from now on. */
	replaceKey(provider: ProviderId): string;
	setRoute(from: string, to: string): void;
	/**
	 * Answers a call without a network. Rejects where the answer would not arrive, or not whole.
	 * @returns the answer; without `text` it has no body
	 */
	call(call: ApiCall): Promise<{ status: number; headers: Record<string, string>; text?: string }>;
	/** Copies, in the order of creation, secrets included. */
	endpoints(provider?: ProviderId): SandboxEndpoint[];
	addEndpoint(provider: ProviderId, input: EndpointInput): SandboxEndpoint;
	/** Throws when there is no such endpoint; so does `removeEndpoint`. */
	changeEndpoint(provider: ProviderId, id: string, change: EndpointChange): void;
	removeEndpoint(provider: ProviderId, id: string): void;
	/** The account's maximum; a create above it is refused as a plan limit. */
	setEndpointLimit(provider: ProviderId, limit: number | undefined): void;
	/** Throws for a point the provider does not have or a value it cannot take. */
	setBehaviour(provider: ProviderId, behaviour: Partial<Behaviour>): void;
	/** Ends every login session of Mail Panda, as after its seven days. */
	expireSessions(): void;
	/** The provider issues a new signing secret, as its dashboard can; one for all where they share it. */
	rotateSecret(provider: ProviderId, id: string): string;
	fault(fault: Fault): void;
	clearFaults(): void;
	/** Faults that wait for a request; `times` is how many they will still hit. */
	faults(): Fault[];
	requests(): ApiRequestRecord[];
	deliveries(): DeliveryRecord[];
	/**
	 * Signs and sends to every active endpoint subscribed to the event; resolves when each delivery has
	 * arrived or was given up. Throws for an unknown scheme, envelope or endpoint.
	 */
	fire(input: FireInput): Promise<DeliveryRecord[]>;
	/**
	 * Fires an event several times at a rate, each time as a new event. Throws as `fire` rejects; resolves
	 * when every delivery has arrived or was given up.
	 *
	 * @param onTry called when a try is over
	 */
	fireRepeatedly(
		input: FireInput,
		repetition: Repetition,
		onTry?: (tried: Tried) => void,
	): RunningFire;
	/** Stops repeated firing; deliveries under way go on. */
	stopFiring(): void;
	/** Resolves when no delivery is pending. */
	settled(): Promise<void>;
	/** Restores the state at its start, with the same keys and port. */
	reset(): void;
	/** Ends everything: pending deliveries fail, sockets and timers are gone. */
	close(): Promise<void>;
}
