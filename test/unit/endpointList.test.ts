import { describe, expect, it } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import { EndpointApi, webhookApiOf } from '../../nodes/shared/api/endpoints';
import type { ApiClient } from '../../nodes/shared/api/request';
import { orphansIn } from '../../nodes/shared/registration/observe';

/** Lists in pages, however a provider cuts them. */

const COUNT = 79;
const entries = Array.from({ length: COUNT }, (_, index) => ({
	id: `wh_${index}`,
	url: `https://other-app.example.com/${index}`,
}));

interface Server {
	/** What a page holds at most, whatever is asked for. */
	readonly most: number;
	/** What stands beside the list. */
	readonly more?: (page: number, limit: number) => IDataObject;
	/** The entries of a page, where they are not the next ones. */
	readonly page?: (page: number) => readonly IDataObject[];
}

/** An API whose list is answered by a server of this kind. */
function apiAt({ most, more = () => ({}), page }: Server) {
	let calls = 0;
	const [provider] = metigan;
	if (provider === undefined) throw new Error('Metigan has a product');
	const client: Pick<ApiClient, 'send'> = {
		send: async (_method, _path, { qs = {} }) => {
			calls += 1;
			const [number, limit] = [Number(qs['page']), Number(qs['limit'])];
			const size = Math.min(most, limit);
			const list = page?.(number) ?? entries.slice((number - 1) * size, number * size);
			const body = { webhooks: list, ...more(number, limit) };
			return { kind: 'success', status: 200, body };
		},
	};
	const management = webhookApiOf(provider);
	const api = new EndpointApi(client as ApiClient, management, {
		paths: management.paths,
		itemStyles: management.itemStyles,
		secrets: [],
		installation: {},
	});
	return { api, calls: () => calls };
}

const many = Array.from({ length: 150 }, (_, index) => ({
	id: index,
	url: `https://a.test/${index}`,
}));
const pageOfMany = (page: number) => many.slice((page - 1) * 100, page * 100);
const pagesOf = (limit: number) => Math.ceil(COUNT / limit);

describe('a list whose pages are shorter than asked for is read to its end', () => {
	it.each<[string, Server]>([
		['and nothing says how long it is', { most: 20 }],
		['and a total stands beside it', { most: 20, more: () => ({ total: COUNT }) }],
		[
			'and its pagination has a total',
			{ most: 20, more: () => ({ pagination: { total: COUNT } }) },
		],
		[
			'and its pagination counts pages of the size that was asked for',
			{
				most: 20,
				more: (page, limit) => ({
					pagination: { page, limit, total: COUNT, totalPages: pagesOf(limit) },
				}),
			},
		],
		[
			'and it says that there are more',
			{ most: 20, more: (page) => ({ pagination: { hasMore: page < pagesOf(20) } }) },
		],
		['and each holds one', { most: 1 }],
		['and the total is too large', { most: 20, more: () => ({ total: 1_000 }) }],
		[
			'and the total is no number',
			{ most: 20, more: () => ({ total: 'many', pagination: 'yes' }) },
		],
		[
			'and the first one is the shortest',
			{
				most: 20,
				page: (page) =>
					page === 1
						? entries.slice(0, 3)
						: entries.slice(3 + (page - 2) * 20, 3 + (page - 1) * 20),
			},
		],
	])('%s', async (_what, server) => {
		const { api } = apiAt(server);
		expect((await api.list()).map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
		expect(await api.list(50)).toHaveLength(50);
	});
});

describe('a list', () => {
	it.each<[string, (page: number) => IDataObject]>([
		['of the page', (page) => ({ total: page < 8 ? 10 : 9 })],
		['of nothing', () => ({ pagination: { total: 0 } })],
	])('whose total is that %s is read to its end', async (_what, more) => {
		const { api } = apiAt({ most: 10, more });
		expect(await api.list(10)).toHaveLength(10);
		const { api: full } = apiAt({ most: 100, more, page: pageOfMany });
		expect(await full.list()).toHaveLength(150);
	});

	it('keeps two endpoints with the same id', async () => {
		const same = ['a', 'b'].map((path) => ({ id: 1, url: `https://app.example.com/${path}` }));
		const { api } = apiAt({ most: 100, page: (page) => (page === 1 ? same : []) });
		const list = await api.list();
		expect(list).toHaveLength(2);
		// Nobody knows which of the two a deletion would take.
		const at = { owner: { workflowId: 'wf', nodeId: 'node' }, url: same[0]?.url ?? '' };
		expect(orphansIn(at, list, undefined)).toEqual([]);
		expect(orphansIn(at, list.slice(0, 1), undefined)).toHaveLength(1);
	});

	it('without paging is read twice', async () => {
		const { api, calls } = apiAt({ most: COUNT, page: () => entries });
		expect(await api.list()).toHaveLength(COUNT);
		expect(calls()).toBe(2);
	});

	it('whose pages alternate comes to an end', async () => {
		const { api, calls } = apiAt({
			most: 20,
			page: (page) => (page % 2 === 0 ? entries.slice(0, 20) : entries.slice(20, 40)),
		});
		expect(await api.list()).toHaveLength(40);
		expect(calls()).toBe(3);
	});

	it('is not read beyond its total', async () => {
		const { api, calls } = apiAt({ most: 100, more: () => ({ total: COUNT }) });
		expect(await api.list()).toHaveLength(COUNT);
		expect(calls()).toBe(1);
	});
});
