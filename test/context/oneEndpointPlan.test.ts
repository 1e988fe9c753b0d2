import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { answerWith, type Answer } from './answers';
import { Life } from './life';
import { recordWarnings } from './logs';
import {
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	type TriggerUnderTest,
} from './providers';
import { useSandbox } from './useSandbox';

/** Accounts that have room for one endpoint, or for one with each URL, when another one has to take its place. */

let sandbox: Sandbox;

useSandbox((started) => (sandbox = started));
beforeEach(() => {
	recordWarnings();
});

const FORMER = 'whsec_before_the_change_0123456789';
const typed = [misarMail, mailPanda, metigan];
const issued = [misarReach, misarPost];
const cases = [...typed, ...issued].map((trigger): [string, TriggerUnderTest] => [
	trigger.title,
	trigger,
]);

/** A trigger whose endpoint has to be replaced. */
async function outdated(trigger: TriggerUnderTest): Promise<Life> {
	const life = new Life(sandbox, trigger, { credential: { signingSecret: FORMER } });
	await life.publish();
	if (typed.some(({ provider }) => provider === trigger.provider)) {
		life.host.credential = {
			...life.host.credential,
			signingSecret: 'whsec_after_the_change_9876543210',
			previousSigningSecret: FORMER,
		};
	} else {
		sandbox.changeEndpoint(trigger.provider, life.endpoints[0]?.id ?? '', { active: false });
		answerWith(sandbox, trigger, { status: 404 }, { method: 'PATCH' });
	}
	return life;
}

async function expectOne(life: Life, former: string | undefined): Promise<void> {
	expect(life.endpoints).toMatchObject([{ active: true, url: life.host.webhookUrl }]);
	expect(life.endpoints[0]?.id).not.toBe(former);
	expect(await life.answerTo(life.endpoints[0]?.id)).toBe(200);
}

const refusals: ReadonlyArray<[string, Answer]> = [
	['402', { status: 402 }],
	['409', { status: 409, body: { error: 'URL must be unique' } }],
	['422 and “has already been taken”', { status: 422, body: { url: ['has already been taken'] } }],
	['400 and “duplicate”', { status: 400, body: { message: 'Duplicate webhook URL' } }],
];

describe.each(cases)('if %s refuses a second endpoint', (_title, trigger) => {
	it.each(['check', 'publish'] as const)(
		'because of its plan, a %s leaves exactly the new one',
		async (look) => {
			const life = await outdated(trigger);
			const former = life.endpoints[0]?.id;
			sandbox.setEndpointLimit(trigger.provider, 1);
			await life[look]();
			await expectOne(life, former);
		},
	);

	it.each(refusals)('with %s, a check leaves exactly the new one', async (_what, answer) => {
		const life = await outdated(trigger);
		const former = life.endpoints[0]?.id;
		answerWith(sandbox, trigger, { ...answer, times: 1 }, { method: 'POST' });
		await life.check();
		await expectOne(life, former);
	});

	it.each<[string, Answer]>([
		['refused', { status: 402, times: 1 }],
		['answered with 500', { status: 500, times: 1 }],
	])('and the second create is %s, one endpoint is left in the end', async (_what, second) => {
		const life = await outdated(trigger);
		const former = life.endpoints[0]?.id;
		answerWith(sandbox, trigger, { status: 409, times: 1 }, { method: 'POST' });
		answerWith(sandbox, trigger, second, { method: 'POST' });
		await life.check();
		await life.check();
		await life.check();
		await expectOne(life, former);
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});

	it('for any other reason, the existing one stays', async () => {
		const life = await outdated(trigger);
		const before = life.endpoints;
		answerWith(
			sandbox,
			trigger,
			{ status: 422, body: { error: 'unknown event' } },
			{ method: 'POST' },
		);
		await life.check();
		expect(life.endpoints).toEqual(before);
	});
});

it.each([402, 403] as const)(
	'a plan refusal of Misar Post with %i leads to a replacement as well',
	async (planStatus) => {
		const life = await outdated(misarPost);
		sandbox.setBehaviour('misar.post', { planStatus });
		sandbox.setEndpointLimit('misar.post', 1);
		const former = life.endpoints[0]?.id;
		await life.check();
		await expectOne(life, former);
	},
);

it.each(typed.map((trigger): [string, TriggerUnderTest] => [trigger.title, trigger]))(
	'a delivery of %s signed with the former secret is accepted until an endpoint has the new one',
	async (_title, trigger) => {
		const life = await outdated(trigger);
		const former = life.endpoints[0]?.id;
		answerWith(sandbox, trigger, { status: 500 }, { method: 'DELETE' });
		answerWith(sandbox, trigger, { status: 409 }, { method: 'POST' });
		await life.check();
		expect(await life.answerTo(former)).toBe(200);
	},
);

it.each(cases)(
	'if %s answers a create with the endpoint that already has the URL, that one is kept',
	async (_title, trigger) => {
		const life = await outdated(trigger);
		const [former] = life.endpoints;
		sandbox.fault({
			provider: trigger.provider,
			method: 'POST',
			kind: 'status',
			status: 200,
			body: {
				id: former?.id,
				_id: former?.id,
				url: former?.url,
				events: former?.events,
				active: true,
				secret: former?.secret,
			},
		});
		await life.check();
		expect(life.endpoints.map(({ id }) => id)).toContain(former?.id);
	},
);
