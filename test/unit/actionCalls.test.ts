import { describe, expect, it } from '@jest/globals';
import type { IDataObject, IExecuteFunctions, IHttpRequestOptions, INode } from 'n8n-workflow';
import { z } from 'zod/v4';

import { misarBlog } from '../../nodes/MisarBlog/provider';
import { metigan } from '../../nodes/Metigan/provider';
import { misar } from '../../nodes/Misar/provider';
import { getManyOf } from '../../nodes/shared/action/list';
import { operationsOf } from '../../nodes/shared/action/operations';
import { searchEndpoints } from '../../nodes/shared/action/endpoint/search';
import { readCredential } from '../../nodes/shared/credential';
import type { ActionCall, Provider, ProviderFamily } from '../../nodes/shared/provider';

/** Which requests an operation sends for an item, and how it reads the answers. */

type Reply = (request: Pick<IHttpRequestOptions, 'method' | 'url' | 'qs' | 'body'>) => unknown;

const BASE = 'https://api.example.com';
const [mail] = misar;
const [blog] = misarBlog;
const [metiganProvider] = metigan;

/** @param reply the body of the answer to a request; undefined for 404 */
function contextOf(parameters: IDataObject, credential: IDataObject, reply: Reply) {
	const requests: string[] = [];
	const send = async (_type: string, options: IHttpRequestOptions) => {
		requests.push(`${options.method} ${options.url.slice(BASE.length)}`);
		const body = reply(options);
		return { statusCode: body === undefined ? 404 : 200, headers: {}, body };
	};
	const node = { name: 'Action', type: 'action', parameters } as never as INode;
	const context = {
		helpers: { httpRequestWithAuthentication: send },
		getNode: () => node,
		getTimezone: () => 'Asia/Tokyo',
		getNodeParameter: (name: string, _item: number, fallback?: unknown) =>
			parameters[name] ?? fallback,
		getCurrentNodeParameter: (name: string) => parameters[name],
		getCredentials: async () => ({ baseUrl: BASE, apiKey: 'msk_live_123', ...credential }),
	};
	return { context: context as never as IExecuteFunctions, requests };
}

async function callOf(
	provider: Provider,
	parameters: IDataObject,
	reply: Reply,
	more: IDataObject,
) {
	const { context, requests } = contextOf(parameters, more, reply);
	const credential = await readCredential(context, provider);
	return { context, requests, credential };
}

async function run(
	family: ProviderFamily,
	[resource, operation]: readonly [string, string],
	parameters: IDataObject,
	reply: Reply,
	credential: IDataObject = {},
) {
	const [provider] = family;
	const found = operationsOf(provider).find(
		(candidate) => candidate.resource.value === resource && candidate.value === operation,
	);
	if (found === undefined) throw new Error(`${provider.displayName} has no ${operation}`);
	const { requests, ...call } = await callOf(provider, parameters, reply, credential);
	const full: ActionCall = { ...call, itemIndex: 0, provider, family };
	const ended: { items?: IDataObject[]; error?: string; description?: string } = await found
		.run(full)
		.then(
			(results) => ({ items: results.map(({ json }) => json) }),
			(error: Error & { description?: string }) => ({
				error: error.message,
				...(error.description == null ? {} : { description: error.description }),
			}),
		);
	return { ...ended, requests };
}

const ours = { id: 'wh_1', url: 'https://App.example.com:443/hooks/', events: ['email.sent'] };
const withUrl = { url: 'https://app.example.com/hooks', events: ['email.sent'] };

describe('an article ID', () => {
	it.each(['../keys', 'a?status=draft', 'a#b', 'a/b'])('%j is one segment', async (article) => {
		const { requests } = await run(misarBlog, ['article', 'get'], { article }, () => ({ id: '1' }));
		expect(requests).toEqual([`GET /blog/v1/articles/${encodeURIComponent(article)}`]);
	});

	it.each(['.', '..', '\ud800'])(
		'%j sends no request, not even to another path',
		async (article) => {
			const { requests, error } = await run(misarBlog, ['article', 'get'], { article }, () => ({}));
			expect(error).toContain(`There is no published article "${article}"`);
			expect(requests).toEqual([]);
		},
	);
});

it.each([
	['article', misarBlog, 'GET /blog/v1/articles/7'],
	['endpoint', misar, 'GET /mail/v1/webhooks/7'],
] as const)('an ID of an %s may be a number', async (resource, family, request) => {
	const { requests } = await run(family, [resource, 'get'], { [resource]: 7 }, () => ({ id: 7 }));
	expect(requests).toEqual([request]);
});

