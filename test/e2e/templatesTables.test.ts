import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { SECRET } from '../../testkit/publishTrigger';
import type { Settings } from './templateFiles';
import { templateBed } from './templateBed';
import type { Imported } from './templateHost';

/** A template creates its Data Tables when it first needs them, without any setup. */

/** More than two, so that some find no table at the same moment. */
const AT_ONCE = 4;

const bed = templateBed();

beforeEach(async () => {
	await bed.host.dropTables();
});

interface Case {
	readonly template: string;
	readonly settings?: () => Settings;
	/** Starts a run of its own for each number. */
	start(imported: Imported, number: number): Promise<unknown>;
	/** How many rows each table has after {@link AT_ONCE} runs. */
	readonly rows: Readonly<Record<string, number>>;
}

async function mail(event: string, data: object): Promise<void> {
	const [delivery] = await bed.host.sandbox.fire({ provider: 'misar.mail', event, data });
	expect(delivery?.state).toBe('delivered');
}

const reader = (number: number) => `reader${number}@example.com`;
const chat = () => ({ chatWebhookUrl: `${bed.address}/hook` });

const cases: Case[] = [
	{
		template: 'bounces-and-complaints',
		start: async (_, number) => await mail('email.bounced', { email: reader(number) }),
		rows: { soft_bounces: AT_ONCE, suppressed_addresses: 0 },
	},
	{
		template: 'unsubscribe-sync',
		settings: () => ({ crmUrl: `${bed.address}/api/unsubscribes` }),
		start: async (_, number) => await mail('email.unsubscribed', { email: reader(number) }),
		rows: { crm_unsubscribes: AT_ONCE },
	},
	{
		template: 'engagement-scoring',
		start: async (_, number) => await mail('email.opened', { email: reader(number) }),
		rows: { engagement_log: AT_ONCE, reader_scores: AT_ONCE },
	},
	{
		template: 'cross-post-articles',
		settings: () => ({ siteUrl: `${bed.address}/api/posts` }),
		start: async (imported, number) =>
			await bed.host.sandbox.fire({
				provider: 'misarBlog',
				event: 'article.published',
				data: { article: { id: `a${number}`, title: 'First' }, author: { username: 'ada' } },
				url: bed.host.webhookUrl(imported, 'Misar.Blog Trigger', 'misar-blog'),
				secret: SECRET,
			}),
		rows: { cross_posted_articles: AT_ONCE },
	},
	{
		template: 'endpoint-audit',
		settings: chat,
		start: async (imported) => await bed.host.run(imported, 'Every Monday'),
		// Misar has no endpoint.
		rows: { endpoint_inventory: 0 },
	},
	{
		template: 'nothing-missed-blog',
		// No article is as new as that.
		settings: () => ({ ...chat(), since: '2100-01-01' }),
		start: async (imported) => await bed.host.run(imported, 'Every Hour'),
		rows: { announced_articles: 0 },
	},
	{
		template: 'suppressions-metigan',
		settings: () => ({ ...chat(), crmUrl: `${bed.address}/api/suppressions` }),
		start: async (imported) => await bed.host.run(imported, 'Every Hour'),
		// Metigan suppresses nobody.
		rows: { metigan_suppressions: 0 },
	},
	{
		template: 'failed-deliveries',
		settings: chat,
		start: async (imported) => await bed.host.run(imported, 'Every Morning'),
		rows: { failed_deliveries: 0 },
	},
	{
		template: 'run-crashed-executions-again',
		settings: () => ({ ...chat(), n8nUrl: bed.host.n8n.url }),
		start: async (imported) => await bed.host.run(imported, 'Every 5 Minutes'),
		// No run has crashed.
		rows: { crashed_executions: 0 },
	},
];
const tablesOf = ({ rows }: Case) => Object.keys(rows).sort();

describe.each(cases)('$template', (one) => {
	let imported: Imported;

	beforeEach(async () => {
		imported = await bed.host.publish(one.template, one.settings?.());
		expect(await bed.host.tables()).toEqual([]);
	});

	afterEach(async () => {
		await bed.host.n8n.unpublish(imported.id);
	});

	it('creates its tables in the first run and keeps them in the next', async () => {
		await one.start(imported, 1);
		await bed.host.finished(imported, 1);
		const made = await bed.host.tables();
		expect(made.map(({ name }) => name).sort()).toEqual(tablesOf(one));
		await one.start(imported, 2);
		await bed.host.finished(imported, 2);
		expect(await bed.host.tables()).toEqual(expect.arrayContaining(made));
		expect(await bed.host.tables()).toHaveLength(made.length);
	}, 120_000);

	it('creates its tables once if runs begin at the same time', async () => {
		const numbers = Array.from({ length: AT_ONCE }, (_, at) => at);
		await Promise.all(numbers.map(async (number) => await one.start(imported, number)));
		await bed.host.finished(imported, AT_ONCE);
		expect((await bed.host.tables()).map(({ name }) => name).sort()).toEqual(tablesOf(one));
		for (const [table, count] of Object.entries(one.rows)) {
			expect([table, (await bed.host.rows(table)).length]).toEqual([table, count]);
		}
	}, 120_000);

	it('is not confused by tables whose names contain those of its own', async () => {
		await one.start(imported, 1);
		await bed.host.finished(imported, 1);
		const copies = tablesOf(one).map((name) => `${name}_of_last_year`);
		// The table that was changed last is the first that n8n finds.
		for (const name of copies) await bed.host.createTable(name);
		await one.start(imported, 2);
		await bed.host.finished(imported, 2);
		expect((await bed.host.tables()).map(({ name }) => name).sort()).toEqual(
			[...tablesOf(one), ...copies].sort(),
		);
		for (const name of copies) expect(await bed.host.rows(name)).toEqual([]);
	}, 120_000);
});
