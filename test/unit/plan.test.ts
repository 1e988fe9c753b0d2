import { describe, expect, it } from '@jest/globals';

import { misarMail } from '../../nodes/Misar/mail';
import {
	differencesOf,
	planFor,
	type Desired,
	type Observation,
	type Plan,
} from '../../nodes/shared/registration/plan';
import type { RegistrationRecord } from '../../nodes/shared/state/triggerState';

/** What is decided about an endpoint, for everything that may be seen of it. No server is needed for it. */

const URL = 'https://n8n.example.com/webhook/1/misar';
const ELSEWHERE = 'https://staging.example.com/webhook/1/misar';
const EVENTS = ['email.bounced', 'email.opened'];

const record: RegistrationRecord = {
	workflowId: 'workflow',
	nodeId: 'node',
	product: 'mail',
	endpointId: 'wh_1',
	apiPath: '/mail/v1/webhooks',
	url: URL,
	events: EVENTS,
};
const desired: Desired = {
	provider: misarMail,
	url: URL,
	events: EVENTS,
	secretIsCurrent: true,
	isSameAccount: true,
	canUpdate: true,
};
const own = { id: 'wh_1', url: URL, events: EVENTS, active: true };
const moved = { ...own, url: ELSEWHERE };

type Seen = Pick<Observation, 'own' | 'occupant'>;

interface Row {
	readonly title: string;
	readonly seen?: Seen;
	readonly record?: Partial<RegistrationRecord> | null;
	readonly desired?: Partial<Desired>;
	readonly plan: Plan;
}

