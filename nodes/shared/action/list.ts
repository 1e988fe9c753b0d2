import type { IDataObject, INodeProperties } from 'n8n-workflow';
import type { z } from 'zod/v4';

import { ApiClient, type ApiContext } from '../api/request';
import { settingsError, shown } from '../errors';
import { isJsonObject } from '../jsonObject';
import type { ActionCall, Operation, Resource } from '../provider';
import { limitFields, readLimit } from './limit';
import { chosenOutput, outputFields, simplifiedOutput, type AnswerFields } from './output';
import { isoTime } from './parameter';

/** A list that a provider's API offers, besides those of endpoints and deliveries. */
export interface ListFacts {
	/** What is listed, in words: the plural. */
	readonly noun: string;
	/** Collection path. */
	readonly path: string;
	/** Parameters of the collection Filters, which a list without filters does not have. */
	readonly filters: readonly INodeProperties[];
	/** Query of page n (from 0) for the filters that are set. */
	readonly query: (filters: IDataObject, number: number) => IDataObject;
	/** Its time filters also accept a day without a time, which stands for the whole day. */
	readonly takesDays?: true;
	/** Applies the filters that the API does not have. */
	readonly matches?: (item: IDataObject, filters: IDataObject) => boolean;
	/** The fields of an item; a choice of them, where they are more than ten. */
	readonly output: (() => z.ZodObject) | AnswerFields;
	/** The items of a page; undefined for an answer that is not as documented. */
	readonly read: (body: unknown) => readonly IDataObject[] | undefined;
}

/** An item of an action node, or the editor, which has no item. */
export interface ListReader extends Pick<ActionCall, 'provider' | 'credential'> {
	readonly context: ApiContext;
	readonly itemIndex?: number;
}

const MAX_PAGES = 1_000;
/** A day without a time. */
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The operation that reads a list of the provider, which its API returns with the newest entry first. */
export function getManyOf(resource: Resource, list: ListFacts): Operation {
	const { noun, output } = list;
	return {
		resource,
		value: 'getAll',
		name: 'Get Many',
		action: `Get many ${noun}`,
		description: `List the ${noun} of the account, the newest first`,
		isDefault: true,
		offered: () => 'documented',
		properties: () => [
			...limitFields(noun),
			...(typeof output === 'function' ? [] : outputFields(output)),
			...filtersField(list),
		],
		output: typeof output === 'function' ? output : () => simplifiedOutput(output),
		run: async (call) => {
			const items = await readList(call, list, readFilters(call, list), readLimit(call));
			const chosen = typeof output === 'function' ? items : items.map(chosenOutput(call, output));
			return chosen.map((json) => ({ json }));
		},
	};
}

/** An empty collection would offer a choice of nothing. */
function filtersField({ noun, filters }: ListFacts): INodeProperties[] {
	if (filters.length === 0) return [];
	return [
		{
			displayName: 'Filters',
			name: 'filters',
			type: 'collection',
			placeholder: 'Add Filter',
			default: {},
			description: `Which ${noun} to list`,
			options: [...filters],
		},
	];
}

/** The API client for a list, or for one entry of it; its errors name what is listed. */
export function listClient(
	{ context, provider, credential, itemIndex }: ListReader,
	{ noun }: Pick<ListFacts, 'noun'>,
): ApiClient {
	return new ApiClient(context, provider, {
		...credential,
		reads: noun,
		...(itemIndex === undefined ? {} : { itemIndex }),
	});
}

/** The newest items that match, `limit` at most. @throws NodeApiError */
export async function readList(
	reader: ListReader,
	list: ListFacts,
	filters: IDataObject,
	limit: number,
): Promise<IDataObject[]> {
	const { path, matches = () => true } = list;
	const client = listClient(reader, list);
	const found: IDataObject[] = [];
	let former = '';
	for (let number = 0; number < MAX_PAGES && found.length < limit; number++) {
		const qs = list.query(filters, number);
		const attempt = await client.send({ method: 'GET' }, path, { qs });
		const items = client.valueOf('GET', path, attempt, list.read, 'a list');
		// A server without paging returns the same page again.
		const text = JSON.stringify(items);
		if (text === former) break;
		former = text;
		// A server without paging may list more than a call can have arguments.
		for (const item of items) if (matches(item, filters)) found.push(item);
		// A page may be shorter than asked for.
		if (items.length === 0) break;
	}
	return found.slice(0, limit);
}

/** The filters that are set. @throws NodeOperationError when a time filter holds no time */
function readFilters(call: ActionCall, list: ListFacts): IDataObject {
	const given: unknown = call.context.getNodeParameter('filters', call.itemIndex, {});
	if (!isJsonObject(given ?? {}) && given !== '') {
		throw settingsError(
			call.context,
			'The parameter "filters" is not an object',
			'Correct it, or the expression that it comes from',
		);
	}
	const filters = Object.entries(isJsonObject(given) ? given : {}).filter(
		([, value]) => value !== '',
	);
	const times = list.filters.filter(({ type }) => type === 'dateTime').map(({ name }) => name);
	const takenAsWritten = (value: unknown) =>
		list.takesDays === true && typeof value === 'string' && DAY.test(value);
	return Object.fromEntries(
		filters.map(([name, value]) => {
			if (times.includes(name) && !takenAsWritten(value)) return [name, isoTime(call, value)];
			const choice = list.filters.find(
				(filter) => filter.name === name && filter.type === 'options',
			);
			return [name, choice === undefined ? value : chosenValue(call, choice, value)];
		}),
	);
}

/** The value of a choice; agents write it as the editor shows it, or with other characters between its words. */
function chosenValue(
	{ context }: ActionCall,
	{ displayName, options = [] }: INodeProperties,
	written: IDataObject[string],
): IDataObject[string] {
	const choices = options.filter((option) => 'value' in option);
	const plain = (text: unknown) =>
		shown(text)
			.toLowerCase()
			.replace(/[^a-z]+/g, ' ')
			.trim();
	const isMeant = (text: unknown) => plain(text) === plain(written);
	const chosen = choices.find(({ name, value }) => isMeant(value) || isMeant(name));
	if (chosen !== undefined) return String(chosen.value);
	throw settingsError(
		context,
		`"${shown(written)}" is not one of the choices of ${displayName}`,
		`Choose one of: ${choices.map(({ value }) => String(value)).join(', ')}`,
	);
}
