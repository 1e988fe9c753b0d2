import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { until } from '../../testkit/n8n-host/poll';
import { outputOf } from '../../testkit/n8n-host/schemas';
import { ORIGIN, SECRET } from '../../testkit/publishTrigger';
import { templateBed } from './templateBed';
import { readTemplate } from './templateFiles';
import type { Imported } from './templateHost';

/** The templates that deliveries start: what is in the tables and at the other system afterwards. */

const WAIT_MS = 60_000;

const bed = templateBed();

/** Has Misar Mail deliver an event to the only endpoint, which has to accept it. */
async function mail(event: string, data: object, more: { id?: string; atMs?: number } = {}) {
	const { id, atMs } = more;
	const deliveries = await bed.host.sandbox.fire({
		provider: 'misar.mail',
		event,
		data,
		envelope: 'E3',
		...(id !== undefined && { id }),
		...(atMs !== undefined && { timestampMs: atMs }),
		// With this scheme an event may be older than its delivery.
		scheme: 'platform',
	});
	expect(deliveries.map(({ state }) => state)).toEqual(['delivered']);
}

/** @returns delivers an event to a template, and waits for the run that it starts */
function delivererTo(imported: Imported) {
	let runs = 0;
	return async (...of: Parameters<typeof mail>) => {
		await mail(...of);
		runs += 1;
		await bed.host.finished(imported, runs);
	};
}

describe('bounces and complaints', () => {
	it('suppress an address for a complaint, a hard bounce or the third soft bounce', async () => {
		const imported = await bed.host.publish('bounces-and-complaints');
		const deliver = delivererTo(imported);
		const suppressed = async () =>
			(await bed.host.rows('suppressed_addresses')).map(({ email, reason }) => [email, reason]);
		const bounce = (email: string, type: string) => ({
			message_id: 'msg_1',
			email,
			bounce_type: type,
			bounce_code: '550',
			bounce_message: 'User unknown',
		});

		await deliver('email.bounced', bounce('Hard@Example.com', 'hard'), { id: 'evt_hard' });
		expect(await bed.host.rows('suppressed_addresses')).toMatchObject([
			{
				email: 'hard@example.com',
				reason: 'hard bounce',
				detail: 'User unknown',
				delivery_id: 'evt_hard',
				occurred_at: expect.stringMatching(/^\d{4}-/),
			},
		]);
		// The documents of Misar Mail write the fields in two ways.
		const camelCase = { messageId: 'msg_1', email: 'camel@example.com', bounceType: 'hard' };
		await deliver('email.bounced', camelCase);
		await deliver('email.complained', { email: 'angry@example.com' });
		const now = Date.now();
		const days = (count: number) => now - count * 24 * 3600 * 1000;
		const soft = bounce('full@example.com', 'soft');
		await deliver('email.bounced', soft, { id: 'evt_old', atMs: days(40) });
		await deliver('email.bounced', soft, { id: 'evt_1', atMs: days(3) });
		await deliver('email.bounced', soft, { id: 'evt_2', atMs: days(2) });
		// Without a type it counts as soft; it is for another address.
		await deliver('email.bounced', { email: 'other@example.com' });
		const before = [
			['hard@example.com', 'hard bounce'],
			['camel@example.com', 'hard bounce'],
			['angry@example.com', 'complaint'],
		];
		expect(await suppressed()).toEqual(before);

		await deliver('email.bounced', soft, { id: 'evt_3' });
		expect(await suppressed()).toEqual([...before, ['full@example.com', 'repeated soft bounces']]);
		expect((await bed.host.rows('soft_bounces')).map(({ delivery_id }) => delivery_id)).toEqual(
			expect.arrayContaining(['evt_old', 'evt_1', 'evt_2', 'evt_3']),
		);
		expect(await bed.host.rows('soft_bounces')).toHaveLength(5);

		// The same once more, as after a restart of n8n that has forgotten the first delivery.
		await bed.host.n8n.restart();
		await deliver('email.bounced', soft, { id: 'evt_3' });
		expect(await bed.host.rows('soft_bounces')).toHaveLength(5);
		expect(await suppressed()).toHaveLength(4);
		await bed.host.n8n.unpublish(imported.id);
	}, 240_000);

	it('do not ignore a delivery that names no address', async () => {
		const imported = await bed.host.publish('bounces-and-complaints');
		await mail('email.bounced', { id: 'msg_1' }, { id: 'evt_anonymous' });
		const found = await bed.host.n8n.waitForExecutions(imported.id, 1, WAIT_MS);
		expect(found.map(({ status }) => status)).toEqual(['error']);
		const { data } = await bed.host.n8n.execution(found.at(-1)?.id ?? '');
		expect(data.resultData.error?.message).toBe('The delivery evt_anonymous names no address');
		await bed.host.n8n.unpublish(imported.id);
	});
});

