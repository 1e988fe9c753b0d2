import { describe, expect, it } from '@jest/globals';

import { misarMail } from '../../nodes/Misar/mail';
import type { ProblemKind, ProblemSource } from '../../nodes/shared/state/problem';
import { ProblemLog, problemsOf } from '../../nodes/shared/state/problems';

/** What a trigger remembers of problems until it reports them. */

const MINUTE_MS = 60_000;
const QUIET_MS = 15 * MINUTE_MS;
const NOW = Date.parse('2026-03-01T12:00:00Z');
const iso = (afterMs = 0) => new Date(NOW + afterMs).toISOString();
const MAIL = { provider: 'misar', product: 'mail' };
const WORKFLOW = { id: 'wf1', name: 'Bounces', url: 'https://n8n.example.com/workflow/wf1' };
const SOURCE: ProblemSource = {
	provider: misarMail,
	workflow: WORKFLOW,
	timezone: 'Europe/Berlin',
};
/** What a message begins and ends with. */
const IN_WORKFLOW = 'Misar Mail in workflow “Bounces”: ';
const AT_12 = '1 Mar 2026, 13:00 CET';
const AT_12_01 = '1 Mar 2026, 13:01 CET';

interface Kind {
	readonly add: (log: ProblemLog, at: number) => void;
	/** Its fields, besides the kind and the source, after two occurrences a minute apart. */
	readonly says: Record<string, unknown>;
	readonly message: string;
	/** Below the workflow's address. */
	readonly page?: string;
}

const kinds: Record<ProblemKind, Kind> = {
	deliveriesRefused: {
		add: (log, at) => log.refused('signature does not match', at),
		says: {
			count: 2,
			reasons: { 'signature does not match': 2 },
			lastAt: iso(MINUTE_MS),
		},
		message: `2 deliveries were refused between ${AT_12} and ${AT_12_01}: signature does not match. No valid delivery has arrived since n8n started: check the signing secret in the credential.`,
	},
	verifiedByPreviousSecret: {
		add: (log, at) => log.verifiedByPreviousSecret(at),
		says: { count: 2, lastAt: iso(MINUTE_MS) },
		message: `2 deliveries were signed with the previous signing secret, the last at ${AT_12_01}. Enter the new secret at Misar Mail, and keep the previous one in the credential until then. With automatic registration wait for the next check.`,
	},
	endpointRepaired: {
		add: (log, at) => log.repaired(['switchedOff', 'changed'], `wh_${at}`, at),
		says: {
			wrong: ['switchedOff', 'changed'],
			endpointId: `wh_${NOW + MINUTE_MS}`,
			missingTo: iso(MINUTE_MS),
		},
		message: `The webhook endpoint was switched off and had a different URL or different events. It was repaired at ${AT_12_01}. Events before that may be missing: see whether Misar Mail can send them again.`,
	},
	endpointUnreachable: {
		add: (log, at) => log.unreachable('HTTP 500', at),
		says: { reason: 'HTTP 500' },
		message: `The webhook endpoint could not be checked since ${AT_12}: HTTP 500. Deliveries are accepted meanwhile. If this lasts, test the credential in n8n.`,
	},
	endpointLeftBehind: {
		add: (log, at) => log.leftBehind('wh_1', 'https://n8n.example.com/hook', at),
		says: { endpointId: 'wh_1', url: 'https://n8n.example.com/hook' },
		message:
			'Endpoint wh_1 in another account still delivers to https://n8n.example.com/hook, and its deliveries are refused. Delete it in the dashboard of that account.',
	},
	addressUnreachable: {
		add: (log, at) => log.addressUnreachable('HTTP 302', 'https://n8n.example.com/hook', at),
		says: { reason: 'HTTP 302', url: 'https://n8n.example.com/hook' },
		message: 'HTTP 302',
	},
	eventsGivenUp: {
		add: (log, at) => log.givenUp(`evt_${at}`, at),
		says: {
			count: 2,
			deliveryIds: [`evt_${NOW}`, `evt_${NOW + MINUTE_MS}`],
			lastAt: iso(MINUTE_MS),
		},
		message: `Runs of events failed between ${AT_12} and ${AT_12_01}, and Misar Mail will not send these again: evt_${NOW}, evt_${NOW + MINUTE_MS}. Correct the cause and retry the failed executions.`,
		page: '/executions',
	},
	eventsUnknown: {
		add: (log, at) => log.unknownEvent('email.new', at),
		says: { count: 2, events: { 'email.new': 2 }, lastAt: iso(MINUTE_MS) },
		message:
			'Misar Mail sent events that differ from its documentation: email.new (2). Those that are selected have run; look at their items.',
	},
};
const rows = Object.entries(kinds) as Array<[ProblemKind, Kind]>;