it.each<[unknown, RegExp]>([
	['  ', /"email" is empty/],
	[['a@example.com'], /"email" is not text/],
	[7, /"7" is not an email address/],
])('the address %j is refused in words', async (email, message) => {
	const { error } = await run(
		metigan,
		['suppression', 'get'],
		{ email } as IDataObject,
		() => ({}),
	);
	expect(error).toMatch(message);
});

describe('the answer to added addresses', () => {
	const added = ['a@example.com'];
	const add = async (emails: readonly unknown[], reply: Reply) =>
		await run(metigan, ['suppression', 'add'], { emails, reason: 'manual' } as IDataObject, reply);

	it.each([[], null, undefined, { constructor: null }])(
		'is read with %j for those that were on the list',
		async (alreadySuppressed) => {
			const { items } = await add(added, () => ({ data: { added, alreadySuppressed } }));
			expect(items).toMatchObject([{ added, invalid: [] }]);
		},
	);

	it('names what is not an address', async () => {
		const given = [{ email: 'a@example.com' }, ...added];
		const { items } = await add(given, () => ({ data: { added, invalid: ['b@b.test', null] } }));
		expect(items).toMatchObject([{ added, invalid: ['{"email":"a@example.com"}', 'b@b.test'] }]);
	});

	it('says what was added before an answer that cannot be read', async () => {
		const emails = Array.from({ length: 1_001 }, (_, index) => `${index}@example.com`);
		const replies = [{ data: { added: [] } }, '<html>'];
		const ended = await add(emails, () => replies.shift());
		expect(ended.description).toContain('The first 1000 of 1001 addresses were added');
	});
});

it('a suppressed address is one segment', async () => {
	const email = '../keys?a#b@example.com';
	const { requests } = await run(metigan, ['suppression', 'get'], { email }, () => ({}));
	expect(requests).toEqual([`GET /api/suppressions/${encodeURIComponent(email)}`]);
});

it.each(['../keys', 'a?b', 'a#b'])('the endpoint ID %j is one segment', async (endpoint) => {
	const { requests } = await run(misar, ['endpoint', 'delete'], { endpoint }, () => ({}));
	expect(requests).toEqual([`DELETE /mail/v1/webhooks/${encodeURIComponent(endpoint)}`]);
});

describe('an endpoint ID', () => {
	it.each(['../keys', 'a?events=all', 'a#b', 'a/b'])('%j is one segment', async (endpoint) => {
		const { requests } = await run(misar, ['endpoint', 'get'], { endpoint }, () => ({
			id: endpoint,
		}));
		expect(requests).toEqual([`GET /mail/v1/webhooks/${encodeURIComponent(endpoint)}`]);
	});
});

