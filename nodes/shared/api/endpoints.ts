import type { IDataObject, NodeApiError } from 'n8n-workflow';

import type { ProviderCredential } from '../credential';
import type { Provider } from '../provider';
import type { ItemAddress, ItemStyle, WebhookApi } from '../webhookApi';
import {
	readAttemptList,
	readEndpoint,
	type EndpointPage,
	type RemoteEndpoint,
} from './endpointAnswer';
import { EndpointRequests, type EndpointAccess, type ItemResult } from './endpointRequests';
import { withoutSecrets } from './hideSecrets';
import type { Installation } from './installation';
import { ApiClient, type ApiContext, type Attempt, type Call } from './request';

export interface EndpointDraft {
	readonly url: string;
	readonly events: readonly string[];
	readonly secret?: string;
}

export interface EndpointChanges {
	readonly url?: string;
	readonly events?: readonly string[];
	readonly active?: boolean;
}

/**
 * `lost`: the request may have taken effect although its answer did not arrive or could not be
 * read, so there may be an endpoint whose id is unknown. `refusedBeside`: the plan allows no more endpoints, or
 * none with the same URL.
 */
export type CreateOutcome =
	| { readonly endpoint: RemoteEndpoint }
	| {
			readonly failure: NodeApiError;
			readonly lost: boolean;
			readonly refusedBeside: boolean;
	  };

/**
 * What the provider says of one endpoint. `gone`: it was deleted. `absent`: there is none with this id, or no such
 * call; the list shows which. `unclear`: the answer is about another endpoint.
 */
export type Lookup = RemoteEndpoint | 'absent' | 'gone' | 'unclear';

/** The result of a delete. `absent`: there was none with this id. `unsupported`: the provider has no such call. */
export type Removal = 'deleted' | 'absent' | 'unsupported';

/** All endpoints of an account, and the URLs of those whose id cannot be read. */
export type EndpointList = Pick<EndpointPage, 'endpoints' | 'unreadable'>;

/** Statuses with which APIs say that there is no such endpoint, or none of this account's, or no such call. */
const ABSENT_STATUSES = [400, 403, 404, 405, 422];
/** Statuses with which APIs refuse a create because of an endpoint that exists, and how they word it. */
const TAKEN_STATUSES = [400, 403, 409, 422];
const TAKEN =
	/already (?:exists|in use|used|registered|been taken)|\bduplicate\b|must be unique|plan does not allow more|(?:webhook|endpoint)s? (?:limit|maximum)|(?:limit|maximum) (?:number )?of (?:\d+ )?(?:webhook|endpoint)s|too many (?:webhook|endpoint)s/i;

const MAX_PAGES = 200;

const READ = (): Call => ({ method: 'GET' });
const DELETE = (): Call => ({ method: 'DELETE', idempotent: true });
const SEND_TEST = (): Call => ({ method: 'POST', idempotent: false });

/**
 * A provider's API for webhook endpoints.
 *
 * Each method throws a NodeApiError that says what happened and what to do, and holds no secret.
 */
export class EndpointApi {
	private readonly requests: EndpointRequests;

	constructor(
		private readonly client: ApiClient,
		private readonly api: WebhookApi,
		private readonly access: EndpointAccess,
	) {
		this.requests = new EndpointRequests(client, access);
	}

	/** The collection path in use. */
	get collectionPath(): string {
		return this.requests.collectionPath;
	}

	/** The endpoints of the account, the first `limit` of them. */
	async list(limit = Number.POSITIVE_INFINITY): Promise<readonly RemoteEndpoint[]> {
		return (await this.readList(limit)).endpoints;
	}