describe.each(rows)('%s', (kind, { add, says, message, page = '' }) => {
	it('is combined into one item, with a message that can be sent', () => {
		const log = new ProblemLog();
		add(log, NOW);
		add(log, NOW + MINUTE_MS);
		expect(log.take(kind, SOURCE, NOW + MINUTE_MS)).toEqual({
			problem: kind,
			message: `${IN_WORKFLOW}${message} ${WORKFLOW.url}${page}`,
			...MAIL,
			since: iso(),
			...says,
			workflow: WORKFLOW,
		});
	});

	it('is reported only once', () => {
		const log = new ProblemLog();
		expect(log.take(kind, SOURCE, NOW)).toBeUndefined();
		add(log, NOW);
		expect(log.take(kind, SOURCE, NOW)).toBeDefined();
		expect(log.take(kind, SOURCE, NOW + QUIET_MS)).toBeUndefined();
	});

	it('is held back for 15 minutes after the last report', () => {
		const log = new ProblemLog();
		add(log, NOW);
		log.take(kind, SOURCE, NOW);
		add(log, NOW + 1);
		expect(log.take(kind, SOURCE, NOW + QUIET_MS - 1)).toBeUndefined();
		expect(log.takeAll(SOURCE, NOW + QUIET_MS - 1)).toEqual([]);
		expect(log.takeAll(SOURCE, NOW + QUIET_MS)).toMatchObject([{ problem: kind }]);
	});

	it('does not hold back other kinds', () => {
		const log = new ProblemLog();
		add(log, NOW);
		log.take(kind, SOURCE, NOW);
		for (const [, other] of rows) other.add(log, NOW + 1);
		const taken = log.takeAll(SOURCE, NOW + 1).map(({ problem }) => problem);
		expect(taken).toEqual(rows.map(([name]) => name).filter((name) => name !== kind));
	});
});

describe('refused deliveries', () => {
	const REFUSED_ONCE = `A delivery was refused at ${AT_12}: too old. `;
	const REFUSED_TWICE = `2 deliveries were refused between ${AT_12} and ${AT_12_01}: too old. `;

	it.each<[string, number | undefined, number, string]>([
		[
			'one, and none ever verified',
			undefined,
			1,
			`${REFUSED_ONCE}No valid delivery has arrived since n8n started: check the signing secret in the credential.`,
		],
		[
			'one after a valid one',
			-MINUTE_MS,
			1,
			`${REFUSED_ONCE}The last valid delivery arrived at 1 Mar 2026, 12:59 CET, so this one is probably not from Misar Mail.`,
		],
		[
			'several, with a valid one between them',
			0,
			2,
			`${REFUSED_TWICE}Valid deliveries arrived as well, the last one at ${AT_12}, so these are probably not from Misar Mail.`,
		],
		[
			'several, and no valid one any more',
			-MINUTE_MS,
			2,
			`${REFUSED_TWICE}No valid delivery has arrived since 1 Mar 2026, 12:59 CET. If Misar Mail has sent any, compare the signing secret in the credential with the one at Misar Mail.`,
		],
	])('say who may have sent them: %s', (_what, validAt, times, message) => {
		const log = new ProblemLog();
		if (validAt !== undefined) log.verified(NOW + validAt);
		for (let n = 0; n < times; n++) log.refused('too old', NOW + n * MINUTE_MS);
		const item = log.take('deliveriesRefused', SOURCE, NOW + MINUTE_MS);
		expect(item?.['message']).toBe(`${IN_WORKFLOW}${message} ${WORKFLOW.url}`);
		expect(item?.['lastValidAt']).toBe(validAt === undefined ? undefined : iso(validAt));
	});

	it('name five reasons with their counts, and say how many more there are', () => {
		const log = new ProblemLog();
		for (const reason of ['a', 'a', 'b', 'c', 'd', 'e', 'f', 'g']) log.refused(reason, NOW);
		expect(log.take('deliveriesRefused', SOURCE, NOW)?.['message']).toContain(
			`Deliveries were refused at ${AT_12}: a (2), b, c, d, e and 2 more. `,
		);
	});

	it('that are sent again do not ask to check the signing secret', () => {
		const log = new ProblemLog();
		log.refused('the signing secret cannot be read at the moment', NOW, true);
		const message = String(log.take('deliveriesRefused', SOURCE, NOW)?.['message']);
		expect(message).toContain('Misar Mail sends them again');
		expect(message).not.toContain('check the signing secret');
	});

	it('are counted in full, with at most 50 different reasons', () => {
		const log = new ProblemLog();
		for (let n = 0; n < 10_000; n++) log.refused(`reason ${n % 200}`, NOW);
		const item = log.take('deliveriesRefused', SOURCE, NOW);
		expect(item?.['count']).toBe(10_000);
		expect(Object.values(Object(item?.['reasons']))).toEqual(Array(50).fill(50));
	});
});

