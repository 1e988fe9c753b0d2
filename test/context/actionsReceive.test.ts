import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type ProviderId, type Sandbox } from '../../sandbox';
import * as actions from './actionHost';
import { runAction, webhookItem, type ActionCall, type ActionNodeCase } from './actionHost';
import { expectedOutput, rows, signRow } from './conformance';
import { stopClock, type Delivery } from './conformanceForgeries';
import { signBody } from './signBody';
import { useSandbox } from './useSandbox';

/** Delivery -> Receive behind a Webhook node does what the trigger does. */

const SECRET = 'whsec_of_the_receive_suite';
const PREVIOUS = 'whsec_before_it_was_changed';
/** The clock stands still, so that one second too old is exactly that. */
const NOW = Date.parse('2026-01-02T03:04:05Z');

let sandbox: Sandbox;
beforeAll(() => stopClock(NOW));
useSandbox((started) => (sandbox = started));
afterAll(() => void jest.useRealTimers());

/** A new workflow for each test: what one has seen is not a duplicate for another. */
let workflowId = '';
let count = 0;
beforeEach(() => {
	workflowId = `receive ${++count}`;
});

function caseOf(provider: ProviderId): ActionNodeCase {
	const found = actions.allCases.find((action) => action.provider === provider);
	if (found === undefined) throw new Error(`no action node for ${provider}`);
	return found;
}

type Change = Partial<Omit<ActionCall, 'items' | 'parameters'>> & { parameters?: INodeParameters };

async function receive(
	action: ActionNodeCase,
	deliveries: ReadonlyArray<Pick<Delivery, 'headers'> & { body: Buffer | string }>,
	{ parameters, ...change }: Change = {},
) {
	const result = await runAction(sandbox, action, {
		credential: { signingSecret: SECRET, previousSigningSecret: PREVIOUS },
		workflowId,
		...change,
		parameters: { resource: 'delivery', operation: 'receive', ...parameters },
		items: deliveries.map(({ headers, body }) => webhookItem(headers, body)),
	});
	expect(result.stored).not.toContain(SECRET);
	const [event = [], refused = []] = result.outputs.map((items) => items.map(({ json }) => json));
	return { ...result, event, refused };
}

function signed(
	action: ActionNodeCase,
	event: string,
	more: Partial<Parameters<typeof buildDelivery>[0]> = {},
) {
	const { provider } = action;
	return buildDelivery({ provider, event, secret: SECRET, timestampMs: NOW, ...more });
}

/** All but those of Misar.Blog, whose secret is in a header that the Webhook node would store. */
const signedRows = rows.filter(({ block }) => block.provider !== 'misarBlog');

it.each(signedRows)('Receive outputs the same as the trigger: $title', async (row) => {
	const delivery = { id: `evt_receive_${count}`, atMs: NOW };
	const sent = { ...delivery, ...signRow(row, { secret: SECRET, ...delivery }) };
	const options = { signatureScheme: row.scheme.pin ?? 'auto' };
	const action = caseOf(row.block.provider);
	const { event, refused } = await receive(action, [sent], {
		parameters: { simplify: false, options },
	});
	expect(refused).toEqual([]);
	expect(event).toEqual([
		{
			...expectedOutput(row, sent),
			payload: JSON.parse(sent.body.toString()),
			headers: expect.objectContaining({ 'content-type': 'application/json' }),
		},
	]);
	expect(JSON.stringify(event)).not.toContain(sent.headers[row.scheme.header]);
});

describe('a delivery', () => {
	it.each(['body', 'signature', 'wrongSecret', 'unsigned', 'stale', 'future'] as const)(
		'that was tampered with leaves by Refused, with the reason alone: %s',
		async (tamper) => {
			const { metigan } = actions;
			const { headers, body } = signed(metigan, 'email.bounced', { tamper });
			const { event, outputs } = await receive(metigan, [{ headers, body }]);
			expect(event).toEqual([]);
			expect(outputs[1]).toEqual([
				{
					json: { provider: 'metigan', status: 401, reason: expect.stringMatching(/\w{3}/) },
					pairedItem: { item: 0 },
				},
			]);
		},
	);

	it('for another product is refused', async () => {
		const provider = 'misar.dev';
		const event = 'email.bounced';
		const delivery = buildDelivery({ provider, event, product: 'dev', secret: SECRET });
		const { refused } = await receive(actions.misarMail, [delivery]);
		expect(refused).toEqual([
			{
				provider: 'misar',
				product: 'mail',
				status: 401,
				reason: 'the delivery is for a different product',
			},
		]);
	});

	it('that is no JSON object is refused', async () => {
		const [made] = await actions.runForData(sandbox, actions.metigan, {
			parameters: {
				resource: 'signature',
				operation: 'sign',
				payloadSource: 'text',
				payload: '[]',
			},
			credential: { signingSecret: SECRET },
		});
		const headers = made?.['headers'] as Record<string, string>;
		const { refused } = await receive(actions.metigan, [{ headers, body: '[]' }]);
		expect(refused).toMatchObject([{ status: 400, reason: 'the body is not a JSON object' }]);
	});
});

