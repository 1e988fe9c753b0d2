import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox, SandboxEndpoint } from '../../sandbox';
import { answerWith, mapEach, mapEntries, pathOf, rewriteAnswers, type Answer } from './answers';
import { Life } from './life';
import { recordWarnings } from './logs';
import { metigan, misarMail, misarReach, withApi, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** What a provider's answer says of an endpoint: that it is there, that it is gone, or nothing. */

let sandbox: Sandbox;
let warnings: string[];

useSandbox((started) => (sandbox = started));
beforeEach(() => {
	warnings = recordWarnings();
});

const named = (...triggers: TriggerUnderTest[]) =>
	triggers.map((trigger): [string, TriggerUnderTest] => [trigger.title, trigger]);
/** Those with a call for one endpoint, and the others. */
const withGet = named(misarMail, metigan);

const repairs = () => warnings.filter((text) => text.includes('It was repaired'));
const emptyList = (answer: unknown) => mapEntries(answer, () => []);

function addForeign(trigger: TriggerUnderTest): SandboxEndpoint {
	return sandbox.addEndpoint(trigger.provider, {
		url: 'https://other-app.example.com/hook',
		events: [trigger.events[1]],
	});
}

/** An endpoint as any of the providers would describe it. */
const described = ({ id, url, events, active }: SandboxEndpoint) => ({
	id,
	_id: id,
	url,
	events,
	active,
});

describe.each(withGet)('if %s returns the wrong endpoint', (_title, trigger) => {
	it.each([true, false])(
		'neither of the two is touched until the unpublish, which removes ours (listed: %s)',
		async (isListed) => {
			const life = new Life(sandbox, trigger);
			await life.publish();
			const foreign = addForeign(trigger);
			const before = life.endpoints;
			const answer = described(foreign);
			answerWith(sandbox, trigger, { status: 200, body: answer }, { place: 'one' });
			if (!isListed) {
				const others = (answer: unknown) =>
					mapEntries(answer, (list) =>
						list.filter(({ id, _id }) => [id, _id].includes(foreign.id)),
					);
				rewriteAnswers(sandbox, trigger, others, { place: 'list' });
			}
			await life.goOn();
			expect(life.endpoints).toEqual(before);
			expect(life.changes).toEqual(['POST']);
			expect(repairs()).toEqual([]);
			await life.unpublish();
			expect(life.endpoints).toEqual([foreign]);
		},
	);

	it('a later change of the node updates ours alone', async () => {
		const life = new Life(sandbox, trigger);
		await life.publish();
		const foreign = addForeign(trigger);
		answerWith(sandbox, trigger, { status: 200, body: described(foreign) }, { place: 'one' });
		life.host.restart({
			parameters: {
				...trigger.parameters,
				registration: 'automatic',
				events: [trigger.events[1]],
			},
		});
		await life.publish();
		const [first, second, ...rest] = life.endpoints.filter(({ id }) => id !== foreign.id);
		expect(second ?? first).toMatchObject({ events: [trigger.events[1]] });
		expect(rest).toEqual([]);
		expect(life.endpoints).toContainEqual(foreign);
	});
});

describe.each(withApi)(
	'if %s answers a create with another endpoint of the account',
	(_title, trigger) => {
		it.each([true, false])(
			'that one is left alone, and ours is not left behind (URL shown: %p)',
			async (showsUrl) => {
				const life = new Life(sandbox, trigger);
				const foreign = addForeign(trigger);
				const { url, ...rest } = described(foreign);
				sandbox.fault({
					provider: trigger.provider,
					method: 'POST',
					kind: 'rewrite',
					rewrite: () => ({ ...rest, ...(showsUrl ? { url } : {}) }),
				});
				await life.publish();
				expect(life.endpoints).toHaveLength(2);
				const own = life.endpoints.find(({ id }) => id !== foreign.id);
				expect(await life.answerTo(own?.id)).toBe(200);
				await life.check();
				await life.unpublish();
				expect(life.endpoints).toEqual([foreign]);
			},
		);

		it.each<[string, () => void, RegExp]>([
			[
				'is empty',
				() => rewriteAnswers(sandbox, trigger, emptyList, { place: 'list' }),
				/answered the create with another endpoint/,
			],
			['fails', () => answerWith(sandbox, trigger, { status: 500 }, { place: 'list' }), /./],
		])(
			'and the list that follows %s, it is refused, and that one is left alone',
			async (_what, spoilLists, message) => {
				const life = new Life(sandbox, trigger);
				const foreign = addForeign(trigger);
				answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
				sandbox.fault({
					provider: trigger.provider,
					method: 'POST',
					kind: 'rewrite',
					rewrite: () => {
						spoilLists();
						return described(foreign);
					},
				});
				await expect(life.publish()).rejects.toThrow(message);
				expect(life.changes).toEqual(['POST']);
				expect(life.host.remembered).not.toHaveProperty('registration');

				sandbox.clearFaults();
				await life.publish();
				expect(life.endpoints).toHaveLength(2);
				expect(life.endpoints).toContainEqual(foreign);
				await life.unpublish();
				expect(life.endpoints).toEqual([foreign]);
			},
		);
	},
);

const gone: ReadonlyArray<[string, Answer]> = [
	['404', { status: 404 }],
	['410', { status: 410 }],
	['400', { status: 400, body: { error: 'no such endpoint' } }],
	['403', { status: 403, body: { error: 'not your endpoint' } }],
	['422', { status: 422 }],
	['200 with {}', { status: 200, body: {} }],
	['200 with null', { status: 200, body: null }],
	['200 with an empty text', { status: 200, body: '' }],
	['200 with an empty list', { status: 200, body: [] }],
	['200 with no data', { status: 200, body: { success: true, data: null } }],
	['200 with an empty list of data', { status: 200, body: { data: [] } }],
	['204', { status: 204, body: '' }],
];

describe.each(withGet)('if %s says that an endpoint is gone', (_title, trigger) => {
	const lose = async () => {
		const life = new Life(sandbox, trigger);
		await life.publish();
		sandbox.removeEndpoint(trigger.provider, life.endpoints[0]?.id ?? '');
		return life;
	};

	it.each(gone)('a check and a publish register it again: %s', async (_what, answer) => {
		for (const look of ['check', 'publish'] as const) {
			const life = await lose();
			answerWith(sandbox, trigger, answer, { place: 'one' });
			await life[look]();
			expect(life.endpoints).toHaveLength(1);
			expect(await life.answerTo(life.endpoints[0]?.id)).toBe(200);
			await life.check();
			await life.unpublish();
			expect(life.endpoints).toEqual([]);
			sandbox.clearFaults();
		}
	});

	it.each(gone)('the unpublish forgets it: %s', async (_what, answer) => {
		const life = await lose();
		answerWith(sandbox, trigger, answer, { place: 'one' });
		answerWith(sandbox, trigger, answer, { place: 'one', method: 'DELETE' });
		await life.unpublish();
		expect(life.host.remembered).not.toHaveProperty('registration');
	});
});

describe.each(withApi)(
	'if %s answers the DELETE of an endpoint that is gone',
	(_title, trigger) => {
		it.each(gone.filter(([what]) => what !== '403'))(
			'with %s, the unpublish forgets it',
			async (_what, answer) => {
				const life = new Life(sandbox, trigger);
				await life.publish();
				// The list still shows it when it is asked first.
				answerWith(sandbox, trigger, answer, { method: 'DELETE' });
				sandbox.fault({
					provider: trigger.provider,
					method: 'GET',
					path: pathOf(trigger, 'list'),
					kind: 'delay',
				});
				sandbox.removeEndpoint(trigger.provider, life.endpoints[0]?.id ?? '');
				await life.unpublish();
				expect(life.host.remembered).not.toHaveProperty('registration');
			},
		);
	},
);

describe.each(withApi)('a lagging replica of %s that shows nothing', (_title, trigger) => {
	const lag = () => {
		answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
		rewriteAnswers(sandbox, trigger, emptyList, { place: 'list' });
	};

	it.each([1, 2])(
		'in %i checks leaves one endpoint in the end, and none after the unpublish',
		async (checks) => {
			const life = new Life(sandbox, trigger);
			await life.publish();
			lag();
			answerWith(sandbox, trigger, { status: 404 }, { method: 'DELETE' });
			for (let check = 0; check < checks; check++) await life.check();
			sandbox.clearFaults();
			await life.check();
			await life.check();
			expect(life.endpoints).toHaveLength(1);
			expect(await life.answerTo(life.endpoints[0]?.id)).toBe(200);
			await life.unpublish();
			expect(life.endpoints).toEqual([]);
		},
	);

	it.each(['publish', 'start'] as const)('at a %s leaves one endpoint in the end', async (what) => {
		const life = new Life(sandbox, trigger);
		await life.publish();
		lag();
		answerWith(sandbox, trigger, { status: 404 }, { method: 'DELETE' });
		await life[what]();
		sandbox.clearFaults();
		await life.check();
		await life.check();
		expect(life.endpoints).toHaveLength(1);
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});

	it('in one check leaves nothing when the workflow is unpublished right after it', async () => {
		const life = new Life(sandbox, trigger);
		await life.publish();
		lag();
		await life.check();
		sandbox.clearFaults();
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});

	it('in one check leaves nothing although the list masks its URLs', async () => {
		const life = new Life(sandbox, trigger);
		rewriteAnswers(
			sandbox,
			trigger,
			mapEach((entry) => ({ ...entry, url: 'https://n8n.example.com/****' })),
		);
		await life.publish();
		sandbox.clearFaults();
		lag();
		await life.check();
		sandbox.clearFaults();
		rewriteAnswers(
			sandbox,
			trigger,
			mapEach((entry) => ({ ...entry, url: 'https://n8n.example.com/****' })),
		);
		await life.check();
		expect(life.endpoints).toHaveLength(1);
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});
});

describe.each(withApi)(
	'an endpoint that %s did not show after it was created',
	(_title, trigger) => {
		it.each([true, false])(
			'is registered again after an unpublish that removed it but failed (shown by then: %s)',
			async (isShown) => {
				const life = new Life(sandbox, trigger);
				const hide = () => {
					answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
					rewriteAnswers(sandbox, trigger, emptyList, { place: 'list' });
				};
				hide();
				await life.publish();
				sandbox.clearFaults();
				sandbox.fault({
					provider: trigger.provider,
					method: 'DELETE',
					kind: 'status',
					status: 500,
					when: 'after',
				});
				if (!isShown) hide();
				await expect(life.unpublish()).rejects.toThrow('HTTP 500');
				expect(life.endpoints).toEqual([]);

				await life.host.publish();
				expect(life.endpoints).toHaveLength(1);
				expect(await life.answerTo(life.endpoints[0]?.id)).toBe(200);
				await life.unpublish();
				expect(life.endpoints).toEqual([]);
			},
		);

		it('remains while it is hidden and cannot be removed, and is removed once it can be', async () => {
			const life = new Life(sandbox, trigger);
			rewriteAnswers(sandbox, trigger, emptyList, { place: 'list' });
			answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
			await life.publish();
			const registered = life.endpoints;
			answerWith(sandbox, trigger, { status: 500, times: 2 }, { method: 'DELETE' });
			for (let attempt = 0; attempt < 2; attempt++) {
				await expect(life.unpublish()).rejects.toThrow('HTTP 500');
			}
			expect(life.endpoints).toEqual(registered);
			await life.unpublish();
			expect(life.endpoints).toEqual([]);
		});
	},
);

describe.each(withApi.filter(([, { provider }]) => provider !== misarReach.provider))(
	'if %s answers an update with 200 but changes nothing',
	(_title, trigger) => {
		beforeEach(() => {
			for (const method of ['PATCH', 'PUT']) {
				answerWith(sandbox, trigger, { status: 200, body: { success: true } }, { method });
			}
		});

		it.each([
			['was switched off', { active: false }],
			['lost its events', { events: [] }],
		])(
			'an endpoint that %s is replaced once, and this is reported only once',
			async (_what, change) => {
				const life = new Life(sandbox, trigger);
				await life.publish();
				sandbox.changeEndpoint(trigger.provider, life.endpoints[0]?.id ?? '', change);
				for (let check = 0; check < 6; check++) await life.check();
				expect(life.endpoints).toMatchObject([{ active: true, url: life.host.webhookUrl }]);
				expect(life.endpoints[0]?.events).toHaveLength(2);
				expect(life.changes.filter((method) => method === 'POST')).toHaveLength(2);
				expect(repairs()).toHaveLength(1);
				expect(life.problems).toMatchObject([{ problem: 'endpointRepaired' }]);
			},
		);
	},
);

describe.each(withApi)('if %s always shows an endpoint as disabled', (_title, trigger) => {
	it('it is replaced once, and this is reported once', async () => {
		const life = new Life(sandbox, trigger);
		await life.publish();
		rewriteAnswers(
			sandbox,
			trigger,
			mapEach((entry) => ({ ...entry, active: false })),
		);
		await life.goOn();
		expect(life.endpoints).toHaveLength(1);
		expect(life.changes.filter((method) => method === 'POST')).toHaveLength(2);
		expect(repairs()).toHaveLength(1);
		expect(warnings.filter((text) => text.includes('shows endpoint'))).toHaveLength(1);
		expect(life.problems).toMatchObject([{ problem: 'endpointRepaired' }]);
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});
});