describe('a list', () => {
	const articles = (count: number, published: string) =>
		Array.from({ length: count }, (_, id) => ({
			id: `${published} ${id}`,
			published_at: published,
		}));
	const list = async (pages: ReadonlyArray<readonly IDataObject[]>, parameters: IDataObject) => {
		let page = 0;
		return await run(misarBlog, ['article', 'getAll'], parameters, () => ({
			data: pages[Math.min(page++, pages.length - 1)],
		}));
	};
	const since = { filters: { since: '2036-01-01T00:00:00Z' }, returnAll: true };

	it('is read beyond a page without a match', async () => {
		const pages = [articles(3, '2035-12-31T00:00:00Z'), articles(2, '2036-01-02T00:00:00Z'), []];
		const { items, requests } = await list(pages, since);
		expect(items).toHaveLength(2);
		expect(requests).toHaveLength(3);
	});

	it('ends at the first empty page, and at a page that the server repeats', async () => {
		const page = articles(3, '2036-01-02T00:00:00Z');
		expect((await list([page, []], since)).requests).toHaveLength(2);
		const repeated = await list([page, page], since);
		expect(repeated.requests).toHaveLength(2);
		expect(repeated.items).toHaveLength(3);
	});

	it.each([2083442645, '2083442645', '2036-01-09 10:04:05', '2036-01-09T10:04:05Z'])(
		'is filtered by a time that is written %j',
		async (published_at) => {
			const page = [
				{ id: 'a', published_at },
				{ id: 'b', published_at: { toString: 1 } },
			];
			expect((await list([page, []], since)).items).toMatchObject([{ id: 'a' }]);
		},
	);

	it('may have more entries on a page than a call can have arguments', async () => {
		const page = articles(250_000, '2036-01-02T00:00:00Z');
		expect((await list([page, []], { limit: 1 })).items).toHaveLength(1);
	});

	it.each(['{"status":"draft"}', ['draft'], 7])(
		'is not read with the filters %j',
		async (filters) => {
			const { error, requests } = await list([[]], { filters });
			expect(error).toContain('The parameter "filters" is not an object');
			expect(requests).toEqual([]);
		},
	);

	it.each<[object, string]>([
		[{ since: { toString: 1 } }, 'The timestamp "{"toString":1}" is not a time'],
		[{ status: { toString: 1 } }, '"{"toString":1}" is not one of the choices of Status'],
	])('is not read with the filter %j', async (filters, message) => {
		expect((await list([[]], { filters })).error).toContain(message);
	});

	it.each(['constructor', 'toString', '__proto__'])(
		'has no field %j that only its prototype has',
		async (field) => {
			const parameters = { output: 'selected', fields: [field], limit: 1 };
			const { items } = await list([articles(1, '2036-01-02T00:00:00Z'), []], parameters);
			expect(items).toEqual([{ id: '2036-01-02T00:00:00Z 0' }]);
		},
	);

	it('is read whatever else is among its entries', async () => {
		const { items } = await run(metigan, ['suppression', 'getAll'], { limit: 2 }, () => ({
			data: [null, { email: 'a@example.com' }, 'x'],
		}));
		expect(items).toMatchObject([{ email: 'a@example.com' }]);
	});

	it('is read up to the limit, which has to be a whole number of at least 1', async () => {
		const pages = [articles(3, '2036-01-02T00:00:00Z'), articles(3, '2036-01-01T00:00:00Z'), []];
		const { items, requests } = await list(pages, { limit: 3 });
		expect(items).toHaveLength(3);
		expect(requests).toHaveLength(1);
		for (const limit of [0, -1, 1.5, 'many']) {
			expect((await list(pages, { limit })).error).toMatch(/The parameter "limit" cannot be used/);
		}
	});

	it('offers no Filters where the API has none', () => {
		const resource = { name: 'Tag', value: 'tag', description: 'A tag of the blog' };
		const { properties } = getManyOf(resource, {
			noun: 'tags',
			path: '/blog/v1/tags',
			filters: [],
			query: (_filters, page) => ({ page }),
			output: () => z.object({ id: z.string() }),
			read: () => [],
		});
		expect(properties(blog).map(({ name }) => name)).toEqual(['returnAll', 'limit']);
	});

	it('reads a day as its first moment in the workflow’s time zone where the API takes no days', async () => {
		const pages = [articles(1, '2036-01-09T20:00:00Z'), []];
		const day = (value: string) => ({ filters: { since: value }, returnAll: true });
		expect((await list(pages, day('2036-01-10'))).items).toHaveLength(1);
		expect((await list(pages, day('2036-01-11'))).items).toEqual([]);
		expect((await list(pages, day(''))).items).toHaveLength(1);
	});
});

describe('the delivery log', () => {
	const attempts = [
		{ n: 1, status_code: 200 },
		{ n: 2, status_code: 302 },
		{ n: 3, success: false },
		{ n: 4, ok: true },
		{ n: 5, status: 'failed' },
		{ n: 6, status: '204' },
		{ n: 7, error: 'timeout' },
		{ n: 8, error: '' },
		{ n: 9, success: true, error: 'the first attempt' },
		{ n: 10, status_code: null, success: true },
		{ n: 11, status_code: '', status: 200 },
		{ n: 12, status: { valueOf: 1, toString: 1 }, ok: true },
		null,
	];
	const failed = async (parameters: IDataObject) =>
		(
			await run(
				misar,
				['delivery', 'getAll'],
				{ endpoint: 'wh_1', failedOnly: true, ...parameters },
				() => ({ data: attempts }),
			)
		).items?.map(({ n }) => n);

	it('can be narrowed to failed attempts, which the limit then counts', async () => {
		expect(await failed({ returnAll: true })).toEqual([2, 3, 5, 7]);
		expect(await failed({ limit: 3 })).toEqual([2, 3, 5]);
		expect(await failed({ limit: 3, failedOnly: false })).toEqual([1, 2, 3]);
	});
});

