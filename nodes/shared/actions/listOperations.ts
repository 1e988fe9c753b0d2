import type {
	IDataObject,
	ILoadOptionsFunctions,
	INodeListSearchItems,
	INodeProperties,
} from 'n8n-workflow';

import { ApiClient, isMissing } from '../api/request';
import { settingsError } from '../errors';
import { isJsonObject } from '../jsonObject';
import type { ProviderCredential } from '../credential';
import type { ListApi, ListedResource, Provider } from '../provider';
import { limitFields } from './endpointFields';
import type { ActionCall, Operation } from './operation';
import { limitSchema, readParameter } from './parameter';

const MAX_PAGES = 1_000;

function getMany(resource: ListedResource, things: string): Operation {
	return {
		resource,
		value: 'getAll',
		name: 'Get Many',
		action: `Get many ${things}`,
		description: `List the ${things} of the account, the newest first`,
		isDefault: true,
		offered: ({ lists }) => lists?.[resource] && 'documented',
		properties: ({ lists }) => [
			...limitFields(things),
			{
				displayName: 'Filters',
				name: 'filters',
				type: 'collection',
				placeholder: 'Add Filter',
				default: {},
				description: `Which ${things} to list`,
				options: [...(lists?.[resource]?.filters ?? [])],
			},
		],
		run: async (call) => {
			const { context, itemIndex, provider, credential } = call;
			const all = context.getNodeParameter('returnAll', itemIndex) === true;
			const limit = all ? Infinity : readParameter(call, 'limit', limitSchema);
			const filters: unknown = context.getNodeParameter('filters', itemIndex, {});
			const client = new ApiClient(context, provider, { ...credential, itemIndex });
			const list = listOf(provider, resource);
			const items = await readList(client, list, isJsonObject(filters) ? filters : {}, limit);
			return items.map((json) => ({ json }));
		},
	};
}

const ARTICLE: INodeProperties = {
	displayName: 'Article',
	name: 'article',
	type: 'resourceLocator',
	required: true,
	default: { mode: 'list', value: '' },
	description: 'The article to get',
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			placeholder: 'Select an article…',
			typeOptions: { searchListMethod: 'searchArticles', searchable: true },
		},
		{ displayName: 'By ID or Slug', name: 'id', type: 'string', placeholder: 'e.g. my-article' },
	],
};

/** Lists of a provider, besides those of endpoints and deliveries. */
export const listOperations: readonly Operation[] = [
	{
		resource: 'article',
		value: 'get',
		name: 'Get',
		action: 'Get an article',
		description: 'Get one article with its content',
		offered: ({ lists }) => lists?.article && 'documented',
		properties: () => [ARTICLE],
		run: async (call) => [{ json: await getArticle(call) }],
	},
	getMany('article', 'articles'),
	getMany('suppression', 'suppressions'),
];

function listOf({ lists }: Provider, resource: ListedResource): ListApi {
	const list = lists?.[resource];
	if (list === undefined) throw new Error(`There is no list of this kind: ${resource}`);
	return list;
}

/** The newest items that match, `limit` at most. @throws NodeApiError */
async function readList(
	client: ApiClient,
	list: ListApi,
	filters: IDataObject,
	limit: number,
): Promise<IDataObject[]> {
	const { path, pageSize, matches = () => true } = list;
	const found: IDataObject[] = [];
	let former = '';
	for (let number = 0; number < MAX_PAGES && found.length < limit; number++) {
		const qs = list.query(filters, number);
		const attempt = await client.send('GET', path, { qs }, 'always');
		const items = client.valueOf('GET', path, attempt, list.read, 'a list');
		// A server that knows no pages answers with the same one again.
		const text = JSON.stringify(items);
		if (text === former) break;
		former = text;
		found.push(...items.filter((item) => matches(item, filters)));
		if (items.length < pageSize) break;
	}
	return found.slice(0, limit);
}

async function getArticle(call: ActionCall): Promise<IDataObject> {
	const { context, itemIndex, provider, credential } = call;
	const chosen: unknown = context.getNodeParameter('article', itemIndex, '', {
		extractValue: true,
	});
	const id = typeof chosen === 'string' ? chosen.trim() : '';
	if (id === '') {
		throw settingsError(
			context,
			'No article is chosen',
			'Choose one from the list or enter its ID or slug',
		);
	}
	const client = new ApiClient(context, provider, { ...credential, itemIndex });
	const path = `${listOf(provider, 'article').path}/${encodeURIComponent(id)}`;
	const attempt = await client.send('GET', path, {}, 'always');
	if (isMissing(attempt)) {
		throw settingsError(
			context,
			`There is no published article "${id}"`,
			'Check the ID or the slug; drafts cannot be retrieved',
		);
	}
	const read = (body: unknown) => (isJsonObject(body) ? body : undefined);
	return client.valueOf('GET', path, attempt, read, 'an article');
}

/** Entries of a list for a resource locator. */
export async function searchList(
	context: ILoadOptionsFunctions,
	provider: Provider,
	credential: ProviderCredential,
	resource: ListedResource,
): Promise<INodeListSearchItems[]> {
	const { [resource]: list } = provider.lists ?? {};
	if (list?.label === undefined) return [];
	const client = new ApiClient(context, provider, credential);
	return (await readList(client, list, {}, list.pageSize)).map(list.label);
}
