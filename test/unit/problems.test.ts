import { describe, expect, it } from '@jest/globals';

import { misarMail } from '../../nodes/Misar/mail';
import { ProblemLog, problemsOf, type ProblemKind } from '../../nodes/shared/state/problems';

/** What a trigger remembers of problems until it reports them. */

const MINUTE_MS = 60_000;
const QUIET_MS = 15 * MINUTE_MS;
const NOW = Date.parse('2026-03-01T12:00:00Z');
const iso = (afterMs = 0) => new Date(NOW + afterMs).toISOString();
const MAIL = { provider: 'misar', product: 'mail' };

interface Kind {
	readonly add: (log: ProblemLog, at: number) => void;
	/** What it says, besides which kind of whom, after two of them a minute apart. */
	readonly says: Record<string, unknown>;
}

const kinds: Record<ProblemKind, Kind> = {
	deliveriesRefused: {
		add: (log, at) => log.refused('signature does not match', at),
		says: {
			count: 2,
			reasons: { 'signature does not match': 2 },
			lastAt: iso(MINUTE_MS),
			validMeanwhile: false,
		},
	},
	verifiedByPreviousSecret: {
		add: (log, at) => log.verifiedByPreviousSecret(at),
		says: { count: 2, lastAt: iso(MINUTE_MS) },
	},
	endpointRepaired: {
		add: (log, at) => log.repaired(['switchedOff', 'changed'], `wh_${at}`, at),
		says: { wrong: ['switchedOff', 'changed'], endpointId: `wh_${NOW + MINUTE_MS}` },
	},
	endpointUnreachable: {
		add: (log, at) => log.unreachable('HTTP 500', NOW - MINUTE_MS, at),
		// Of the first check that failed.
		says: { reason: 'HTTP 500', since: iso(-MINUTE_MS) },
	},
	endpointLeftBehind: {
		add: (log, at) => log.leftBehind('wh_1', 'https://n8n.example.com/hook', at),
		says: { endpointId: 'wh_1', url: 'https://n8n.example.com/hook' },
	},
	eventsGivenUp: {
		add: (log, at) => log.givenUp(`evt_${at}`, at),
		says: {
			count: 2,
			deliveryIds: [`evt_${NOW}`, `evt_${NOW + MINUTE_MS}`],
			lastAt: iso(MINUTE_MS),
		},
	},
	eventsUnknown: {
		add: (log, at) => log.unknownEvent('email.new', at),
		says: { count: 2, events: { 'email.new': 2 }, lastAt: iso(MINUTE_MS) },
	},
};
const rows = Object.entries(kinds) as Array<[ProblemKind, Kind]>;

describe.each(rows)('%s', (kind, { add, says }) => {
	it('is one item of many, whose fields it has', () => {
		const log = new ProblemLog();
		add(log, NOW);
		add(log, NOW + MINUTE_MS);
		expect(log.take(kind, misarMail, NOW + MINUTE_MS)).toEqual({
			problem: kind,
			...MAIL,
			since: iso(),
			...says,
		});
	});

	it('is taken once', () => {
		const log = new ProblemLog();
		expect(log.take(kind, misarMail, NOW)).toBeUndefined();
		add(log, NOW);
		expect(log.take(kind, misarMail, NOW)).toBeDefined();
		expect(log.take(kind, misarMail, NOW + QUIET_MS)).toBeUndefined();
	});

	it('is kept for 15 minutes after the last one', () => {
		const log = new ProblemLog();
		add(log, NOW);
		log.take(kind, misarMail, NOW);
		add(log, NOW + 1);
		expect(log.take(kind, misarMail, NOW + QUIET_MS - 1)).toBeUndefined();
		expect(log.takeAll(misarMail, NOW + QUIET_MS - 1)).toEqual([]);
		expect(log.takeAll(misarMail, NOW + QUIET_MS)).toMatchObject([{ problem: kind }]);
	});

	it('keeps back no other kind', () => {
		const log = new ProblemLog();
		add(log, NOW);
		log.take(kind, misarMail, NOW);
		for (const [, other] of rows) other.add(log, NOW + 1);
		const taken = log.takeAll(misarMail, NOW + 1).map(({ problem }) => problem);
		expect(taken).toEqual(rows.map(([name]) => name).filter((name) => name !== kind));
	});
});