describe('unsubscribe sync', () => {
	it('reports each unsubscribe to the CRM once, and repeats later what it refused', async () => {
		const imported = await bed.host.publish('unsubscribe-sync', {
			crmUrl: `${bed.address}/api/unsubscribes`,
		});
		const state = async () =>
			(await bed.host.rows('crm_unsubscribes')).map(({ email, synced }) => [email, synced]);

		// Down for a moment: the second try succeeds.
		bed.collector.statuses = [503];
		await mail('email.unsubscribed', { email: 'Ada@Example.com' }, { id: 'evt_ada' });
		await bed.host.finished(imported, 1);
		expect(bed.collector.requests).toHaveLength(2);
		expect(bed.collector.requests.at(-1)).toMatchObject({
			method: 'PUT',
			path: '/api/unsubscribes/ada%40example.com',
			headers: { 'idempotency-key': 'evt_ada' },
			body: {
				email: 'ada@example.com',
				source: 'misar mail',
				unsubscribedAt: expect.stringMatching(/^\d{4}-/),
			},
		});
		expect(await state()).toEqual([['ada@example.com', true]]);

		// Down for longer: it is kept with the reason, and the run does not fail.
		bed.collector.statuses = [503, 503, 503];
		const [delivery] = await bed.host.sandbox.fire({
			provider: 'metigan',
			event: 'email.unsubscribed',
			data: { email: 'bob@example.com', timestamp: new Date().toISOString() },
			url: bed.host.webhookUrl(imported, 'Metigan Trigger', 'metigan'),
			secret: SECRET,
		});
		expect(delivery?.state).toBe('delivered');
		await bed.host.finished(imported, 2);
		expect(bed.collector.requests).toHaveLength(5);
		expect(await state()).toEqual([
			['ada@example.com', true],
			['bob@example.com', false],
		]);
		expect((await bed.host.rows('crm_unsubscribes'))[1]).toMatchObject({
			source: 'metigan',
			last_error: expect.stringMatching(/503|unavailable/i),
		});

		await bed.host.run(imported, 'Every Hour');
		await bed.host.finished(imported, 3);
		expect(bed.collector.requests).toHaveLength(6);
		expect(bed.collector.requests.at(-1)).toMatchObject({
			path: '/api/unsubscribes/bob%40example.com',
		});
		expect(await state()).toEqual([
			['ada@example.com', true],
			['bob@example.com', true],
		]);

		await bed.host.run(imported, 'Every Hour');
		expect(bed.collector.requests).toHaveLength(6);
		await bed.host.n8n.unpublish(imported.id);
	}, 180_000);
});

