import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import { isJsonObject } from '../../nodes/shared/jsonObject';
import { asTool as toolOf, metigan, misarBlog, runAction, type ActionNodeCase } from './actionHost';
import { useSandbox } from './useSandbox';

/** Lists that action nodes read, besides those of endpoints. */

const NOW = Date.now();
const HOUR_MS = 3_600_000;

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));

async function itemsOf(action: ActionNodeCase, parameters: INodeParameters, timezone = 'UTC') {
	const { outputs, error } = await runAction(sandbox, action, { parameters, timezone });
	return { error, items: (outputs[0] ?? []).map(({ json }): IDataObject => json) };
}

async function bounce(index: number, more: IDataObject = {}): Promise<void> {
	await sandbox.fire({
		provider: 'metigan',
		event: 'email.bounced',
		timestampMs: NOW - index * HOUR_MS,
		data: { recipient: `${index}@example.com`, ...more },
	});
}

async function publish(index: number, visibility = 'public'): Promise<void> {
	await sandbox.fire({
		provider: 'misarBlog',
		event: 'article.published',
		data: {
			article: {
				id: `art-${index}`,
				slug: `article-${index}`,
				title: `Article ${index}`,
				published_at: new Date(NOW - index * HOUR_MS).toISOString(),
				visibility,
			},
		},
	});
}

const many = (resource: string, more: INodeParameters = {}): INodeParameters => ({
	resource,
	operation: 'getAll',
	returnAll: true,
	...more,
});

/** Operations whose answers have more than ten fields, or nested ones. */
const large: ReadonlyArray<[string, ActionNodeCase, INodeParameters, string]> = [
	['suppressions', metigan, { resource: 'suppression', operation: 'getAll' }, 'email'],
	['articles', misarBlog, { resource: 'article', operation: 'getAll' }, 'id'],
	[
		'one article',
		misarBlog,
		{
			...{ resource: 'article', operation: 'get' },
			article: { __rl: true, mode: 'id', value: 'art-1' },
		},
		'id',
	],
];

describe.each(large)('an answer with many fields (%s)', (_what, action, parameters, id) => {
	const answer = async (more: INodeParameters = {}, as: ActionNodeCase = action) =>
		(await itemsOf(as, { ...parameters, ...more })).items[0] ?? {};
	const asTool = { ...action, node: toolOf(action.node) };

	beforeEach(async () => {
		await bounce(1);
		await publish(1);
	});

	it('is simplified to ten of its fields, none of them nested', async () => {
		const [simple, raw] = [await answer(), await answer({ simplify: false })];
		expect(raw).toMatchObject(simple);
		expect(Object.keys(simple).length).toBeLessThanOrEqual(10);
		expect(Object.keys(raw).length).toBeGreaterThanOrEqual(10);
		expect(Object.keys(simple)[0]).toBe(id);
		const nested = Object.values(simple).filter((value) => isJsonObject(value));
		expect(nested).toEqual([]);
	});

	it('follows the parameter Output in a tool', async () => {
		const [simple, raw] = [await answer(), await answer({ simplify: false })];
		expect(await answer({}, asTool)).toEqual(simple);
		expect(await answer({ output: 'simplified' }, asTool)).toEqual(simple);
		expect(await answer({ output: 'raw' }, asTool)).toEqual(raw);
	});

	it('has the selected fields in a tool, and always its ID', async () => {
		const raw = await answer({ simplify: false });
		const [other = ''] = Object.keys(raw).reverse();
		const selected = await answer({ output: 'selected', fields: [other, id] }, asTool);
		expect(selected).toEqual({ [id]: raw[id], [other]: raw[other] });
		// As an agent fills it in.
		expect(await answer({ output: 'selected', fields: `${other}, none` }, asTool)).toEqual(
			selected,
		);
		expect(await answer({ output: 'selected' }, asTool)).toEqual({ [id]: raw[id] });
	});

	it('offers every field that the API returns', async () => {
		const raw = await answer({ simplify: false });
		const { properties } = action.node.description;
		const choices = properties
			.filter(({ name, displayOptions }) => {
				const { resource, operation } = displayOptions?.show ?? {};
				return (
					name === 'fields' &&
					resource?.includes(String(parameters['resource'])) &&
					operation?.includes(String(parameters['operation']))
				);
			})
			.flatMap(({ options = [] }) => options.map((one) => ('value' in one ? one.value : '')));
		expect(Object.keys(raw).filter((name) => !choices.includes(name))).toEqual([]);
	});
});

