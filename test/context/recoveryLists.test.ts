import path from 'node:path';

import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import type * as metiganRecovery from '../../nodes/Metigan/recovery';
import type { Behaviour, FireInput } from '../../sandbox';
import { recordWarnings } from './logs';
import { metigan, misarBlog, type TriggerUnderTest } from './providers';
import {
	arrive,
	killInRun,
	mailTo,
	miss,
	publish,
	restart,
	sandbox,
	setTime,
	type watch,
} from './recoveryHost';

/** Each event runs exactly once, whatever a provider's list is like and whatever happens to n8n. */

const EVENTS = 150;
/** One event in so many arrives as a delivery, and another one late. */
const SHARE = 3;

const { recovery } = jest.requireActual<typeof metiganRecovery>(
	path.join(__dirname, '../../dist/nodes/Metigan/recovery.js'),
);
beforeAll(() => {
	// The sandbox's Metigan states no limit, and a call each second would take minutes.
	Object.assign(recovery, { callsPerMinute: 60_000 });
});

type Trigger = Awaited<ReturnType<typeof watch>>;

interface Accident {
	readonly name: string;
	readonly list?: Partial<Behaviour>;
	/** Which of n8n's runs the first tick dies in. */
	readonly killedInRun?: number;
	/** What the clock says at each tick, in minutes after the start. */
	readonly clock?: (minute: number) => number;
}

const DAY = 24 * 60;
const accidents: readonly Accident[] = [
	{ name: 'caps its pages', list: { listCap: 20 } },
	{ name: 'caps its pages and leaves gaps', list: { listCap: 70, listCapLeavesGaps: true } },
	{ name: 'does not say how long it is', list: { listCap: 40, listTotal: false } },
	{ name: 'repeats a page', list: { listCap: 50, listRepeats: 2 } },
	{ name: 'gets an entry after each page', list: { listCap: 50, listChurn: 'comes' } },
	{ name: 'loses an entry after each page', list: { listCap: 50, listChurn: 'goes' } },
	{ name: 'is ten minutes late', list: { listLateMs: 10 * 60_000 } },
	{ name: 'is read by an n8n that is killed while it asks', killedInRun: 1 },
	{ name: 'is read by an n8n that is killed in a run', killedInRun: 75 },
	{
		name: 'is read by a clock a year ahead at one look',
		clock: (minute) => (minute === 5 ? 365 * DAY : minute),
	},
	{
		name: 'is read by a clock that is set back a day',
		clock: (minute) => (minute > 4 ? minute - DAY : minute),
	},
];
const providers = [
	{ trigger: metigan, event: 'email.bounced' },
	{ trigger: misarBlog, event: 'article.published' },
];

function inputOf(event: string, index: number): Partial<FireInput> {
	return event === 'email.bounced'
		? { id: `msg_${index}`, ...mailTo(`${index}@example.com`) }
		: { id: `art-${index}` };
}

/** What an item's event is about. */
function aboutOf({ recipient, data }: IDataObject): string {
	const { article } = data as { article?: { id: string } };
	return String(recipient ?? article?.id);
}

describe.each(providers)(`${EVENTS} events of $trigger.title`, ({ trigger, event }) => {
	it.each(accidents)(
		'run exactly once each if their list $name',
		async ({ list, killedInRun, clock }) => {
			recordWarnings();
			const { host, ...first } = await publish({ trigger, events: [event] });
			if (list !== undefined) sandbox.setBehaviour(trigger.provider, list);
			const ran = new Map<string, number>();
			const count = (items: readonly IDataObject[]) => {
				for (const item of items) ran.set(aboutOf(item), (ran.get(aboutOf(item)) ?? 0) + 1);
			};
			const inputs = Array.from({ length: EVENTS }, (_, index) => inputOf(event, index));
			for (const [index, input] of inputs.entries()) {
				const minute = 1 + index / EVENTS;
				if (index % SHARE === 0) count(await arrive(host, event, minute, input));
				else await miss(event, minute, input);
			}
			let current: Trigger = first;
			if (killedInRun !== undefined) {
				const before = host.emitted.length;
				current = await killInRun(host, first, killedInRun);
				// Some runs were cut short.
				const ended = host.emitted.slice(before).filter(({ killed }) => !killed);
				count(ended.flatMap(({ outputs: [items = []] }) => items.map(({ json }) => json)));
			}
			for (const minute of [4, 5, 6, 14, 15, 25])
				count(await current.tick(clock?.(minute) ?? minute));
			// Late deliveries, and a start.
			setTime(26);
			for (const [index, input] of inputs.entries()) {
				if (index % SHARE === 1) count(await arrive(host, event, 1 + index / EVENTS, input));
			}
			await current.close();
			current = await restart(host);
			count(await current.tick(clock?.(27) ?? 27));
			const wanted = inputs.map((_, index) =>
				event === 'email.bounced' ? `${index}@example.com` : `art-${index}`,
			);
			expect(wanted.filter((about) => ran.get(about) !== 1)).toEqual([]);
			expect([...ran.values()].filter((times) => times !== 1)).toEqual([]);
		},
		300_000,
	);
});

