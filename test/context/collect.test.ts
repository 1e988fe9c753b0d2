import { once } from 'node:events';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INodeParameters } from 'n8n-workflow';

import type * as collectModule from '../../nodes/shared/trigger/collect';
import { buildDelivery } from '../../sandbox';
import type { ContextHost, ContextHostOptions } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { registeredByHand } from './hosts';
import { metigan, misarMail, triggersUnderTest, type TriggerUnderTest } from './providers';
import { signBody } from './signBody';
import { useHosts } from './useHosts';

/** Options → Collect For: deliveries that come together have one run, and each is answered for itself. */

const SECRET = 'whsec_of_this_test';
const { Collector } = jest.requireActual<typeof collectModule>(
	path.join(__dirname, '../../dist/nodes/shared/trigger/collect.js'),
);

const openHost = useHosts();
let workflows = 0;
let added: jest.SpiedFunction<(typeof Collector)['prototype']['add']>;

beforeEach(() => {
	added = jest.spyOn(Collector.prototype, 'add');
});
afterEach(() => {
	jest.restoreAllMocks();
});

function open(
	of: TriggerUnderTest,
	options: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
): ContextHost {
	return openHost({
		...registeredByHand(of, SECRET, {
			options: { collectFor: 5, collectAtMost: 3, ...options },
		}),
		// A process remembers a workflow beyond the test.
		workflowId: `collect ${workflows++}`,
		...changes,
	});
}

const signed = (of: TriggerUnderTest, id: string, event = of.events[0]) =>
	buildDelivery({
		...{ provider: of.provider, event, secret: SECRET, scheme: of.scheme, id },
		// Some providers' events have no id.
		data: { number: id },
	});

async function waiting(number: number): Promise<void> {
	await until(`${number} deliveries to wait`, 60_000, async () =>
		added.mock.calls.length >= number ? true : undefined,
	);
}

const RECEIVED = { status: 200, body: { received: true } };

it.each(triggersUnderTest.map((of) => [of.title, of] as const))(
	'%s: as many as may be collected have one run, and each is answered as received',
	async (_title, of) => {
		const host = open(of);
		await host.listen();
		const deliveries = ['evt_1', 'evt_2', 'evt_3'].map((id) => signed(of, id));
		const answers = await Promise.all(deliveries.map(async (each) => await host.deliver(each)));
		expect(answers).toMatchObject([RECEIVED, RECEIVED, RECEIVED]);
		expect(host.runs.map((items) => items.length)).toEqual([3]);
		const ids = new Set(host.runs[0]?.map(({ json }) => json['deliveryId']));
		expect(ids.size).toBe(3);
		for (const copy of deliveries) {
			expect(await host.deliver(copy)).toMatchObject({
				body: { received: true, duplicate: true },
			});
		}
	},
);

it('a forged delivery and a copy do not wait with them', async () => {
	const host = open(misarMail);
	await host.listen();
	const [first, second] = [signed(misarMail, 'evt_1'), signed(misarMail, 'evt_2')];
	const answers = [host.deliver(first), host.deliver(second)];
	await waiting(2);
	expect((await host.deliver({ ...first, body: `${first.body.toString()} ` })).status).toBe(401);
	expect((await host.deliver(first)).status).toBe(503);
	expect(host.runs).toEqual([]);
	answers.push(host.deliver(signed(misarMail, 'evt_3')));
	expect(await Promise.all(answers)).toMatchObject([RECEIVED, RECEIVED, RECEIVED]);
	expect(host.runs.map((items) => items.length)).toEqual([3]);
});

it('all are sent again and run again when n8n could not start their run', async () => {
	const host = open(metigan);
	await host.listen();
	const deliveries = ['evt_1', 'evt_2', 'evt_3'].map((id) => signed(metigan, id));
	const send = async () =>
		await Promise.all(deliveries.map(async (each) => (await host.deliver(each)).status));
	host.failToStart = true;
	expect((await send()).sort()).toEqual([500, 503, 503]);
	host.failToStart = false;
	expect(await send()).toEqual([200, 200, 200]);
	expect(host.runs.map((items) => items.length)).toEqual([3]);
});