describe('ignored events', () => {
	const told = (log: ProblemLog, at = NOW) => log.takeAll(SOURCE, at);

	it('are not a problem by themselves, and are counted in the next problem about unknown events', () => {
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

	it('are counted under at most 50 names of at most 200 characters', () => {
		const log = new ProblemLog();
		for (let n = 0; n < 10_000; n++) log.ignored(`${n % 200}${'x'.repeat(1_000)}`, true, NOW);
		const [item] = told(log);
		expect(item?.['count']).toBe(10_000);
		for (const counts of [item?.['events'], item?.['ignored']]) {
			expect(Object.values(Object(counts))).toEqual(Array(50).fill(50));
			for (const name of Object.keys(Object(counts))) expect(name).toHaveLength(200);
		}
	});

	it('are logged once per name, compared up to a maximum length', () => {
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
	log.unreachable('HTTP 500', NOW);
	log.reachable();
	expect(log.takeAll(SOURCE, NOW)).toEqual([]);
});

describe('a problem with an endpoint', () => {
	it('says between which times events may be missing', () => {
		const log = new ProblemLog();
		log.inOrder(NOW - 30 * MINUTE_MS);
		log.repaired(['switchedOff'], 'wh_1', NOW);
		log.inOrder(NOW);
		log.repaired(['deleted'], 'wh_2', NOW + MINUTE_MS);
		const item = log.take('endpointRepaired', SOURCE, NOW + MINUTE_MS);
		expect(item).toMatchObject({ missingFrom: iso(-30 * MINUTE_MS), missingTo: iso(MINUTE_MS) });
		expect(item?.['message']).toContain(
			`It was repaired at ${AT_12_01}. Events between 1 Mar 2026, 12:30 CET and then may be missing`,
		);
	});

	it('says when the endpoint was last in order, while it cannot be checked', () => {
		const log = new ProblemLog();
		log.inOrder(NOW - MINUTE_MS);
		log.unreachable('HTTP 500', NOW);
		const item = log.take('endpointUnreachable', SOURCE, NOW);
		expect(item).toMatchObject({ since: iso(), lastGoodAt: iso(-MINUTE_MS) });
		expect(item?.['message']).toContain('It was in order at 1 Mar 2026, 12:59 CET. ');
	});
});

it('a time zone that does not exist is replaced by UTC', () => {
	const log = new ProblemLog();
	log.unreachable('HTTP 500', NOW);
	const source = { ...SOURCE, timezone: 'DEFAULT' };
	expect(log.take('endpointUnreachable', source, NOW)?.['message']).toContain(
		'since 1 Mar 2026, 12:00 UTC: HTTP 500',
	);
});

describe('the problem log of a trigger', () => {
	it('is the same at each call, and a different one for each node', () => {
		const log = problemsOf({ workflowId: 'wf1', nodeId: 'a' });
		expect(problemsOf({ workflowId: 'wf1', nodeId: 'a' })).toBe(log);
		expect(problemsOf({ workflowId: 'wf1', nodeId: 'b' })).not.toBe(log);
		expect(problemsOf({ workflowId: 'wf2', nodeId: 'a' })).not.toBe(log);
	});

	it('is forgotten once 1,000 others have been used since', () => {
		const used = problemsOf({ workflowId: 'used', nodeId: '' });
		const unused = problemsOf({ workflowId: 'unused', nodeId: '' });
		for (let n = 0; n < 999; n++) problemsOf({ workflowId: `other ${n}`, nodeId: '' });
		expect(problemsOf({ workflowId: 'unused', nodeId: '' })).toBe(unused);
		expect(problemsOf({ workflowId: 'used', nodeId: '' })).not.toBe(used);
	});
});