const keep: Plan = { do: 'keep' };
const rows: readonly Row[] = [
	{
		title: 'nothing was registered',
		record: null,
		seen: { own: undefined },
		plan: { do: 'create', why: [] },
	},
	{ title: 'all is well', plan: keep },
	{
		title: 'the provider says no more than the id',
		seen: { own: { id: 'wh_1', active: true } },
		plan: keep,
	},
	{
		title: 'the events are listed in another order',
		seen: { own: { ...own, events: [...EVENTS].reverse() } },
		plan: keep,
	},
	{
		title: 'the URL is written in another way',
		seen: { own: { ...own, url: 'https://N8N.example.com:443/webhook/1/misar/' } },
		plan: keep,
	},
	{
		title: 'the answer is about another endpoint',
		seen: { own: 'unclear' },
		plan: { do: 'leave' },
	},
	{
		title: 'the answer is about another endpoint, and the secret has changed',
		seen: { own: 'unclear' },
		desired: { secretIsCurrent: false },
		plan: { do: 'leave' },
	},
	{
		title: 'it is gone',
		seen: { own: 'gone' },
		plan: { do: 'create', why: ['deleted'] },
	},
	{
		title: 'it is gone, and the secret has changed',
		seen: { own: 'gone' },
		desired: { secretIsCurrent: false },
		plan: { do: 'create', why: ['deleted'] },
	},
	{
		title: 'another account does not have it',
		seen: { own: 'gone' },
		desired: { isSameAccount: false },
		plan: { do: 'create', why: ['deleted'], forsake: 'otherAccount' },
	},
	{
		title: 'another API key of the same account finds it',
		desired: { isSameAccount: false },
		plan: keep,
	},
	{
		title: 'another account has another endpoint with its id',
		seen: { own: { ...moved, url: 'https://other-app.example.com/hook' } },
		desired: { isSameAccount: false },
		plan: { do: 'create', why: ['deleted'], forsake: 'otherAccount' },
	},
	{
		title: 'another account has one with its id, and does not say where it delivers to',
		seen: { own: { id: 'wh_1', active: true } },
		desired: { isSameAccount: false },
		plan: { do: 'create', why: ['deleted'], forsake: 'otherAccount' },
	},
	{
		title: 'another API key of the same account shows its URL cut, as it always was',
		seen: { own: { ...own, url: 'https://n8n.example.com/…' } },
		record: { reported: { url: 'https://n8n.example.com/…' } },
		desired: { isSameAccount: false },
		plan: keep,
	},
	{
		title: 'it is switched off',
		seen: { own: { ...own, active: false } },
		plan: { do: 'update', why: ['switchedOff'] },
	},
	{
		title: 'it is switched off, and there is no call to change it',
		seen: { own: { ...own, active: false } },
		desired: { canUpdate: false },
		plan: { do: 'replace', why: ['switchedOff'] },
	},
	{
		title: 'it is shown as switched off although it was replaced for that',
		seen: { own: { ...own, active: false } },
		record: { reported: { active: false } },
		plan: keep,
	},
	{
		title: 'it has fewer events',
		seen: { own: { ...own, events: ['email.bounced'] } },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'its events are shown in another form, as they always were',
		seen: { own: { ...own, events: ['*'] } },
		record: { reported: { events: ['*'] } },
		plan: keep,
	},
	{
		title: 'its events are shown in the form they always had, in a new order',
		seen: { own: { ...own, events: ['ping', ...EVENTS] } },
		record: { reported: { events: [...EVENTS, 'ping'] } },
		plan: keep,
	},
	{
		title: 'its events are shown in capitals',
		seen: { own: { ...own, events: EVENTS.map((name) => name.toUpperCase()) } },
		plan: keep,
	},
	{
		title: 'its URL is shown with an encoded hyphen',
		record: { url: 'https://n8n.example.com/web-hook' },
		desired: { url: 'https://n8n.example.com/web-hook' },
		seen: { own: { ...own, url: 'https://n8n.example.com/web%2dhook' } },
		plan: keep,
	},
	{
		title: 'its events are shown in a new form',
		seen: { own: { ...own, events: ['email.sent'] } },
		record: { reported: { events: ['*'] } },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'its events are shown as always, but the node has others now',
		seen: { own: { ...own, events: ['*'] } },
		record: { reported: { events: ['*'] }, events: ['email.sent'] },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'its URL is shown cut, as it always was',
		seen: { own: { ...own, url: 'https://n8n.example.com/…' } },
		record: { reported: { url: 'https://n8n.example.com/…' } },
		plan: keep,
	},
	{
		title: 'the events are not shown, and the node has others now',
		seen: { own: { id: 'wh_1', active: true } },
		record: { events: ['email.sent'] },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'the secret has changed',
		desired: { secretIsCurrent: false },
		plan: { do: 'replace', why: ['secretChanged'] },
	},
	{
		title: 'the secret has changed, and it is switched off',
		seen: { own: { ...own, active: false } },
		desired: { secretIsCurrent: false },
		plan: { do: 'replace', why: ['switchedOff', 'secretChanged'] },
	},
	{
		title: 'it was moved to an address where nothing answers',
		seen: { own: moved, occupant: 'silence' },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'it was moved to an address where a trigger answers',
		seen: { own: moved, occupant: 'trigger' },
		plan: { do: 'create', why: ['changed'], forsake: 'inUse' },
	},
	{
		title: 'it was moved to an address where something else answers',
		seen: { own: moved, occupant: 'unknown' },
		plan: { do: 'create', why: ['changed'], forsake: 'maybeInUse' },
	},
	{
		title: 'it was registered at another address, where an n8n has no such webhook',
		seen: { own: moved, occupant: 'nobody' },
		record: { url: ELSEWHERE },
		plan: { do: 'update', why: ['changed'] },
	},
	{
		title: 'it was registered at another address, where nothing answers',
		seen: { own: moved, occupant: 'silence' },
		record: { url: ELSEWHERE },
		plan: { do: 'create', why: ['changed'], forsake: 'maybeInUse' },
	},
	{
		title: 'it was registered at another address, where a trigger answers',
		seen: { own: moved, occupant: 'trigger' },
		record: { url: ELSEWHERE },
		plan: { do: 'create', why: ['changed'], forsake: 'inUse' },
	},
	{
		title: 'version 0.1.0 did not keep its URL, and nothing answers where it delivers to',
		seen: { own: moved, occupant: 'silence' },
		record: { url: undefined },
		plan: { do: 'create', why: ['changed'], forsake: 'maybeInUse' },
	},
	{
		title: 'it may be taken, but cannot be changed in place',
		seen: { own: moved, occupant: 'nobody' },
		desired: { canUpdate: false },
		plan: { do: 'replace', why: ['changed'] },
	},
];

describe('what is to be done about an endpoint', () => {
	it.each(rows.map((row): [string, Row] => [row.title, row]))('when %s', (_title, row) => {
		const known = row.record === null ? undefined : { ...record, ...row.record };
		const wanted = known && { ...desired, ...row.desired };
		expect(planFor(row.seen ?? { own }, known, wanted)).toEqual(row.plan);
	});

	it('does not depend on how the events of one name are spelled', () => {
		const spelled = { ...own, events: ['email.opened', 'email.bounced', 'email.bounced'] };
		expect(differencesOf(spelled, record, desired)).toEqual([]);
	});
});