	/**
	 * The same, with what could not be read. Finds out which of the documented paths is served. A page that is shorter
	 * than asked for need not be the last: that one is empty, brings nothing new, reaches the total, or says that it is
	 * the last.
	 */
	async readList(limit = Number.POSITIVE_INFINITY): Promise<EndpointList> {
		const { page } = this.api;
		if (page === undefined) {
			const { endpoints, unreadable } = await this.requests.listPage();
			return { endpoints: endpoints.slice(0, limit), unreadable };
		}
		const size = Math.min(page.size, limit);
		const all = new Map<string, RemoteEndpoint>();
		const unreadable = new Set<string>();
		for (let number = 1; number <= MAX_PAGES && all.size < limit; number++) {
			const known = all.size + unreadable.size;
			const found = await this.requests.listPage(page.query(number, size));
			for (const endpoint of found.endpoints) {
				all.set(JSON.stringify([endpoint.id, endpoint.url]), endpoint);
			}
			for (const url of found.unreadable) unreadable.add(url);
			const now = all.size + unreadable.size;
			const saysLast = found.isLast === true;
			// The total beside a full page may be that of the page.
			const mayBeLast = saysLast || found.endpoints.length + found.unreadable.length < size;
			const isLast = found.total === undefined ? saysLast : now >= found.total && mayBeLast;
			if (isLast || now === known) break;
		}
		return { endpoints: [...all.values()].slice(0, limit), unreadable: [...unreadable] };
	}

	/**
	 * Creates an endpoint. A create whose answer was lost is not repeated here, because it may have
	 * taken effect.
	 */
	async create(draft: EndpointDraft, extras: IDataObject = {}): Promise<CreateOutcome> {
		const body = {
			url: draft.url,
			events: this.formatEvents(draft.events),
			...(draft.secret === undefined ? {} : { secret: draft.secret }),
			...extras,
		};
		const attempt = await this.requests.create(body);
		if (attempt.kind !== 'success') {
			return {
				failure: this.client.failure('POST', this.collectionPath, attempt, {
					sentSecret: draft.secret ?? '',
				}),
				lost: attempt.mayHaveHappened === true,
				refusedBeside: saysTaken(attempt) || this.client.isPlanRefusal(attempt),
			};
		}
		const endpoint = readEndpoint(attempt.body);
		if (endpoint !== undefined) return { endpoint };
		const failure = this.client.failure('POST', this.collectionPath, {
			kind: 'unreadable',
			status: attempt.status,
			expected: 'a webhook endpoint with an id',
		});
		return { failure, lost: true, refusedBeside: false };
	}

	/** One endpoint. @throws NodeApiError, also when there is none with this id */
	async get(id: string): Promise<RemoteEndpoint> {
		return this.endpointIn(await this.requests.sendToItem(READ, id));
	}

	/** Looks for one endpoint. @throws NodeApiError where the answer says nothing about it */
	async find(id: string): Promise<Lookup> {
		const result = await this.requests.sendToItem(READ, id);
		const { attempt } = result;
		if (attempt.kind === 'status') {
			if (attempt.status === 410) return 'gone';
			if (ABSENT_STATUSES.includes(attempt.status)) return 'absent';
		}
		const body = this.bodyOf(result);
		const endpoint = readEndpoint(body);
		if (endpoint !== undefined) return endpoint.id === id ? endpoint : 'unclear';
		// Some APIs answer 200 or 204 with nothing in it, or with the list; none of them answers with a web page.
		if (typeof body !== 'string' || body.trim() === '') return 'absent';
		throw this.unreadable(result, 'a webhook endpoint with an id');
	}

	/** Asks the provider to send a test delivery. @returns the provider's own answer, without secrets */
	async test(id: string): Promise<unknown> {
		const answer = this.bodyOf(await this.requests.sendToItem(SEND_TEST, id, {}, '/test'));
		return withoutSecrets(answer, this.access.secrets);
	}

	/**
	 * The provider's log of delivery attempts, the newest first (Misar Mail: the last 100), without secrets.
	 */
	async deliveries(id: string): Promise<ReadonlyArray<Record<string, unknown>>> {
		const result = await this.requests.sendToItem(READ, id, {}, '/events');
		const attempts = readAttemptList(withoutSecrets(this.bodyOf(result), this.access.secrets));
		if (attempts !== undefined) return attempts;
		throw this.unreadable(result, 'a list of delivery attempts');
	}

	/**
	 * Changes an endpoint in place.
	 * @returns false when the API has no such call for it
	 */
	async update(id: string, changes: EndpointChanges): Promise<boolean> {
		const body = {
			...(changes.url === undefined ? {} : { url: changes.url }),
			...(changes.events === undefined ? {} : { events: this.formatEvents(changes.events) }),
			...(changes.active === undefined ? {} : { active: changes.active }),
		};
		const { method, path, attempt } = await this.requests.sendToItem(
			({ update }) => ({ method: update, idempotent: true }),
			id,
			body,
		);
		if (attempt.kind === 'success') return true;
		if (this.requests.notServed(attempt)) return false;
		throw this.client.failure(method, path, attempt);
	}

