import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { templateBed } from './templateBed';
import type { Imported } from './templateHost';

/** The templates that read a provider's list every hour, and act on what is new. */

const announcement = z.object({ article: z.object({ title: z.string() }) });

const bed = templateBed();
let imported: Imported;
let runs: number;

beforeEach(async () => {
	bed.host.sandbox.reset();
	await bed.host.dropTables();
	runs = 0;
});

afterEach(async () => {
	await bed.host.n8n.unpublish(imported.id);
});

/** One run, and what the other systems get in it. */
async function run() {
	const before = bed.collector.requests.length;
	await bed.host.run(imported, 'Every Hour');
	runs += 1;
	await bed.host.finished(imported, runs);
	return bed.collector.requests.slice(before);
}

describe('nothing missed: Blog articles', () => {
	async function publish(id: string, published: Date, more: object = {}): Promise<void> {
		const article = {
			id,
			slug: id,
			title: `Title of ${id}`,
			published_at: published.toISOString(),
		};
		await bed.host.sandbox.fire({
			provider: 'misarBlog',
			event: 'article.published',
			data: { article: { ...article, ...more } },
		});
	}
	const announced = async () =>
		(await bed.host.rows('announced_articles')).map(({ article_id, announced: done }) => [
			article_id,
			done,
		]);
	const titles = (requests: Awaited<ReturnType<typeof run>>) =>
		requests.map(({ body }) => announcement.parse(body).article.title);
	const setUp = async (since = '') => {
		imported = await bed.host.publish('nothing-missed-blog', {
			chatWebhookUrl: `${bed.address}/hook`,
			since,
		});
	};

	it('announces what is published after the first run, each article once', async () => {
		await setUp();
		await publish('before', new Date(Date.now() - 60_000));
		expect(await run()).toEqual([]);
		// No webhook comes: the sandbox has no URL to send it to.
		await publish('first', new Date(), { excerpt: 'In short.', tags: ['writing'] });
		await publish('hidden', new Date(), { visibility: 'webhook_only' });
		expect(await run()).toMatchObject([
			{
				method: 'POST',
				path: '/hook',
				headers: { 'idempotency-key': 'first' },
				body: {
					text: expect.stringMatching(/^New article: Title of first https:\/\//),
					article: {
						id: 'first',
						title: 'Title of first',
						excerpt: 'In short.',
						url: expect.stringMatching(/^https:/),
						tags: ['writing'],
						publishedAt: expect.stringMatching(/^\d{4}-/),
					},
				},
			},
		]);
		expect(await announced()).toEqual([['first', true]]);
		await publish('second', new Date());
		expect(titles(await run())).toEqual(['Title of second']);
		expect(await run()).toEqual([]);
		expect(await announced()).toEqual([
			['first', true],
			['second', true],
		]);
	}, 180_000);

	it('announces older articles from the given day on, the oldest first', async () => {
		await setUp('2026-02-01');
		await publish('newest', new Date('2026-03-02T10:00:00Z'));
		await publish('middle', new Date('2026-03-01T10:00:00Z'));
		await publish('oldest', new Date('2026-02-02T10:00:00Z'));
		await publish('too old', new Date('2026-01-30T10:00:00Z'));
		expect(titles(await run())).toEqual(['Title of oldest', 'Title of middle', 'Title of newest']);
	}, 120_000);

	it('repeats only what the chat refused or the API did not return', async () => {
		await setUp('2026-02-01');
		await publish('one', new Date('2026-03-01T10:00:00Z'));
		await publish('two', new Date('2026-03-02T10:00:00Z'));
		await publish('three', new Date('2026-03-03T10:00:00Z'));
		// One article is refused by the chat, another one cannot be retrieved.
		bed.collector.statuses = [503, 503, 503];
		bed.host.sandbox.fault({
			provider: 'misarBlog',
			path: /\/articles\/two$/,
			kind: 'status',
			status: 404,
			times: 3,
		});
		expect(titles(await run())).toEqual([
			...['Title of one', 'Title of one', 'Title of one'],
			'Title of three',
		]);
		expect(await bed.host.rows('announced_articles')).toMatchObject([
			{ article_id: 'one', announced: false, last_error: expect.stringMatching(/503|unavailable/) },
			{
				article_id: 'two',
				announced: false,
				last_error: expect.stringMatching(/no published article "two"/),
			},
			{ article_id: 'three', announced: true, last_error: '' },
		]);
		expect(titles(await run())).toEqual(['Title of one', 'Title of two']);
		expect(await bed.host.rows('announced_articles')).toMatchObject(
			['one', 'two', 'three'].map((article_id) => ({
				article_id,
				announced: true,
				last_error: '',
			})),
		);
		expect(await run()).toEqual([]);
	}, 180_000);
});

describe('suppressions in step with Metigan', () => {
	async function suppress(event: string, email: string): Promise<void> {
		await bed.host.sandbox.fire({ provider: 'metigan', event, data: { email } });
	}

	async function allowAtMetigan(email: string): Promise<void> {
		const path = `/api/suppressions/${encodeURIComponent(email)}`;
		const answer = await fetch(`${bed.host.sandbox.url}${path}`, {
			method: 'DELETE',
			headers: { 'x-api-key': bed.host.sandbox.keys.metigan },
		});
		expect(answer.status).toBe(200);
		await answer.arrayBuffer();
	}
	const state = async () =>
		(await bed.host.rows('metigan_suppressions')).map(({ email, at_metigan }) => [
			email,
			at_metigan,
		]);
	const made = (requests: Awaited<ReturnType<typeof run>>) =>
		requests.map(({ method, path }) => `${method} ${path}`).sort();

	beforeEach(async () => {
		imported = await bed.host.publish('suppressions-metigan', {
			crmUrl: `${bed.address}/crm`,
			chatWebhookUrl: `${bed.address}/hook`,
		});
	});

	it('report each new address to the CRM once', async () => {
		await suppress('email.bounced', 'Ada@Example.com');
		await suppress('email.complained', 'bob@example.com');
		const [first, ...others] = (await run()).sort((a, b) => a.path.localeCompare(b.path));
		expect(first).toMatchObject({
			method: 'PUT',
			path: '/crm/ada%40example.com',
			headers: {
				'idempotency-key': expect.stringMatching(/^ada%40example\.com \d{4}-/),
			},
			body: {
				email: 'ada@example.com',
				reason: 'hard_bounce',
				source: 'bounce_handler',
				suppressedAt: expect.stringMatching(/^\d{4}-/),
			},
		});
		expect(others).toMatchObject([
			{ path: '/crm/bob%40example.com', body: { reason: 'complaint' } },
		]);
		expect(await run()).toEqual([]);
		await suppress('email.unsubscribed', 'cy@example.com');
		expect(made(await run())).toEqual(['PUT /crm/cy%40example.com']);
		expect(new Set(await state())).toEqual(
			new Set(['ada', 'bob', 'cy'].map((name) => [`${name}@example.com`, true])),
		);
	}, 180_000);

	it('keep what the CRM refused for the next hour', async () => {
		await suppress('email.bounced', 'ada@example.com');
		bed.collector.statuses = [500, 500, 500];
		expect(await run()).toHaveLength(3);
		expect(await bed.host.rows('metigan_suppressions')).toMatchObject([
			{ email: 'ada@example.com', at_metigan: false, last_error: expect.stringMatching(/./) },
		]);
		expect(made(await run())).toEqual(['PUT /crm/ada%40example.com']);
		expect(await bed.host.rows('metigan_suppressions')).toMatchObject([
			{ email: 'ada@example.com', at_metigan: true, last_error: '' },
		]);
		expect(await run()).toEqual([]);
	}, 180_000);

	it('report a removed address once, and have the CRM suppress it when it is back', async () => {
		for (const name of ['ada', 'bob', 'cy']) await suppress('email.bounced', `${name}@example.com`);
		expect(await run()).toHaveLength(3);
		await allowAtMetigan('ada@example.com');
		await allowAtMetigan('bob@example.com');
		const requests = await run();
		// Only a report: the CRM is not told to allow anybody.
		expect(made(requests)).toEqual(['POST /hook']);
		expect(requests[0]?.body).toMatchObject({
			text: expect.stringMatching(/^Addresses that Metigan no longer suppresses: 2\./),
			addresses: expect.arrayContaining([
				expect.objectContaining({ email: 'ada@example.com', reason: 'hard_bounce' }),
				expect.objectContaining({ email: 'bob@example.com', reason: 'hard_bounce' }),
			]),
		});
		expect(await run()).toEqual([]);
		await suppress('email.complained', 'ada@example.com');
		expect(made(await run())).toEqual(['PUT /crm/ada%40example.com']);
		expect(new Map((await state()).map(([email, at]) => [email, at]))).toEqual(
			new Map([
				['ada@example.com', true],
				['bob@example.com', false],
				['cy@example.com', true],
			]),
		);
	}, 180_000);

	it('report again what the chat refused, and are not held up by it', async () => {
		await suppress('email.bounced', 'ada@example.com');
		await run();
		await allowAtMetigan('ada@example.com');
		await suppress('email.bounced', 'bob@example.com');
		bed.collector.statuses = [200, 503, 503, 503, 503, 503];
		await bed.host.run(imported, 'Every Hour');
		// The last run failed, so that n8n shows it.
		const all = await bed.host.n8n.executions(imported.id);
		expect(all.map(({ status }) => status)).toContain('error');
		expect(bed.collector.requests.map(({ path }) => path)).toContain('/crm/bob%40example.com');
		expect(new Map((await state()).map(([email, at]) => [email, at]))).toEqual(
			new Map([
				['ada@example.com', true],
				['bob@example.com', true],
			]),
		);
		const before = bed.collector.requests.length;
		await bed.host.run(imported, 'Every Hour');
		expect(made(bed.collector.requests.slice(before))).toEqual(['POST /hook']);
	}, 180_000);

	it('report nothing if Metigan cannot be reached', async () => {
		await suppress('email.bounced', 'ada@example.com');
		await run();
		bed.host.sandbox.fault({ provider: 'metigan', kind: 'status', status: 500, times: 10 });
		await bed.host.run(imported, 'Every Hour');
		expect(bed.collector.requests).toHaveLength(1);
		expect(await state()).toEqual([['ada@example.com', true]]);
	}, 120_000);
});

describe('opt-outs from your CRM to Metigan', () => {
	const suppression = async (email: string) => {
		const answer = await fetch(`${bed.host.sandbox.url}/api/suppressions/${email}`, {
			headers: { 'x-api-key': bed.host.sandbox.keys.metigan },
		});
		return await answer.json();
	};
	const adds = () => bed.host.sandbox.requests().filter(({ method }) => method === 'POST');

	beforeEach(async () => {
		imported = await bed.host.publish('opt-outs-to-metigan', {
			crmUrl: `${bed.address}/crm`,
			emailField: 'mail',
			chatWebhookUrl: `${bed.address}/hook`,
		});
	});

	it('suppress everybody who has opted out once, in as few calls as possible', async () => {
		await bed.host.sandbox.fire({
			provider: 'metigan',
			event: 'email.complained',
			data: { recipient: 'bob@example.com' },
		});
		const many = Array.from({ length: 1_100 }, (_, at) => ({ mail: `r${at}@example.com` }));
		bed.collector.body = [{ mail: 'Ada@example.com' }, { mail: 'bob@example.com' }, ...many];
		expect(await run()).toMatchObject([{ method: 'GET', path: '/crm' }]);
		expect(adds()).toMatchObject([
			{ body: { reason: 'unsubscribe', note: 'Opted out in the CRM' } },
			{ body: { reason: 'unsubscribe' } },
		]);
		const added = await suppression('ada@example.com');
		expect(added).toMatchObject({
			data: { suppression: { reason: 'unsubscribe' }, history: [{ note: 'Opted out in the CRM' }] },
		});
		expect(await run()).toMatchObject([{ path: '/crm' }]);
		expect(await suppression('ada@example.com')).toEqual(added);
		expect(await suppression('bob@example.com')).toMatchObject({
			data: { suppression: { reason: 'complaint' }, history: [{ reason: 'complaint' }] },
		});
	}, 180_000);

	it('report what is not an address, and send the others', async () => {
		bed.collector.body = [{ mail: 'nobody' }, { mail: 'ada@example.com' }, { mail: null }];
		const [, report] = await run();
		expect(report).toMatchObject({
			path: '/hook',
			body: { text: expect.stringMatching(/: 1\. .*: nobody$/), invalid: ['nobody'] },
		});
		expect(await suppression('ada@example.com')).toMatchObject({ data: { suppressed: true } });
	}, 120_000);

	it('do nothing if nobody has opted out', async () => {
		bed.collector.body = [];
		expect(await run()).toMatchObject([{ path: '/crm' }]);
		expect(adds()).toEqual([]);
	}, 120_000);
});
