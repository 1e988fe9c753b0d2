import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ExecuteContext } from 'n8n-core';
import type { ICredentialDataDecryptedObject, IDataObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { stopClock } from './conformanceForgeries';
import { registeredByHand } from './hosts';
import { recordWarnings } from './logs';
import { metigan, misarBlog, misarDev, triggersUnderTest } from './providers';
import { useHosts } from './useHosts';

/** What a trigger with Report Problems reports of its deliveries. */

const SECRET = 'whsec_of_this_test';
const OLD_SECRET = 'whsec_before_the_rotation';
const FORGED = 'whsec_of_a_forger';
const MINUTE_MS = 60_000;
const NOW = Date.parse('2026-03-01T12:00:00Z');

let workflows = 0;
const open = useHosts();

afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

function startHost(
	options: INodeParameters = { reportProblems: true },
	credential: ICredentialDataDecryptedObject = { signingSecret: SECRET },
	trigger = metigan as (typeof triggersUnderTest)[number],
): ContextHost {
	return open({
		...registeredByHand(trigger, SECRET, { options }),
		credential,
		// The process remembers what was reported of a workflow.
		workflowId: `workflow ${workflows++}`,
	});
}

const signed = (secret: string, changes: Partial<Parameters<typeof buildDelivery>[0]> = {}) =>
	buildDelivery({
		provider: 'metigan',
		event: metigan.events[0],
		secret,
		scheme: metigan.scheme,
		timestampMs: Date.now(),
		...changes,
	});

const problemsOf = (host: ContextHost) =>
	host.runs.flat().flatMap(({ json }) => (json['problem'] === undefined ? [] : [json]));

describe('refused deliveries', () => {
	it('start one run in 15 minutes, however many they are, and are all counted', async () => {
		stopClock(NOW);
		const host = startHost();
		const results = [];
		for (let times = 0; times < 200; times++) results.push(await host.deliver(signed(FORGED)));
		results.push(await host.deliver({ headers: {}, body: '{}' }));

		expect(new Set(results.map(({ status }) => status))).toEqual(new Set([401]));
		expect(host.runs).toHaveLength(1);
		expect(problemsOf(host)).toEqual([
			{
				problem: 'deliveriesRefused',
				message: expect.stringMatching(
					/^Metigan in workflow “Test workflow”: A delivery was refused at 1 Mar 2026, .*: signature does not match\. No valid delivery has arrived since n8n started: .* https:\/\/n8n\.example\.com\/workflow\/workflow 0/,
				),
				provider: 'metigan',
				since: '2026-03-01T12:00:00.000Z',
				lastAt: '2026-03-01T12:00:00.000Z',
				count: 1,
				reasons: { 'signature does not match': 1 },
				workflow: expect.objectContaining({ name: 'Test workflow' }),
			},
		]);

		stopClock(NOW + 10 * MINUTE_MS);
		expect(await host.deliver(signed(SECRET))).toMatchObject({ status: 200 });
		stopClock(NOW + 15 * MINUTE_MS);
		expect(await host.deliver(signed(FORGED))).toMatchObject({ status: 401 });
		expect(problemsOf(host)[1]).toMatchObject({
			since: '2026-03-01T12:00:00.000Z',
			lastAt: '2026-03-01T12:15:00.000Z',
			count: 201,
			reasons: {
				'signature does not match': 200,
				'signature header is missing (expected x-webhook-signature)': 1,
			},
			lastValidAt: '2026-03-01T12:10:00.000Z',
			message: expect.stringContaining('so these are probably not from Metigan'),
		});
	});

	it('are reported by the next minute’s tick if no further delivery comes', async () => {
		stopClock(NOW);
		const host = startHost();
		for (let times = 0; times < 3; times++) await host.deliver(signed(FORGED));
		const watch = await host.startTrigger();
		watch.tick();
		expect(host.emitted).toEqual([]);
		stopClock(NOW + 15 * MINUTE_MS);
		watch.tick();
		await watch.close();
		await host.deliver(signed(SECRET));
		expect(host.emitted.flatMap(({ outputs }) => outputs)).toMatchObject([
			[],
			[{ json: { problem: 'deliveriesRefused', count: 2 } }],
		]);
	});
});

it('a delivery for another product is reported as refused, like one that does not verify', async () => {
	const host = startHost(undefined, undefined, misarDev);
	const delivery = buildDelivery({
		provider: 'misar.dev',
		event: misarDev.events[0],
		product: 'mail',
		secret: SECRET,
	});
	expect(await host.deliver(delivery)).toMatchObject({ status: 401 });
	expect(problemsOf(host)).toMatchObject([
		{
			problem: 'deliveriesRefused',
			reasons: { 'the delivery is for a different product': 1 },
		},
	]);
});

it('a delivery that only the previous secret verifies runs, and this is reported', async () => {
	const host = startHost(undefined, { signingSecret: SECRET, previousSigningSecret: OLD_SECRET });
	// The new one first: after a report, nothing is reported for 15 minutes.
	expect((await host.deliver(signed(SECRET))).run).toHaveLength(1);
	const { run } = await host.deliver(signed(OLD_SECRET));
	expect(run?.map(({ json }) => json)).toMatchObject([
		{ event: metigan.events[0] },
		{ problem: 'verifiedByPreviousSecret', count: 1 },
	]);
});

it('a delivery that the new secret verifies runs without a problem', async () => {
	const host = startHost(undefined, { signingSecret: SECRET, previousSigningSecret: OLD_SECRET });
	const { run } = await host.deliver(signed(SECRET));
	expect(run?.map(({ json }) => json)).toMatchObject([{ event: metigan.events[0] }]);
});

it('an event that differs from its documented shape runs, and its name is reported', async () => {
	recordWarnings();
	const host = startHost();
	const { run } = await host.deliver(signed(SECRET, { data: { unheard: 'of' } }));
	expect(run?.map(({ json }) => json)).toMatchObject([
		{ event: metigan.events[0] },
		{ problem: 'eventsUnknown', events: { [metigan.events[0]]: 1 } },
	]);
	expect(JSON.stringify(run?.[1])).not.toContain('unheard');
});

it('no problem contains a secret or a body', async () => {
	recordWarnings();
	const host = startHost(undefined, { signingSecret: SECRET, previousSigningSecret: OLD_SECRET });
	await host.deliver(signed(FORGED, { data: { marker: 'of the body' } }));
	await host.deliver(signed(OLD_SECRET, { data: { marker: 'of the body' } }));
	const text = JSON.stringify(problemsOf(host));
	expect(problemsOf(host)).toHaveLength(3);
	for (const secret of [SECRET, OLD_SECRET, FORGED, 'of the body']) {
		expect(text).not.toContain(secret);
	}
});

it('a problem names the product', async () => {
	const host = startHost(undefined, { signingSecret: SECRET }, misarDev);
	await host.deliver({ headers: {}, body: '{}' });
	expect(problemsOf(host)).toMatchObject([{ provider: 'misar', product: 'dev' }]);
});

it.each(triggersUnderTest.map((trigger) => [trigger.title, trigger] as const))(
	'%s reports nothing while the option is off',
	async (_title, trigger) => {
		const host = startHost({}, { signingSecret: SECRET }, trigger);
		await host.deliver({ headers: {}, body: '{}' });
		expect(host.runs).toEqual([]);
		expect((await host.startTrigger()).crons).toEqual([]);
	},
);

it('one forged delivery at a healthy trigger is reported as probably not from the provider', async () => {
	stopClock(NOW);
	const host = startHost();
	expect(await host.deliver(signed(SECRET))).toMatchObject({ status: 200 });
	expect(await host.deliver(signed(FORGED))).toMatchObject({ status: 401 });
	expect(problemsOf(host)).toMatchObject([
		{
			lastValidAt: '2026-03-01T12:00:00.000Z',
			message: expect.stringContaining('so this one is probably not from Metigan'),
		},
	]);
});

it.each(triggersUnderTest.map((trigger) => [trigger.title, trigger] as const))(
	'%s has one output, and a second one while Report Problems is on',
	(_title, trigger) => {
		const names = (options: INodeParameters) =>
			startHost(options, {}, trigger).outputs.map((output) =>
				typeof output === 'string' ? output : output.displayName,
			);
		expect(names({})).toEqual(['main']);
		expect(names({ reportProblems: false })).toEqual(['main']);
		expect(names({ reportProblems: true })).toEqual(['Event', 'Problem']);
	},
);

describe('a run of the trigger', () => {
	const delivery = { json: { provider: 'metigan', event: 'email.bounced', data: {} } };
	const problem = { json: { problem: 'deliveriesRefused', provider: 'metigan' } };

	it('passes deliveries on unchanged', async () => {
		const host = startHost();
		expect(await host.execute([delivery])).toEqual([[delivery]]);
		expect(await host.execute([problem])).toEqual([[], [problem]]);
		expect(await host.execute([delivery, problem])).toEqual([[delivery], [problem]]);
	});

	it('mistakes no delivery for one of its own items, whatever the body', async () => {
		const own = { endpointState: { registration: {} }, problem: 'deliveriesRefused' };
		for (const simplify of [true, false]) {
			const host = open({
				node: misarBlog.nodeType,
				credentialType: misarBlog.credentialType,
				credential: { signingSecret: SECRET },
				parameters: { events: ['*'], simplify, options: { skipDuplicates: false } },
				workflowId: `forger ${simplify}`,
			});
			const body = JSON.stringify({ event: 'article.published', data: own, ...own });
			const headers = { 'x-webhook-secret': SECRET, 'x-webhook-event': 'article.published' };
			const { run = [] } = await host.deliver({ headers, body });
			expect(run).toHaveLength(1);
			expect(await host.execute(run)).toEqual([run]);
			expect(host.savedStaticData).toEqual({});
		}
	});

	it.each<[string, IDataObject]>([
		['saved what it knows of its endpoint', { do: 'save', states: {} }],
		['looked up which events have already run', { do: 'query', events: [], ended: [] }],
	])('that passes nothing on says that no event arrived: it %s', async (what, command) => {
		const hints = jest.spyOn(ExecuteContext.prototype, 'addExecutionHints');
		expect(await startHost().execute([{ json: { trigger: command } }])).toEqual([[]]);
		expect(hints.mock.calls).toEqual([
			[
				{
					message: `No event arrived: in this run the trigger ${what}.`,
					type: 'info',
					location: 'outputPane',
				},
			],
		]);
	});

	it('that passes an event on has no further message', async () => {
		const hints = jest.spyOn(ExecuteContext.prototype, 'addExecutionHints');
		await startHost().execute([delivery]);
		await startHost().execute([problem]);
		expect(hints).not.toHaveBeenCalled();
	});

	it('in the editor saves nothing', async () => {
		const state = { json: { endpointState: {} } };
		expect(await startHost().execute([state], 'manual')).toEqual([[state]]);
	});
});