describe('cross-posting', () => {
	const article = {
		id: '550e8400-e29b-41d4-a716-446655440000',
		slug: 'first',
		title: 'My "First" Article',
		excerpt: 'In short.',
		content_html: '<p>At length.</p>',
		content_markdown: 'At **length**.',
		tags: ['writing'],
		published_at: '2026-04-21T10:00:00.000Z',
		updated_at: '2026-04-21T10:00:00.000Z',
		canonical_url: 'https://www.misar.blog/@ada/articles/first',
	};
	const author = { username: 'ada', display_name: 'Ada' };
	let imported: Imported;
	let runs: number;

	beforeEach(async () => {
		imported = await bed.host.publish('cross-post-articles', {
			siteUrl: `${bed.address}/api/posts`,
		});
		runs = 0;
	});

	afterEach(async () => {
		await bed.host.n8n.unpublish(imported.id);
	});

	async function blog(event: string, changes: object) {
		const [delivery] = await bed.host.sandbox.fire({
			provider: 'misarBlog',
			event,
			data: { article: { ...article, ...changes }, author },
			url: bed.host.webhookUrl(imported, 'Misar.Blog Trigger', 'misar-blog'),
			secret: SECRET,
		});
		expect(delivery?.state).toBe('delivered');
		runs += 1;
		await bed.host.finished(imported, runs);
	}
	const made = () => bed.collector.requests.map(({ method, path }) => `${method} ${path}`);

	it('depends on the visibility of an article', async () => {
		const posted = async () =>
			(await bed.host.rows('cross_posted_articles')).map(({ article_id, visibility }) => [
				article_id,
				visibility,
			]);

		await blog('article.published', { id: 'hidden', visibility: 'webhook_only' });
		expect(bed.collector.requests.at(-1)).toMatchObject({
			method: 'PUT',
			path: '/api/posts/hidden',
			body: {
				title: 'My "First" Article',
				body: 'At **length**.',
				canonicalUrl: null,
				tags: ['writing'],
				author: 'Ada',
				publishedAt: '2026-04-21T10:00:00.000Z',
			},
		});

		bed.collector.statuses = [502];
		await blog('article.published', { id: 'open', visibility: 'public' });
		expect(bed.collector.requests.at(-1)).toMatchObject({
			method: 'PUT',
			path: '/api/posts/open',
			body: { body: 'In short.', canonicalUrl: article.canonical_url },
		});
		// The examples in the documents have no visibility.
		await blog('article.published', { id: 'untold' });
		expect(bed.collector.requests.at(-1)).toMatchObject({ body: { body: 'In short.' } });

		for (const visibility of ['subscribers', 'paid', 'private']) {
			await blog('article.published', { id: visibility, visibility });
		}
		expect(made()).toEqual([
			'PUT /api/posts/hidden',
			'PUT /api/posts/open',
			'PUT /api/posts/open',
			'PUT /api/posts/untold',
		]);
		expect(await posted()).toEqual([
			['hidden', 'webhook_only'],
			['open', 'public'],
			['untold', 'public'],
		]);
	}, 120_000);

	it('follows later changes of an article', async () => {
		await blog('article.published', { id: 'a1', visibility: 'public' });
		await blog('article.updated', { id: 'a1', visibility: 'public', title: 'Revised' });
		expect(bed.collector.requests.at(-1)).toMatchObject({ body: { title: 'Revised' } });
		expect(
			(await bed.host.rows('cross_posted_articles')).filter(
				({ article_id }) => article_id === 'a1',
			),
		).toMatchObject([{ title: 'Revised' }]);

		await blog('article.updated', { id: 'a1', visibility: 'paid' });
		await blog('article.published', { id: 'a2', visibility: 'webhook_only' });
		const emptied = { excerpt: null, content_html: null, tags: null, canonical_url: null };
		await blog('article.deleted', { ...emptied, id: 'a2' });
		await blog('article.deleted', { ...emptied, id: 'never_posted' });
		expect(made()).toEqual([
			'PUT /api/posts/a1',
			'PUT /api/posts/a1',
			'DELETE /api/posts/a1',
			'PUT /api/posts/a2',
			'DELETE /api/posts/a2',
		]);
		const left = (await bed.host.rows('cross_posted_articles')).map(({ article_id }) => article_id);
		expect(left).not.toContain('a1');
		expect(left).not.toContain('a2');
	}, 120_000);
});