describe('a verified delivery', () => {
	it('is ignored if it is a ping', async () => {
		const { refused } = await receive(actions.misarMail, [
			signed(actions.misarMail, 'ping', { scheme: 'platform' }),
		]);
		expect(refused).toMatchObject([{ status: 200, reason: 'ping' }]);
	});

	it('is ignored if its event is not selected', async () => {
		const { metigan } = actions;
		const deliveries = ['email.bounced', 'email.opened', 'email.shown'].map((name) =>
			signed(metigan, name),
		);
		const { event, refused } = await receive(metigan, deliveries, {
			parameters: { events: ['email.bounced'], options: { customEvents: 'email.shown' } },
		});
		expect(event).toMatchObject([{ event: 'email.bounced' }, { event: 'email.shown' }]);
		expect(refused).toEqual([
			{
				provider: 'metigan',
				status: 200,
				reason: 'event is not selected',
				event: 'email.opened',
			},
		]);
	});

	it('is ignored if it is a bounce of the other type', async () => {
		const { misarMail } = actions;
		const deliveries = ['hard', 'soft'].map((bounceType) =>
			signed(misarMail, 'email.bounced', {
				data: { to: 'a@example.com', bounce_type: bounceType },
			}),
		);
		const { event, refused } = await receive(misarMail, deliveries, {
			parameters: { options: { bounceType: 'hard' } },
		});
		expect(event).toHaveLength(1);
		expect(refused).toMatchObject([{ status: 200, reason: 'only hard bounces are selected' }]);
	});
});

describe('a delivery that does not meet the conditions', () => {
	const { metigan } = actions;
	const bounce = (code: number) =>
		signed(metigan, 'email.bounced', { data: { recipient: 'a@example.com', code } });

	it('leaves by Refused, with the first condition that is not met', async () => {
		const rows = [{ field: 'other', path: 'data.code', operator: 'less', value: '500' }];
		const { event, refused } = await receive(metigan, [bounce(550), bounce(450)], {
			parameters: { options: { conditions: { rows } } },
		});
		expect(event).toMatchObject([{ data: { code: 450 } }]);
		const reason = 'condition 1 is not met: data.code';
		expect(refused).toMatchObject([{ status: 200, reason, event: 'email.bounced' }]);
	});

	it('ends with a clear error if a condition cannot be used', async () => {
		const rows = [{ field: 'other', path: '', operator: 'exists' }];
		const { error } = await receive(metigan, [bounce(550)], {
			parameters: { options: { conditions: { rows } } },
		});
		expect(error?.message).toMatch(/^Condition 1 names no field/);
	});
});

describe('a duplicate', () => {
	const { metigan } = actions;
	const twice = () => {
		const delivery = signed(metigan, 'email.bounced');
		return [delivery, delivery];
	};

	it('leaves by Refused, in the same run and in a later one', async () => {
		const both = await receive(metigan, twice());
		expect(both.event).toHaveLength(1);
		expect(both.refused).toEqual([{ provider: 'metigan', status: 200, reason: 'duplicate' }]);
		const later = await receive(metigan, twice().slice(1));
		expect([later.event.length, later.refused.length]).toEqual([1, 0]);
	});

	it('is not one in another workflow', async () => {
		const [delivery] = twice();
		const runs = ['one workflow', 'another'].map(
			async (id) => await receive(metigan, delivery ? [delivery] : [], { workflowId: id }),
		);
		for (const { event } of await Promise.all(runs)) expect(event).toHaveLength(1);
	});

	it.each(['manual', 'retry'] as const)('is accepted when a person runs it: %s', async (mode) => {
		const delivery = twice();
		expect((await receive(metigan, delivery)).event).toHaveLength(1);
		expect((await receive(metigan, delivery, { mode })).event).toHaveLength(2);
	});

	it('is accepted if the option is off', async () => {
		const options = { skipDuplicates: false };
		expect((await receive(metigan, twice(), { parameters: { options } })).event).toHaveLength(2);
	});
});