	/** Deletes an endpoint. @throws NodeApiError where it may still be there */
	async remove(id: string): Promise<Removal> {
		const { method, path, attempt } = await this.requests.sendToItem(DELETE, id);
		if (attempt.kind === 'success') return 'deleted';
		const { status = 0, afterLost = false } = attempt.kind === 'status' ? attempt : {};
		const gone = afterLost ? 'deleted' : 'absent';
		const isConfirmed = this.api.operations.delete !== 'unconfirmed';
		if (status === 410 || (status === 404 && isConfirmed)) return gone;
		if (ABSENT_STATUSES.includes(status)) {
			// No such endpoint, or no such call: the list shows which.
			if ((await this.list()).every((endpoint) => endpoint.id !== id)) return gone;
			if (!isConfirmed && this.requests.notServed(attempt)) return 'unsupported';
		}
		throw this.client.failure(method, path, attempt);
	}

	private bodyOf({ id, method, path, attempt }: ItemResult): unknown {
		if (attempt.kind === 'success') return attempt.body;
		throw this.client.failure(method, path, attempt, { endpointId: id });
	}

	private endpointIn(result: ItemResult): RemoteEndpoint {
		const endpoint = readEndpoint(this.bodyOf(result));
		if (endpoint !== undefined) return endpoint;
		throw this.unreadable(result, 'a webhook endpoint with an id');
	}

	private unreadable({ method, path, attempt }: ItemResult, expected: string): NodeApiError {
		const status = attempt.kind === 'success' ? attempt.status : 0;
		return this.client.failure(method, path, { kind: 'unreadable', status, expected });
	}

	private formatEvents(events: readonly string[]): string | string[] {
		return this.api.eventsFormat === 'list' ? [...events] : events.join(',');
	}
}

function saysTaken(attempt: Attempt): boolean {
	if (attempt.kind !== 'status' || !TAKEN_STATUSES.includes(attempt.status)) return false;
	return attempt.status === 409 || TAKEN.test(JSON.stringify(attempt.body) ?? '');
}

/** What a node's options say about an installation's API. */
export interface ApiChoice {
	readonly apiPath?: string | undefined;
	/** Where an endpoint was created, if not at `apiPath`. */
	readonly recordedPath?: string | undefined;
	readonly itemAddress?: ItemAddress | undefined;
	readonly itemIndex?: number;
	/** See {@link ApiAccess}. */
	readonly endAt?: number;
	/** What is known of the installation; an action node finds it out for each item. */
	readonly installation?: Installation;
}

/** A provider's API for webhooks. @throws Error where it has none; callers do not offer anything then */
export function webhookApiOf({ api, displayName }: Provider): WebhookApi {
	if (api === undefined) throw new Error(`${displayName} has no API for webhooks`);
	return api;
}

/** Opens a provider's API with a credential and a node's options. */
export function openEndpointApi(
	context: ApiContext,
	provider: Provider,
	webhookApi: WebhookApi,
	credential: ProviderCredential,
	{ apiPath, recordedPath, itemAddress, itemIndex, endAt, installation = {} }: ApiChoice,
): EndpointApi {
	const chosenPaths = [apiPath, recordedPath].filter((path) => path !== undefined);
	const allowed = ({ id }: ItemStyle) => itemAddress === undefined || id === itemAddress;
	const [first, ...others] = webhookApi.itemStyles.filter(allowed);
	const { baseUrl, secrets, decrypted } = credential;
	const client = new ApiClient(context, provider, {
		baseUrl,
		secrets,
		decrypted,
		...(itemIndex === undefined ? {} : { itemIndex }),
		...(endAt === undefined ? {} : { endAt }),
	});
	return new EndpointApi(client, webhookApi, {
		secrets,
		installation,
		paths: chosenPaths.length === 0 ? webhookApi.paths : [...new Set(chosenPaths)],
		itemStyles: first === undefined ? webhookApi.itemStyles : [first, ...others],
	});
}