describe('engagement scoring', () => {
	it('adds up opens and clicks of people within 90 days', async () => {
		const imported = await bed.host.publish('engagement-scoring');
		const deliver = delivererTo(imported);
		const score = async (wanted: string) =>
			(await bed.host.rows('reader_scores'))
				.filter(({ email }) => email === wanted)
				.map(({ score: points, events, level }) => [points, events, level]);
		const ada = { message_id: 'msg_1', email: 'ada@example.com' };

		await deliver('email.opened', ada, { id: 'evt_open' });
		expect(await score('ada@example.com')).toEqual([[1, 1, 'cold']]);
		await deliver('email.clicked', { ...ada, url: 'https://example.com/' });
		expect(await score('ada@example.com')).toEqual([[6, 2, 'warm']]);
		await deliver('email.opened', { ...ada, machineOpen: true });
		await deliver('email.clicked', { email: 'bob@example.com' });
		const longAgo = Date.now() - 100 * 24 * 3600 * 1000;
		await deliver('email.clicked', ada, { id: 'evt_old', atMs: longAgo });
		expect(await score('ada@example.com')).toEqual([[6, 2, 'warm']]);
		await deliver('email.clicked', { ...ada, email: 'ADA@example.com' });
		expect(await score('ada@example.com')).toEqual([[11, 3, 'hot']]);
		expect(await score('bob@example.com')).toEqual([[5, 1, 'warm']]);

		const logged = async () =>
			(await bed.host.rows('engagement_log')).map(({ delivery_id }) => delivery_id);
		expect(await logged()).toHaveLength(5);
		expect(await logged()).toContain('evt_old');
		await bed.host.run(imported, 'Every Night');
		await until('the old event to be forgotten', WAIT_MS, async () =>
			(await logged()).includes('evt_old') ? undefined : true,
		);
		expect(await logged()).toHaveLength(4);
		// The six deliveries, and the run of the night.
		await bed.host.finished(imported, 7);
		await bed.host.n8n.unpublish(imported.id);
	}, 180_000);
});

describe('many deliveries', () => {
	it('are registered by publishing, verified, and read as by the trigger', async () => {
		const { sandbox } = bed.host;
		const data = {
			product: 'mail',
			baseUrl: sandbox.url,
			apiKey: sandbox.keys['misar.mail'],
			signingSecret: SECRET,
		};
		const account = { type: 'misarApi', data };
		const { nodes, pinData } = readTemplate('webhook-intake');
		const webhookUrl = `${ORIGIN}/webhook/${nodes.find(({ name }) => name === 'Webhook')?.id ?? ''}`;
		const imported = await bed.host.publish(
			'webhook-intake',
			{ webhookUrl },
			{ 'Register Endpoint': account, Receive: account },
		);
		await bed.host.finished(imported, 1);
		const [endpoint] = sandbox.endpoints('misar.mail').filter(({ url }) => url === webhookUrl);
		expect(endpoint).toMatchObject({ active: true, secret: SECRET });

		const fire = { provider: 'misar.mail', event: 'email.bounced', retry: false } as const;
		const to = { ...fire, endpointId: endpoint?.id ?? '' };
		await sandbox.fire({ ...to, id: 'evt_fine', data: { email: 'ada@example.com' } });
		await bed.host.finished(imported, 2);
		await sandbox.fire({ ...to, id: 'evt_fine', data: { email: 'ada@example.com' } });
		await bed.host.finished(imported, 3);
		await sandbox.fire({ ...to, secret: 'whsec_of_a_forger' });
		await bed.host.finished(imported, 4);
		const runs = await bed.host.n8n.executions(imported.id);
		const outputs = await Promise.all(
			runs.map(async ({ id }) => {
				const run = await bed.host.n8n.execution(id);
				for (const item of outputOf(run, 'Webhook')) {
					expect(Object.keys(item)).toEqual(Object.keys(pinData['Webhook']?.[0]?.json ?? {}));
				}
				return [outputOf(run, 'Your Work'), outputOf(run, 'Receive', 1)] as const;
			}),
		);
		expect(outputs.flatMap(([taken]) => taken)).toEqual([
			expect.objectContaining({
				event: 'email.bounced',
				deliveryId: 'evt_fine',
				recipient: 'ada@example.com',
			}),
		]);
		const refused = outputs.flatMap(([, reasons]) => reasons);
		expect(refused.map(({ status, reason }) => [status, reason]).sort()).toEqual([
			[200, 'duplicate'],
			[401, 'signature does not match'],
		]);

		// Publishing again finds the endpoint.
		await bed.host.n8n.unpublish(imported.id);
		await bed.host.n8n.publish(imported.id);
		await bed.host.finished(imported, 5);
		expect(sandbox.endpoints('misar.mail').filter(({ url }) => url === webhookUrl)).toHaveLength(1);
		await bed.host.n8n.unpublish(imported.id);
	}, 120_000);
});