describe.each([
	['a Respond to Webhook node', 'responseNode'],
	['n8n when the last node finishes', 'lastNode'],
])('a copy, if the provider is answered by %s,', (_, responseMode) => {
	const { metigan } = actions;
	const delivery = () => signed(metigan, 'email.bounced');
	const webhook = { responseMode };
	const fail = async () => await Promise.reject(new Error('the CRM is down'));
	const succeed = async () => {};
	/** A run, and what the next node has worked on in it. */
	const deliver = async (sent: ReturnType<typeof delivery>, change: Change = {}) =>
		await receive(metigan, [sent], { webhook, next: { work: succeed }, ...change });

	it('runs after each run that failed, and is dropped after one that succeeded', async () => {
		const sent = delivery();
		for (let attempt = 0; attempt < 3; attempt++) {
			const { event } = await deliver(sent, { next: { work: fail } });
			expect(event).toHaveLength(1);
		}
		expect((await deliver(sent)).event).toHaveLength(1);
		for (let copy = 0; copy < 2; copy++) {
			const { event, refused } = await deliver(sent, { next: { work: fail } });
			expect(event).toEqual([]);
			expect(refused).toMatchObject([{ status: 200, reason: 'duplicate' }]);
		}
	});

	it('is put off while the first run goes on, and runs once that has failed', async () => {
		const sent = delivery();
		let copy: Awaited<ReturnType<typeof deliver>> | undefined;
		const work = async () => {
			copy = await deliver(sent);
			await fail();
		};
		expect((await deliver(sent, { next: { work } })).event).toHaveLength(1);
		expect(copy?.event).toEqual([]);
		if (responseMode === 'responseNode') {
			expect(copy?.refused).toMatchObject([
				{ status: 503, reason: 'the same delivery is being handled' },
			]);
		} else {
			// Only a failed run is answered with something else than 200.
			expect(copy?.error?.message).toMatch(/^The same delivery is being handled by another run/);
		}
		expect((await deliver(sent)).event).toHaveLength(1);
	});

	it('runs once if several come together after a run that failed', async () => {
		const sent = delivery();
		await deliver(sent, { next: { work: fail } });
		const copies = [1, 2, 3].map(async () => await deliver(sent));
		const results = await Promise.all(copies);
		expect(results.filter(({ event }) => event.length === 1)).toHaveLength(1);
	});

	it('is dropped if n8n keeps no successful runs', async () => {
		const sent = delivery();
		await deliver(sent, { keepsNothing: true });
		expect((await deliver(sent)).refused).toMatchObject([{ status: 200, reason: 'duplicate' }]);
	});

	it('runs after a run that failed if n8n keeps no failed runs', async () => {
		const sent = delivery();
		const change = { saveDataErrorExecution: 'none', keepsNothing: true } as const;
		await deliver(sent, { ...change, next: { work: fail } });
		expect((await deliver(sent, change)).event).toHaveLength(1);
	});

	it('is a duplicate within the same run', async () => {
		const sent = delivery();
		const both = await receive(metigan, [sent, sent], { webhook });
		expect([both.event.length, both.refused.length]).toEqual([1, 1]);
	});
});

it.each([
	[503, 'new'],
	[404, 'new'],
	[302, 'new'],
	[202, 'duplicate'],
	['={{ 200 }}', 'duplicate'],
])('the answer %s of a Respond to Webhook node decides: %s', async (responseCode, then) => {
	const { metigan } = actions;
	const sent = signed(metigan, 'email.bounced');
	const answered = {
		webhook: { responseMode: 'responseNode' },
		next: {
			type: 'n8n-nodes-base.respondToWebhook',
			parameters: { options: { responseCode } },
			work: async () => {},
		},
	};
	expect((await receive(metigan, [sent], answered)).event).toHaveLength(1);
	const { event } = await receive(metigan, [sent], answered);
	expect(event).toHaveLength(then === 'new' ? 1 : 0);
});

