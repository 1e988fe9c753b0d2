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
import { limitFields } from './endpoint/fields';
import type { ActionCall, Operation } from './operation';
import { isoTime, limitSchema, readParameter } from './parameter';

const MAX_PAGES = 1_000;
/** A day without a time. */
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** What is listed, in words. */
const THINGS: Readonly<Record<ListedResource, string>> = {
	article: 'articles',
	suppression: 'suppressions',
};

function getMany(resource: ListedResource): Operation {
	const things = THINGS[resource];
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
			const { context, itemIndex, provider } = call;
			const all = context.getNodeParameter('returnAll', itemIndex) === true;
			const limit = all ? Infinity : readParameter(call, 'limit', limitSchema);
			const list = listOf(provider, resource);
			const items = await readList(clientFor(call, resource), list, readFilters(call, list), limit);
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
	getMany('article'),
	getMany('suppression'),
];

function clientFor(
	{ context, itemIndex, provider, credential }: ActionCall,
	resource: ListedResource,
): ApiClient {
	return new ApiClient(context, provider, { ...credential, itemIndex, reads: THINGS[resource] });
}

/** The filters that are set. @throws NodeOperationError when one by time holds no time */
function readFilters(call: ActionCall, list: ListApi): IDataObject {
	const given: unknown = call.context.getNodeParameter('filters', call.itemIndex, {});
	const filters = Object.entries(isJsonObject(given) ? given : {}).filter(
		([, value]) => value !== '',
	);
	const times = list.filters.filter(({ type }) => type === 'dateTime').map(({ name }) => name);
	const takenAsWritten = (value: unknown) =>
		list.takesDays === true && typeof value === 'string' && DAY.test(value);
	return Object.fromEntries(
		filters.map(([name, value]) =>
			times.includes(name) && !takenAsWritten(value) ? [name, isoTime(call, value)] : [name, value],
		),
	);
}

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
	const { context, itemIndex, provider } = call;
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
	const client = clientFor(call, 'article');
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
	const client = new ApiClient(context, provider, { ...credential, reads: THINGS[resource] });
	return (await readList(client, list, {}, list.pageSize)).map(list.label);
}
