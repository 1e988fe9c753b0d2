import type { IDataObject } from 'n8n-workflow';

/** What a provider's data says about its API for webhook endpoints. */

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
