import { describe, expect, it } from '@jest/globals';

import type { FireInput } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import { processedData } from '../../testkit/processedData';
import { recordWarnings } from './logs';
import { metigan, misarBlog, type TriggerUnderTest } from './providers';
import {
	SECRET,
	sandbox,
	setTime,
	publish,
	miss,
	mailTo,
	arrive,
	receive,
	restart,
} from './recoveryHost';
import { signBody } from './signBody';

/** The recovery of missed events when n8n is killed, and when its clock is changed. */

describe('a delivery', () => {
	/** Kills n8n in the run of a delivery. */
	async function killedDelivery(
		provider: TriggerUnderTest,
		event: string,
		input: Partial<FireInput>,
	) {
		const { host, close } = await publish({ trigger: provider, events: [event] });
		host.killRuns = true;
		await arrive(host, event, 1, input);
		host.killRuns = false;
		await close();
		return { host, ...(await restart(host)) };
	}

	const article = { id: 'art-1' };
	const bounce = { id: 'msg_1', ...mailTo('a@example.com') };

	it.each([
		['article.published', misarBlog, article],
		['email.bounced', metigan, bounce],
	])('of %s whose run was killed is recovered once', async (event, provider, input) => {
		const { host, tick } = await killedDelivery(provider, event, input);
		expect(await tick(3)).toMatchObject([{ recovered: true }]);
		expect(await tick(4)).toEqual([]);
		expect(await (await restart(host)).tick(5)).toEqual([]);
	});

	it('whose run is still going on is not recovered', async () => {
		const { host, tick } = await publish();
		const begun = new Promise<void>((resolve) => (host.beforeSave = async () => resolve()));
		let finish = () => {};
		const finished = new Promise<void>((resolve) => (finish = resolve));
		const { beforeSave } = host;
		host.beforeSave = async () => {
			await beforeSave();
			host.beforeSave = async () => {};
			await finished;
		};
		const run = arrive(host, 'email.bounced', 1, bounce);
		await begun;
		for (const minute of [3, 20, 70]) expect(await tick(minute)).toEqual([]);
		finish();
		expect(await run).toHaveLength(1);
	});

	it('whose run has failed is not recovered', async () => {
		const { host, close } = await publish();
		host.failRuns = true;
		await arrive(host, 'email.bounced', 1, bounce);
		host.failRuns = false;
		await close();
		expect(await (await restart(host)).tick(3)).toEqual([]);
	});

	it('that is sent again after its run was killed runs once', async () => {
		const { host, tick } = await killedDelivery(metigan, 'email.bounced', bounce);
		expect(await arrive(host, 'email.bounced', 1, bounce)).toHaveLength(1);
		expect(await tick(3)).toEqual([]);
		expect(await (await restart(host)).tick(5)).toEqual([]);
	});

	it('whose killed run is retried by hand does not run again', async () => {
		const { host, tick } = await killedDelivery(metigan, 'email.bounced', bounce);
		const items = host.runs.at(-1) ?? [];
		expect(await tick(3)).toHaveLength(1);
		expect(await host.execute(items, 'retry')).toEqual([[]]);
	});

	it('whose killed run was retried by hand is not recovered', async () => {
		const { host, tick } = await killedDelivery(metigan, 'email.bounced', bounce);
		const [[again] = []] = await host.execute(host.runs.at(-1) ?? [], 'retry');
		expect(again?.json).toMatchObject({ recipient: 'a@example.com' });
		expect(await tick(3)).toEqual([]);
	});
});

describe('a delivery that says neither when it happened nor of which message', () => {
	const { data } = mailTo('a@example.com');
	const event = 'email.bounced';

	/** A bounce of the first minute, and its delivery as Metigan's old API page shows it, in the fourth. */
	async function arriveUntimed(host: ContextHost) {
		setTime(4);
		const body = Buffer.from(JSON.stringify({ type: event, data }));
		const headers = signBody(metigan, { body, event, secret: SECRET });
		return await receive(host, { headers, body });
	}

	it('is recovered once when its run was killed', async () => {
		recordWarnings();
		const { host, close } = await publish();
		await miss(event, 1, { data });
		host.killRuns = true;
		expect(await arriveUntimed(host)).toMatchObject([{ occurredAt: null }]);
		host.killRuns = false;
		await close();
		const { tick } = await restart(host);
		expect(await tick(6)).toMatchObject([{ recovered: true, recipient: 'a@example.com' }]);
		expect(await tick(7)).toEqual([]);
		expect(await (await restart(host)).tick(8)).toEqual([]);
	});

	it('is not recovered when its run has ended', async () => {
		recordWarnings();
		const { host, close } = await publish();
		await miss(event, 1, { data });
		expect(await arriveUntimed(host)).toHaveLength(1);
		await close();
		expect(await (await restart(host)).tick(6)).toEqual([]);
	});

	it('does not run when its event was recovered before', async () => {
		recordWarnings();
		const { host, tick } = await publish();
		await miss(event, 1, { data });
		expect(await tick(3)).toHaveLength(1);
		expect(await arriveUntimed(host)).toEqual([]);
	});
});