describe('the suppressions of Metigan', () => {
	it('are listed as the API returns them, the newest first', async () => {
		await bounce(1);
		await bounce(0, { bounceType: 'soft' });
		const { items } = await itemsOf(metigan, many('suppression'));
		expect(items).toMatchObject([
			{ email: '0@example.com', reason: 'soft_bounce', source: 'bounce_handler' },
			{ email: '1@example.com', reason: 'hard_bounce', bounceCode: '5.1.1', policy: 'allowed' },
		]);
	});

	it('are filtered by the chosen options', async () => {
		for (const index of [0, 30, 60]) await bounce(index);
		await bounce(1, { bounceType: 'soft' });
		const filters = {
			from: new Date(NOW - 40 * HOUR_MS).toISOString(),
			to: new Date(NOW - 20 * HOUR_MS).toISOString(),
			reason: 'hard_bounce',
			source: 'bounce_handler',
		};
		const { items } = await itemsOf(metigan, many('suppression', { filters }));
		expect(items.map(({ email }) => email)).toEqual(['30@example.com']);
	});

	it('are filtered by times in the workflow’s zone, and by days as the API takes them', async () => {
		const filters = { from: '2026-01-10T14:00:00', to: '2026-01-31' };
		await itemsOf(metigan, many('suppression', { filters }), 'Asia/Tokyo');
		const [request] = sandbox.requests();
		const asked = new URL(request?.path ?? '', sandbox.url).searchParams;
		expect(asked.get('from')).toBe('2026-01-10T05:00:00.000Z');
		expect(asked.get('to')).toBe('2026-01-31');
	});

	it.each(['complaint', 'Spam Complaint', 'spam-complaint'])(
		'are filtered by a reason that an agent writes as %j',
		async (reason) => {
			await itemsOf(metigan, many('suppression', { filters: { reason } }));
			const [request] = sandbox.requests();
			const asked = new URL(request?.path ?? '', sandbox.url).searchParams;
			expect(asked.get('reason')).toBe('complaint');
		},
	);

	it('are not filtered by an invalid time', async () => {
		const filters = { from: 'last week' };
		const { error } = await itemsOf(metigan, many('suppression', { filters }));
		expect(error?.message).toContain('"last week" is not a time');
		expect(sandbox.requests()).toEqual([]);
	});

	it.each([
		[true, 450],
		[false, 250],
	])('are read page by page (Return All: %p)', async (returnAll, count) => {
		for (let index = 0; index < 450; index++) await bounce(index);
		const { items } = await itemsOf(metigan, many('suppression', { returnAll, limit: 250 }));
		expect(new Set(items.map(({ email }) => email)).size).toBe(count);
	});

	it('are refused with the message of the API', async () => {
		sandbox.fault({ provider: 'metigan', kind: 'status', status: 500 });
		const { error } = await itemsOf(metigan, many('suppression'));
		expect(error?.message).toMatch(/Metigan/);
	});
});

describe('the articles of Misar.Blog', () => {
	it.each(['data', 'articles'] as const)('are listed from "%s"', async (articleList) => {
		sandbox.setBehaviour('misarBlog', { articleList });
		for (let index = 0; index < 120; index++) await publish(index);
		const { items } = await itemsOf(misarBlog, many('article'));
		expect(items).toHaveLength(120);
		expect(items[0]).toMatchObject({ id: 'art-0', slug: 'article-0', title: 'Article 0' });
	});

	it('are filtered by the chosen options', async () => {
		await publish(0);
		await publish(1, 'paid');
		await publish(9, 'paid');
		const filters = { visibility: 'paid', since: new Date(NOW - 5 * HOUR_MS).toISOString() };
		const { items } = await itemsOf(misarBlog, many('article', { filters }));
		expect(items.map(({ id }) => id)).toEqual(['art-1']);
		const drafts = await itemsOf(misarBlog, many('article', { filters: { status: 'draft' } }));
		expect(drafts.items).toEqual([]);
	});

	it.each([
		// 2026-01-10T05:00:00Z
		['2026-01-10T14:00:00', ['05:00', '06:00']],
		// From Tokyo's midnight on, which is 15:00 of the day before.
		['2026-01-10', ['-09:00', '04:00', '05:00', '06:00']],
		['2026-01-10T05:30:00Z', ['06:00']],
		['={{ DateTime.fromISO("2026-01-10T05:30:00Z") }}', ['06:00']],
		['={{ new Date("2026-01-10T05:30:00Z") }}', ['06:00']],
		['', ['-09:00', '-10:00', '04:00', '05:00', '06:00']],
	])('are filtered by a time in the workflow’s zone, if it has none (%s)', async (since, hours) => {
		for (const hour of ['-10:00', '-09:00', '04:00', '05:00', '06:00']) {
			const published_at = hour.startsWith('-')
				? `2026-01-10T00:00:00${hour.replace('-', '+')}`
				: `2026-01-10T${hour}:00Z`;
			await sandbox.fire({
				provider: 'misarBlog',
				event: 'article.published',
				data: { article: { id: hour, published_at } },
			});
		}
		const filters = { since };
		const { items } = await itemsOf(misarBlog, many('article', { filters }), 'Asia/Tokyo');
		expect(items.map(({ id }) => id).sort()).toEqual(hours);
	});

	it('are not filtered by an invalid time', async () => {
		const filters = { since: 'last week' };
		const { error } = await itemsOf(misarBlog, many('article', { filters }));
		expect(error?.message).toContain('"last week" is not a time');
	});

	it.each(['art-3', 'article-3'])('can be retrieved one at a time (%s)', async (value) => {
		await publish(3);
		const { items } = await itemsOf(misarBlog, {
			resource: 'article',
			operation: 'get',
			article: { __rl: true, mode: 'id', value },
		});
		expect(items).toMatchObject([{ id: 'art-3', content_markdown: '', visibility: 'public' }]);
	});

	it('are reported as missing if they do not exist', async () => {
		const { error } = await itemsOf(misarBlog, {
			resource: 'article',
			operation: 'get',
			article: { __rl: true, mode: 'id', value: 'nobody' },
		});
		expect(error?.message).toContain(
			'There is no published article "nobody". Check the ID or the slug',
		);
	});

	it('have to be chosen to get one', async () => {
		const { error } = await itemsOf(misarBlog, {
			resource: 'article',
			operation: 'get',
			article: { __rl: true, mode: 'id', value: '={{ " " }}' },
		});
		expect(error?.message).toContain('No article is chosen');
	});
});