describe('an event whose list and delivery differ', () => {
	const bounce = (more: Partial<FireInput> = {}) => ({
		id: 'msg_1',
		...mailTo('ada@example.com'),
		...more,
	});
	const article = (published_at?: string | null) => ({
		id: 'art-1',
		data: {
			article: { id: 'art-1', slug: 'a', title: 'A', excerpt: null, published_at },
			author: { username: 'ada', display_name: null },
		},
	});
	const at = (minute: number) => new Date(Date.parse('2036-03-01T12:00:30Z') + minute * 60_000);

	it.each<[string, TriggerUnderTest, string, Partial<Behaviour>, Partial<FireInput>, number]>([
		['in capitals', metigan, 'email.bounced', { listAddresses: 'upperCase' }, bounce(), 1],
		['in message ids', metigan, 'email.bounced', { listMessageIds: false }, bounce(), 1],
		['by 59 seconds', metigan, 'email.bounced', { listMessageIds: false }, bounce(), 1.98],
		['by 3 minutes', metigan, 'email.bounced', { listMessageIds: false }, bounce(), 4],
		['by 3 minutes before', metigan, 'email.bounced', { listMessageIds: false }, bounce(), -2],
		['by an hour, with a message id', metigan, 'email.bounced', {}, bounce(), 61],
		[
			'in a capital of its delivery',
			metigan,
			'email.bounced',
			{ listMessageIds: false },
			bounce(mailTo('Ada@Example.com')),
			1,
		],
		['in their zone', metigan, 'email.bounced', { listTimes: 'offset' }, bounce(), 1],
		[
			'in having a zone',
			metigan,
			'email.bounced',
			{ listTimes: 'withoutZone', listMessageIds: false },
			bounce(),
			1,
		],
		[
			'in the hour of an unsubscribe',
			metigan,
			'email.unsubscribed',
			{},
			{ data: { email: 'ada@example.com' } },
			120,
		],
		[
			'in milliseconds',
			misarBlog,
			'article.published',
			{ listTimes: 'seconds' },
			article('2036-03-01T12:01:30.789Z'),
			1,
		],
		[
			'in the zone of an article',
			misarBlog,
			'article.published',
			{ listTimes: 'offset' },
			article('2036-03-01T12:01:30.000Z'),
			1,
		],
		[
			'in having a zone of an article',
			misarBlog,
			'article.published',
			{ listTimes: 'withoutZone' },
			article(at(1).toISOString()),
			1,
		],
		['in having a time', misarBlog, 'article.published', {}, article(null), 1],
	])(
		'%s runs once, delivered or recovered first',
		async (_, trigger, event, list, sent, minute) => {
			const delivered = { ...sent };
			const happened =
				trigger === misarBlog
					? article('2036-03-01T12:01:30.000Z')
					: bounce(event === 'email.unsubscribed' ? sent : {});
			for (const order of ['delivered', 'recovered'] as const) {
				sandbox.reset();
				setTime(0);
				sandbox.setBehaviour(trigger.provider, list);
				const { host, tick } = await publish({
					trigger,
					events: [event],
					options: { toleranceSeconds: 0 },
				});
				await miss(event, 1, happened);
				const deliver = async () => await arrive(host, event, minute, delivered, 'untold');
				if (order === 'delivered') {
					expect(await deliver()).toHaveLength(1);
					expect(await tick(70)).toEqual([]);
					expect(await (await restart(host)).tick(71)).toEqual([]);
				} else {
					expect(await tick(70)).toHaveLength(1);
					expect(await deliver()).toEqual([]);
				}
			}
		},
	);

	it('counts as another one for the same address an hour later', async () => {
		sandbox.setBehaviour('metigan', { listMessageIds: false });
		const { host, tick } = await publish({ options: { toleranceSeconds: 0 } });
		await miss('email.bounced', 1, bounce());
		expect(await arrive(host, 'email.bounced', 61, bounce({ id: 'msg_2' }), 'untold')).toHaveLength(
			1,
		);
		expect(await tick(70)).toHaveLength(1);
	});
});