it('a copy of a failed delivery is dropped if the provider was answered at once', async () => {
	const { metigan } = actions;
	const sent = signed(metigan, 'email.bounced');
	const change = {
		webhook: {},
		next: { work: async () => await Promise.reject(new Error('the CRM is down')) },
	};
	expect((await receive(metigan, [sent], change)).event).toHaveLength(1);
	expect((await receive(metigan, [sent], change)).refused).toHaveLength(1);
});

it('a delivery in an undocumented form is read as by the trigger, with a warning', async () => {
	const { metigan } = actions;
	const written =
		'\ufeff\ufeff{"event":" Email.BOUNCED","timestamp":1767323045,"data":{"recipient":"Ada <ada@example.com>","bounceType":"Permanent","id":9007199254740993}}';
	const sent = {
		body: Buffer.from(written),
		headers: signBody(
			{ provider: 'metigan', scheme: 'timestamped' },
			{ body: Buffer.from(written), event: 'email.bounced', secret: SECRET },
		),
	};
	for (const [bounceType, runs] of [
		['hard', true],
		['soft', false],
	] as const) {
		const { event, refused } = await receive(metigan, [sent], {
			parameters: {
				events: ['email.bounced'],
				simplify: false,
				options: { bounceType, skipDuplicates: false },
			},
		});
		expect([event.length, refused.length]).toEqual(runs ? [1, 0] : [0, 1]);
		if (!runs) continue;
		expect(event).toMatchObject([
			{
				event: 'email.bounced',
				occurredAt: '2026-01-02T03:04:05.000Z',
				recipient: 'ada@example.com',
				warnings: expect.arrayContaining([
					'event: read as email.bounced',
					'data.recipient: read as the address alone',
					'data.id: a number too large to be exact, its last digits may be wrong',
				]),
			},
		]);
	}
});

it('a repeated signature header is reported, joined or as a list', async () => {
	const { metigan } = actions;
	const { headers, body } = signed(metigan, 'email.bounced');
	const value = headers['x-webhook-signature'] ?? '';
	const repeated = [[value, value], `${value}, ${value}`].map((lines) => ({
		json: { headers: { ...headers, 'x-webhook-signature': lines } },
		binary: webhookItem({}, body).binary,
	}));
	const { outputs } = await runAction(sandbox, metigan, {
		credential: { signingSecret: SECRET },
		parameters: { resource: 'delivery', operation: 'receive' },
		items: repeated as INodeExecutionData[],
	});
	expect(outputs.map((items) => items.map(({ json }) => json['reason']))).toEqual([
		[],
		Array(2).fill('header x-webhook-signature is repeated'),
	]);
});

it('the previous secret verifies a delivery', async () => {
	const delivery = signed(actions.metigan, 'email.bounced', { secret: PREVIOUS });
	expect((await receive(actions.metigan, [delivery])).event).toHaveLength(1);
});

it('a delivery of any age is accepted when a person retries a run', async () => {
	const delivery = signed(actions.metigan, 'email.bounced', { timestampMs: NOW - 3_600_000 });
	expect((await receive(actions.metigan, [delivery])).refused).toHaveLength(1);
	expect((await receive(actions.metigan, [delivery], { mode: 'retry' })).event).toHaveLength(1);
});

it.each([
	['no signing secret', {}, { signingSecret: '' }, /^The signing secret is missing/],
	['no event', { events: [] }, {}, /^No event is selected.*Options → Custom Events/],
	['an unknown bounce type', { options: { bounceType: 'loud' } }, {}, /options\.bounceType/],
	['no headers', { headers: '={{ $json.nothing }}' }, {}, /^The headers are not a JSON object/],
	['no raw body', { binaryPropertyName: 'none' }, {}, /none/],
])('an error says what to correct: %s', async (_, parameters, credential, message) => {
	const { metigan } = actions;
	const delivery = signed(metigan, 'email.bounced');
	const { error, event } = await receive(metigan, [delivery], {
		parameters,
		credential: { signingSecret: SECRET, ...credential },
	});
	expect(event).toEqual([]);
	expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
	expect(error?.message).toMatch(message);
});

it('a delivery that cannot be looked at leaves by Refused if the node continues on errors', async () => {
	const { metigan } = actions;
	const { event, refused } = await receive(metigan, [signed(metigan, 'email.bounced')], {
		onError: 'continueRegularOutput',
		credential: { signingSecret: '' },
	});
	expect(event).toEqual([]);
	expect(refused).toEqual([{ error: expect.stringMatching(/^The signing secret is missing/) }]);
});
