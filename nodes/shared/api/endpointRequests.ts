import type { IDataObject, NodeApiError } from 'n8n-workflow';

import type { ItemStyle } from '../webhookApi';
import { readEndpointPage, type EndpointPage } from './endpointAnswer';
import type { Installation } from './installation';
import { isMissing, isUnauthorized, type ApiClient, type Attempt, type Call } from './request';

/** What is needed to call the webhook API of an account. */
export interface EndpointAccess {
	/** Collection paths to try in order: the provider's own, or the one a user or a record names. */
	readonly paths: readonly string[];
	/** Styles of addressing one endpoint, in the order to try. */
	readonly itemStyles: readonly [ItemStyle, ...ItemStyle[]];
	/** Texts that must never reach an output. */
	readonly secrets: readonly string[];
	/** What earlier calls have learned; what these learn is added. */
	readonly installation: Installation;
}

/** What a request about one endpoint ended with. */
export interface ItemResult {
	/** The endpoint the request was about. */
	readonly id?: string;
	readonly method: Call['method'];
	readonly path: string;
	readonly attempt: Attempt;
}

/**
 * Sends the requests of `EndpointApi`. An installation may serve only one of the documented paths,
 * and only one of the ways to name an endpoint: both are found out by trying, and remembered.
 */
export class EndpointRequests {
	constructor(
		private readonly client: ApiClient,
		private readonly access: EndpointAccess,
	) {}

	/** The collection path in use. */
	get collectionPath(): string {
		return this.path ?? this.access.paths[0] ?? '/';
	}

	/** The path that answered, where it is one that may be used. */
	private get path(): string | undefined {
		const { paths, installation } = this.access;
		return paths.find((path) => path === installation.path);
	}

	/** One page of the account's endpoints. Finds out which of the documented paths is served. */
	async listPage(qs: IDataObject = {}): Promise<EndpointPage> {
		const paths = [...new Set([this.path ?? this.collectionPath, ...this.access.paths])];
		let refusal: NodeApiError | undefined;
		for (const path of paths) {
			const attempt = await this.client.send({ method: 'GET' }, path, { qs });
			if (attempt.kind === 'success') {
				const page = readEndpointPage(attempt.body);
				if (page === undefined) {
					throw this.client.failure('GET', path, {
						kind: 'unreadable',
						status: attempt.status,
						expected: 'a list of webhook endpoints',
					});
				}
				this.access.installation.path = path;
				return page;
			}
			// At a path that is not the API's, a 401 says nothing about the key: it may ask a person to sign in.
			const ofOtherPath = refusal !== undefined && isUnauthorized(attempt);
			if (!ofOtherPath) refusal = this.client.failure('GET', path, attempt);
			if (!isMissing(attempt)) break;
		}
		if (refusal === undefined) return { endpoints: [], unreadable: [] };
		throw refusal;
	}

	/** Sends a create, once more where another path turns out to be served. */
	async create(body: IDataObject): Promise<Attempt> {
		const send = async () =>
			await this.client.send({ method: 'POST', idempotent: false }, this.collectionPath, { body });
		const attempt = await send();
		return isMissing(attempt) && (await this.findsAnotherPath()) ? await send() : attempt;
	}

	/** Tries the styles an installation may use to address one endpoint, and remembers the one served. */
	async sendToItem(
		callOf: (style: ItemStyle) => Call,
		id: string,
		changes: IDataObject = {},
		suffix = '',
	): Promise<ItemResult> {
		const [first, ...others] = this.styles();
		const tried = new Set([`${callOf(first).method} ${first.id}`]);
		let result = await this.sendWithStyle(first, callOf(first), id, changes, suffix);
		if (isMissing(result.attempt) && (await this.findsAnotherPath())) {
			result = await this.sendWithStyle(first, callOf(first), id, changes, suffix);
		}
		for (const style of others) {
			if (!this.notServed(result.attempt)) break;
			// Styles that differ in their update alone delete in the same way.
			const name = `${callOf(style).method} ${style.id}`;
			if (tried.has(name)) continue;
			tried.add(name);
			const { attempt: former } = result;
			result = await this.sendWithStyle(style, callOf(style), id, changes, suffix);
			const { attempt } = result;
			if (former.kind === 'status' && former.afterLost === true && attempt.kind === 'status') {
				result = { ...result, attempt: { ...attempt, afterLost: true } };
			}
		}
		return result;
	}

	/** Whether a call on one endpoint may not exist in the style that was tried. */
	notServed(attempt: Attempt): boolean {
		// An id in the wrong place is a bad request to an installation that reads it elsewhere.
		const misread =
			this.access.itemStyles.length > 1 && attempt.kind === 'status' && attempt.status === 400;
		return isMissing(attempt) || misread;
	}

	/** The style that answered before comes first. */
	private styles(): readonly [ItemStyle, ...ItemStyle[]] {
		const { itemStyles, installation } = this.access;
		const isServed = ({ id, update }: ItemStyle) =>
			id === installation.itemStyle?.id && update === installation.itemStyle.update;
		const served = itemStyles.find(isServed);
		if (served === undefined) return itemStyles;
		return [served, ...itemStyles.filter((style) => !isServed(style))];
	}

	private async sendWithStyle(
		style: ItemStyle,
		call: Call,
		id: string,
		changes: IDataObject,
		suffix: string,
	): Promise<ItemResult> {
		const path =
			style.id === 'path'
				? `${this.collectionPath}/${encodeURIComponent(id)}${suffix}`
				: `${this.collectionPath}${suffix}`;
		const body = style.id === 'body' ? { ...changes, id } : changes;
		const attempt = await this.client.send(call, path, {
			...(style.id === 'query' ? { qs: { id } } : {}),
			...(Object.keys(body).length === 0 ? {} : { body }),
		});
		if (attempt.kind === 'success') this.access.installation.itemStyle = style;
		return { id, method: call.method, path, attempt };
	}

	/** A 404 may be due to the path: where several are documented, reading the list finds the right one. */
	private async findsAnotherPath(): Promise<boolean> {
		if (this.path !== undefined || this.access.paths.length < 2) return false;
		const assumed = this.collectionPath;
		await this.listPage();
		return this.collectionPath !== assumed;
	}
}