it('each event leaves by its own output', async () => {
	const host = open(metigan, { outputPerEvent: true });
	await host.listen();
	const [one, other] = metigan.events;
	await Promise.all(
		[one, other, one].map(async (event, index) =>
			host.deliver(signed(metigan, `evt_${index}`, event)),
		),
	);
	const outputs = await host.execute(host.runs[0] ?? []);
	const counts = outputs.map((items) => items.map(({ json }) => json['event']));
	expect(counts.filter((events) => events.length > 0).sort()).toEqual([[one, one], [other]].sort());
});

it('those beside one whose sender has hung up are answered when n8n has accepted their run', async () => {
	const host = open(metigan);
	await host.listen();
	host.alterRequest = (request) => {
		host.alterRequest = () => {};
		const { rawBody } = request;
		Object.assign(request, {
			rawBody: undefined,
			readRawBody: async () => {
				request.rawBody = rawBody;
				request.socket.destroy();
				await once(request.socket, 'close');
			},
		});
	};
	const delivery = signed(metigan, 'evt_1');
	const first = expect(host.deliver(delivery)).rejects.toThrow('socket hang up');
	await waiting(1);
	const others = ['evt_2', 'evt_3'].map((id) => host.deliver(signed(metigan, id)));
	await first;
	expect(await Promise.all(others)).toMatchObject([RECEIVED, RECEIVED]);
	expect(host.runs.map((items) => items.length)).toEqual([3]);
	expect(await host.deliver(delivery)).toMatchObject({ body: { duplicate: true } });
});

it('a delivery does not wait with those of the node as it was before the workflow was published again', async () => {
	const host = open(metigan, { collectAtMost: 2 });
	await host.listen();
	const before = host.deliver(signed(metigan, 'evt_1'));
	await waiting(1);
	const { events } = metigan;
	const options = { collectFor: 5, collectAtMost: 2, outputPerEvent: true };
	const parameters = {
		...metigan.parameters,
		registration: 'manual',
		events: [...events],
		options,
	};
	host.restart({ parameters });
	const after = host.deliver(signed(metigan, 'evt_2'));
	expect(await Promise.all([before, after])).toMatchObject([RECEIVED, RECEIVED]);
	expect(host.runs.map((items) => items.length)).toEqual([1, 1]);
});

it('a delivery does not wait with those of another trigger that has the same id', async () => {
	const workflowId = `collect ${workflows++}`;
	const same = { workflowId, nodeId: 'pasted by hand' };
	const host = open(misarMail, { collectAtMost: 2 }, { ...same, webhookId: 'mail' });
	const options = { collectFor: 5, collectAtMost: 2 };
	const other = openHost(
		{
			...registeredByHand(metigan, SECRET, { options }),
			...{ ...same, webhookId: 'metigan', nodeName: 'Other' },
		},
		host,
	);
	for (const each of [host, other]) await each.listen();
	const answers = [
		host.deliver(signed(misarMail, 'evt_1')),
		other.deliver(signed(metigan, 'evt_2')),
	];
	expect(await Promise.all(answers)).toMatchObject([RECEIVED, RECEIVED]);
	expect([host, other].map(({ runs }) => runs.map((items) => items.length))).toEqual([[1], [1]]);
});

it('an event that may have no output has a run of its own, so that it does not fail the others’', async () => {
	const host = open(metigan, { outputPerEvent: true, collectAtMost: 2 });
	await host.listen();
	const body = Buffer.from('{}');
	const nameless = {
		headers: signBody(metigan, { body, event: metigan.events[0], secret: SECRET }),
		body,
	};
	const answers = [signed(metigan, 'evt_1'), nameless, signed(metigan, 'evt_2')].map(
		async (each) => await host.deliver(each),
	);
	expect(await Promise.all(answers)).toMatchObject([RECEIVED, RECEIVED, RECEIVED]);
	const ends = host.runs.map(async (items) => {
		const outputs = await host.execute(items).catch(() => undefined);
		return [items.length, outputs?.flat().length];
	});
	expect((await Promise.all(ends)).sort()).toEqual([
		[1, undefined],
		[2, 2],
	]);
});

describe('nothing is collected', () => {
	it.each([
		['by default', { collectFor: 0 }, {}],
		['while somebody listens for a test event', {}, { mode: 'manual' as const }],
	])('%s', async (_when, options, changes) => {
		const host = open(misarMail, options, changes);
		await host.listen();
		await Promise.all(
			['evt_1', 'evt_2'].map(async (id) => await host.deliver(signed(misarMail, id))),
		);
		expect(host.runs.map((items) => items.length)).toEqual([1, 1]);
		expect(added).not.toHaveBeenCalled();
	});
});
