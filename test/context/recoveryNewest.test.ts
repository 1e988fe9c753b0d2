import { describe, expect, it } from '@jest/globals';

import { misarBlog } from './providers';
import {
	arrive,
	callsTo,
	killInRun,
	mailTo,
	miss,
	publish,
	restart,
	sandbox,
	setTime,
	watch,
} from './recoveryHost';

/** The newest events from before the first activation, which start the workflow once where a user wants them. */

const DAY = 24 * 60;
const addressOf = (day: number) => `day-${day}@example.com`;
const recipients = (items: ReadonlyArray<Record<string, unknown>>) =>
	items.map(({ recipient }) => recipient);

/** One bounce a day before the first activation. */
async function bounceDaily(days: number): Promise<void> {
	for (let day = days; day > 0; day--) {
		await miss('email.bounced', -day * DAY, mailTo(addressOf(day)));
	}
}

describe('the newest events from before the first activation', () => {
	it('run in order, and no older ones', async () => {
		await bounceDaily(5);
		const { tick } = await publish({ options: { recoverNewest: 3 } });
		expect(recipients(await tick(3))).toEqual([3, 2, 1].map(addressOf));
		expect(await tick(10)).toEqual([]);
	});

	it('are articles at a provider that lists those', async () => {
		for (const day of [3, 2, 1]) {
			await miss('article.published', -day * DAY, { id: `art-${day}` });
		}
		const { tick } = await publish({ trigger: misarBlog, options: { recoverNewest: 2 } });
		expect(await tick(3)).toMatchObject([
			{ recovered: true, data: { article: { id: 'art-2' } } },
			{ recovered: true, data: { article: { id: 'art-1' } } },
		]);
	});

	it('are all there are if there are fewer', async () => {
		await bounceDaily(2);
		const { tick } = await publish({ options: { recoverNewest: 10 } });
		expect(await tick(3)).toHaveLength(2);
		await miss('email.bounced', 4, mailTo('new@example.com'));
		expect(recipients(await tick(6))).toEqual(['new@example.com']);
	});

	it('do not include what is not selected or comes after the activation', async () => {
		await bounceDaily(2);
		await miss('email.complained', -DAY / 2, { data: { recipient: 'angry@example.com' } });
		const { tick } = await publish({ events: ['email.bounced'], options: { recoverNewest: 1 } });
		await miss('email.bounced', 1, mailTo('new@example.com'));
		expect(recipients(await tick(3))).toEqual([addressOf(1), 'new@example.com']);
	});

	it('include all from the same moment as the oldest of them', async () => {
		for (const name of ['a', 'b', 'c']) {
			await miss('email.bounced', -DAY, mailTo(`${name}@example.com`));
		}
		const { tick } = await publish({ options: { recoverNewest: 2 } });
		expect(recipients(await tick(3))).toHaveLength(3);
		expect(await tick(10)).toEqual([]);
	});

	it('are read from as many pages as hold them', async () => {
		await bounceDaily(450);
		const { tick } = await publish({ options: { recoverNewest: 201 } });
		let count = 0;
		for (let minute = 3; count < 201 && minute < 30; minute++) count += (await tick(minute)).length;
		expect(count).toBe(201);
		// Two pages of 200 to find the oldest one, and two that hold everything since.
		expect(callsTo('/api/suppressions')).toBe(4);
	}, 120_000);

	it('run even if the provider could not be reached at first', async () => {
		await bounceDaily(2);
		const { host, tick } = await publish({ options: { recoverNewest: 1 } });
		sandbox.fault({ provider: 'metigan', kind: 'status', status: 500, times: 1 });
		expect(await tick(3)).toEqual([]);
		setTime(4);
		const again = await restart(host);
		expect(recipients(await again.tick(5))).toEqual([addressOf(1)]);
	});

	it('do not run again after a restart, a publish, or with a higher number', async () => {
		await bounceDaily(3);
		const { host, tick, close } = await publish({ options: { recoverNewest: 1 } });
		expect(await tick(3)).toHaveLength(1);
		await close();
		setTime(4);
		const again = await restart(host);
		expect(await again.tick(5)).toEqual([]);
		await again.close();
		await host.unpublish();
		const options = { recoverMissed: true, checkInterval: 1, recoverNewest: 3 };
		host.restart({
			activation: 'activate',
			parameters: { registration: 'manual', events: ['email.bounced'], options },
		});
		await host.publish();
		const { tick: later } = await watch(host);
		expect(await later(7)).toEqual([]);
	});

	it('do not run for a trigger that has recovered events before', async () => {
		await bounceDaily(2);
		const { host, tick, close } = await publish();
		expect(await tick(3)).toEqual([]);
		await close();
		const options = { recoverMissed: true, checkInterval: 1, recoverNewest: 2 };
		host.restart({ parameters: { registration: 'manual', events: ['email.bounced'], options } });
		await host.publish();
		const { tick: later } = await watch(host);
		expect(await later(5)).toEqual([]);
	});

	it('all run, at most twice, if n8n is killed meanwhile', async () => {
		await bounceDaily(4);
		const first = await publish({ options: { recoverNewest: 3 } });
		const before = first.host.emitted.length;
		// The first run looks up which of them have run.
		const { tick } = await killInRun(first.host, first, 3);
		await tick(5);
		await tick(6);
		const ran = first.host.emitted
			.slice(before)
			.flatMap(({ outputs: [items = []] }) => items.map(({ json }) => String(json['recipient'])));
		expect([...new Set(ran)].sort()).toEqual([1, 2, 3].map(addressOf));
		for (const day of [1, 2, 3]) {
			expect(ran.filter((one) => one === addressOf(day)).length).toBeLessThanOrEqual(2);
		}
	});

	it('run once with their late deliveries', async () => {
		await miss('email.bounced', -1, { id: 'msg_1', ...mailTo('a@example.com') });
		const { host, tick } = await publish({ options: { recoverNewest: 1 } });
		expect(await tick(3)).toHaveLength(1);
		const late = { id: 'msg_1', ...mailTo('a@example.com') };
		setTime(4);
		expect(await arrive(host, 'email.bounced', -1, late, 'untold')).toEqual([]);
	});
});