describe('refused deliveries', () => {
	it.each<[string, (log: ProblemLog) => void, boolean]>([
		['before them', (log) => log.verified(NOW - 1), false],
		['after the first of them', () => {}, true],
	])('say whether a valid delivery arrived %s', (_, before, validMeanwhile) => {
		const log = new ProblemLog();
		before(log);
		log.refused('too old', NOW);
		if (validMeanwhile) log.verified(NOW + 1);
		log.refused('too old', NOW + 2);
		expect(log.take('deliveriesRefused', misarMail, NOW + 2)).toMatchObject({ validMeanwhile });
	});

	it('are counted in full, with at most 50 different reasons', () => {
		const log = new ProblemLog();
		for (let n = 0; n < 10_000; n++) log.refused(`reason ${n % 200}`, NOW);
		const item = log.take('deliveriesRefused', misarMail, NOW);
		expect(item?.['count']).toBe(10_000);
		expect(Object.values(Object(item?.['reasons']))).toEqual(Array(50).fill(50));
	});
});

describe('ignored events', () => {
	const told = (log: ProblemLog, at = NOW) => log.takeAll(misarMail, at);

	it('are no problem by themselves, and are counted for the next one of unknown events', () => {
		const log = new ProblemLog();
		for (let n = 0; n < 3; n++) log.ignored('email.opened', false, NOW);
		expect(told(log)).toEqual([]);
		log.ignored('email.new', true, NOW);
		log.unknownEvent('email.bounced', NOW);
		expect(told(log)).toMatchObject([
			{
				problem: 'eventsUnknown',
				count: 2,
				events: { 'email.new': 1, 'email.bounced': 1 },
				ignored: { 'email.opened': 3, 'email.new': 1 },
			},
		]);
		log.unknownEvent('email.bounced', NOW + QUIET_MS);
		expect(told(log, NOW + QUIET_MS)[0]).not.toHaveProperty('ignored');
	});

	it('are counted by at most 50 names of at most 200 characters', () => {
		const log = new ProblemLog();
		for (let n = 0; n < 10_000; n++) log.ignored(`${n % 200}${'x'.repeat(1_000)}`, true, NOW);
		const [item] = told(log);
		expect(item?.['count']).toBe(10_000);
		for (const counts of [item?.['events'], item?.['ignored']]) {
			expect(Object.values(Object(counts))).toEqual(Array(50).fill(50));
			for (const name of Object.keys(Object(counts))) expect(name).toHaveLength(200);
		}
	});

	it('are logged once, by names of bounded length', () => {
		const log = new ProblemLog();
		const long = 'x'.repeat(1_000);
		expect([log.isFirst(long), log.isFirst(long), log.isFirst(`y${long}`)]).toEqual([
			true,
			false,
			true,
		]);
	});
});

it('a provider that answers again is not reported any more', () => {
	const log = new ProblemLog();
	log.unreachable('HTTP 500', NOW, NOW);
	log.reachable();
	expect(log.takeAll(misarMail, NOW)).toEqual([]);
});

describe('the log of a trigger', () => {
	it('is the same at each call, and another for each node', () => {
		const log = problemsOf({ workflowId: 'wf1', nodeId: 'a' });
		expect(problemsOf({ workflowId: 'wf1', nodeId: 'a' })).toBe(log);
		expect(problemsOf({ workflowId: 'wf1', nodeId: 'b' })).not.toBe(log);
		expect(problemsOf({ workflowId: 'wf2', nodeId: 'a' })).not.toBe(log);
	});

	it('is forgotten when 1,000 others were used since', () => {
		const used = problemsOf({ workflowId: 'used', nodeId: '' });
		const unused = problemsOf({ workflowId: 'unused', nodeId: '' });
		for (let n = 0; n < 999; n++) problemsOf({ workflowId: `other ${n}`, nodeId: '' });
		expect(problemsOf({ workflowId: 'unused', nodeId: '' })).toBe(unused);
		expect(problemsOf({ workflowId: 'used', nodeId: '' })).not.toBe(used);
	});
});