describe('the end of a run that n8n’s database did not store', () => {
	it.each([
		['of the only event', 1, 1],
		['of others than the next one', 8, 4],
	])('is noted later, so that nothing runs twice (%s)', async (_, count, refusedFrom) => {
		recordWarnings();
		const { host, tick, close } = await publish();
		const names = Array.from({ length: count }, (__, index) => `${index}@example.com`);
		for (const name of names) await miss('email.bounced', 1, { id: name, ...mailTo(name) });
		let runs = 0;
		host.beforeSave = async () => {
			runs += 1;
			// The first run saves, and the second one asks.
			processedData.broken = runs > 2;
			host.refuseRuns = runs >= 2 + refusedFrom;
		};
		const first = await tick(3);
		processedData.broken = false;
		host.refuseRuns = false;
		host.beforeSave = async () => {};
		const id = String(first[0]?.['recipient']);
		expect(await arrive(host, 'email.bounced', 1, { id, ...mailTo(id) }, 'untold')).toEqual([]);
		const ran = [...first];
		for (const minute of [4, 5, 6]) ran.push(...(await tick(minute)));
		expect(ran.map(({ recipient }) => recipient).sort()).toEqual(names);
		await close();
		expect(await (await restart(host)).tick(8)).toEqual([]);
	});
});

describe('a list that cannot be read to its end', () => {
	it('is reported, and read again from where the last complete one ended', async () => {
		const warnings = recordWarnings();
		const { host, tick } = await publish({ trigger: misarBlog });
		await miss('article.published', 1, { id: 'art-1' });
		expect(await tick(3)).toHaveLength(1);
		const { recovery } = host.remembered;
		const ids = Array.from({ length: 20 }, (_, index) => `art-of-hour-1-${index}`);
		for (const id of ids) await miss('article.published', 60, { id });
		sandbox.setBehaviour('misarBlog', { listCap: 5, listChurn: 'goes' });
		expect(await tick(62)).toHaveLength(20);
		expect(warnings).toEqual([
			'The list of articles could not be read to its end; it is read again at the next check',
		]);
		expect(host.remembered).toMatchObject({ recovery });
		sandbox.setBehaviour('misarBlog', { listCap: 100, listChurn: 'none' });
		await miss('article.published', 2, { id: 'art-2' });
		expect(await tick(63)).toMatchObject([{ data: { article: { id: 'art-2' } } }]);
	});
});

describe('a clock', () => {
	it('that was a year ahead at one check makes no event skipped', async () => {
		const { tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		expect(await tick(3)).toHaveLength(1);
		await tick(365 * 24 * 60);
		for (const minute of [10, 100])
			await miss('email.bounced', minute, mailTo(`${minute}@example.com`));
		expect(await tick(200)).toHaveLength(2);
	});

	it('that was two hours ahead at the publish makes no event skipped', async () => {
		setTime(120);
		const { tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		expect(await tick(3)).toHaveLength(1);
	});

	it('that is behind delays no event', async () => {
		const { tick } = await publish();
		await miss('email.bounced', 300, mailTo('a@example.com'));
		expect(await tick(3)).toHaveLength(1);
		expect(await tick(4)).toEqual([]);
	});

	it('that is set back during a call does not delay anything', async () => {
		const { tick } = await publish({ trigger: misarBlog });
		setTime(365 * 24 * 60);
		for (const id of ['art-1', 'art-2']) await miss('article.published', 1, { id });
		sandbox.fault({
			provider: 'misarBlog',
			kind: 'rewrite',
			rewrite: (answer) => {
				setTime(3);
				return answer;
			},
		});
		expect(await tick(365 * 24 * 60)).toHaveLength(2);
	});
});