describe('an endpoint', () => {
	it('is found by its URL in any spelling, and left unchanged', async () => {
		const { items, requests } = await run(misar, ['endpoint', 'createOrUpdate'], withUrl, () => ({
			data: [{ ...ours, active: true }],
		}));
		expect(items).toMatchObject([{ id: 'wh_1', result: 'unchanged' }]);
		expect(requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
	});

	it.each([
		['is switched off', { active: false }],
		['has other events', { active: true, events: ['email.opened'] }],
	])('that %s is updated in place, and switched on', async (_what, difference) => {
		const sent: unknown[] = [];
		const { items } = await run(misar, ['endpoint', 'createOrUpdate'], withUrl, (request) => {
			if (request.method === 'PATCH') sent.push(request.body);
			return { data: [{ ...ours, ...difference }] };
		});
		expect(sent).toEqual([{ events: ['email.sent'], active: true }]);
		expect(items).toMatchObject([{ id: 'wh_1', active: true, result: 'updated' }]);
	});

	it.each(['whsec_••••', 'your-secret'])(
		'is not created with the signing secret %s, from the credential or the option',
		async (text) => {
			const create = async (parameters: IDataObject, credential: IDataObject) =>
				await run(
					misar,
					['endpoint', 'create'],
					{ ...withUrl, ...parameters },
					() => ours,
					credential,
				);
			for (const ended of [
				await create({}, { signingSecret: text }),
				await create({ options: { signingSecret: text } }, {}),
			]) {
				expect(ended.error).toMatch(/Signing Secret .*is (?:masked|a placeholder)/);
				expect(ended.requests).toEqual([]);
			}
		},
	);

	it('is created with the secret of the option, or else of the credential, and shows it on request', async () => {
		const secretOf = async (parameters: IDataObject) => {
			let sent: unknown;
			const { items } = await run(
				metigan,
				['endpoint', 'create'],
				{ ...withUrl, events: ['email.bounced'], ...parameters },
				({ body }) => {
					sent = (body as IDataObject)['secret'];
					return ours;
				},
				{ signingSecret: 'whsec_of_the_credential' },
			);
			return [sent, items?.[0]?.['signingSecret']];
		};
		const own = { signingSecret: 'whsec_of_the_parameter' };
		expect(await secretOf({})).toEqual(['whsec_of_the_credential', undefined]);
		expect(await secretOf({ options: own })).toEqual(['whsec_of_the_parameter', undefined]);
		expect(await secretOf({ options: { ...own, includeSecret: true } })).toEqual([
			'whsec_of_the_parameter',
			'whsec_of_the_parameter',
		]);
	});

	it('is not updated when no change is given', async () => {
		const parameters = { endpoint: 'wh_1', updateFields: { customEvents: ' ' } };
		const { error, requests } = await run(misar, ['endpoint', 'update'], parameters, () => ours);
		expect(error).toMatch(/^There is nothing to update/);
		expect(requests).toEqual([]);
	});

	it('is sent only the fields that were set', async () => {
		const sent: unknown[] = [];
		const parameters = { endpoint: ' wh_1 ', updateFields: { active: false } };
		const { items } = await run(misar, ['endpoint', 'update'], parameters, ({ body }) => {
			sent.push(body);
			return ours;
		});
		expect(sent).toEqual([{ active: false }]);
		expect(items).toEqual([{ id: 'wh_1', active: false, updated: true }]);
	});
});

describe('the list of endpoints in the editor', () => {
	const search = async (provider: Provider, parameters: IDataObject, filter: string) => {
		const reply: Reply = ({ url }) =>
			url.endsWith('/v9/hooks') || parameters['options'] === undefined
				? { data: [ours] }
				: undefined;
		const { requests, ...call } = await callOf(provider, parameters, reply, {});
		const found = await searchEndpoints({ ...call, provider, filter } as never);
		return { found, requests };
	};

	it('is read from the path given in the option API Path', async () => {
		const { found, requests } = await search(mail, { options: { apiPath: '/v9/hooks' } }, '');
		expect(found).toHaveLength(1);
		expect(requests).toEqual(['GET /v9/hooks']);
	});

	it.each([
		['app.example', 1],
		['email.sent', 1],
		['wh_1', 1],
		['email.opened', 0],
	])('is searched by URL, event and ID: %s', async (filter, count) => {
		expect((await search(metiganProvider, {}, filter)).found).toHaveLength(count);
	});
});

it('Misar.Blog lists no endpoints, and is not asked for any', async () => {
	const { requests, ...call } = await callOf(blog, {}, () => ({}), {});
	expect(await searchEndpoints({ ...call, provider: blog, filter: '' } as never)).toEqual([]);
	expect(requests).toEqual([]);
});
