import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, IDataObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Tamper } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { stopClock } from './conformanceForgeries';
import { holdAnswer, registeredByHand } from './hosts';
import {
	mailPanda,
	metigan,
	misarBlog,
	misarDev,
	misarMail,
	misarPost,
	misarReach,
	type TriggerUnderTest,
} from './providers';
import { useHosts } from './useHosts';

/** What each kind of delivery is answered, and whether it runs, over real HTTP. */

const SECRET = 'whsec_of_this_test';
let workflows = 0;
const open = useHosts();

afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

function startHost(
	trigger: TriggerUnderTest,
	parameters: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
	beside?: ContextHost,
): ContextHost {
	return open(
		{
			...registeredByHand(trigger, SECRET, parameters),
			// Its own workflow, because the nodes' memory of deliveries is the process's.
			workflowId: `workflow ${workflows++}`,
			...changes,
		},
		beside,
	);
}

function signed(
	trigger: TriggerUnderTest,
	changes: Partial<Parameters<typeof buildDelivery>[0]> = {},
) {
	return buildDelivery({
		provider: trigger.provider,
		event: trigger.events[0],
		secret: SECRET,
		scheme: trigger.scheme,
		...changes,
	});
}

/** Signs any body as the provider would, for bodies that the sandbox never sends. */
function signRaw(
	trigger: TriggerUnderTest,
	body: string,
): { headers: Record<string, string>; body: string } {
	const timestamp = Math.floor(Date.now() / 1000);
	const hex = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
	return trigger === metigan
		? { headers: { 'x-webhook-signature': `t=${timestamp},v1=${hex}` }, body }
		: { headers: { 'x-misar-signature': hex, 'x-misar-timestamp': `${timestamp}` }, body };
}

function outputOf(run: ReadonlyArray<{ json: IDataObject }> | undefined): IDataObject {
	expect(run).toHaveLength(1);
	return run?.[0]?.json ?? {};
}

describe.each([
	['Misar Mail', misarMail],
	['Metigan', metigan],
])('a delivery of %s', (_name, trigger) => {
	it('runs when it is valid and selected, with the documented output', async () => {
		const delivery = signed(trigger);
		const result = await startHost(trigger).deliver(delivery);

		expect(result).toMatchObject({ status: 200, body: { received: true }, ended: true });
		const body: IDataObject = JSON.parse(delivery.body.toString());
		const output = outputOf(result.run);
		expect(Object.keys(output).sort()).toEqual(
			[
				...(trigger === misarMail ? ['product'] : []),
				...['data', 'deliveryId', 'event', 'occurredAt', 'provider', 'recipient'],
			].sort(),
		);
		expect(output).toMatchObject({
			provider: trigger === misarMail ? 'misar' : 'metigan',
			event: trigger.events[0],
			data: body['data'],
		});
		expect(new Date(String(output['occurredAt'])).toISOString()).toBe(output['occurredAt']);
	});

	it('has headers, payload and verification if not simplified, but no signature', async () => {
		const delivery = signed(trigger);
		const ofProxy = { authorization: 'Basic of-a-proxy', cookie: 'session=of-a-proxy' };
		const { run } = await startHost(trigger, { simplify: false }).deliver({
			...delivery,
			headers: { ...delivery.headers, ...ofProxy },
		});
		const output = outputOf(run);

		expect(output['payload']).toEqual(JSON.parse(delivery.body.toString()));
		expect(output['verification']).toMatchObject({
			scheme: trigger.scheme,
			signedAt: expect.stringMatching(/^\d{4}-/),
		});
		expect(output['headers']).toMatchObject({ 'content-type': 'application/json' });
		const text = JSON.stringify(output);
		expect(text).not.toContain(SECRET);
		expect(text).not.toContain('of-a-proxy');
		for (const name of ['x-misar-signature', 'x-webhook-signature']) {
			const signature = delivery.headers[name];
			if (signature !== undefined) expect(text).not.toContain(signature);
		}
		expect(output['warnings']).toBeUndefined();
	});

	it.each<[string, INodeParameters]>([
		['an event that is not selected', { events: [trigger.events[1]] }],
		[
			'a custom event that is not this one',
			{ events: [], options: { customEvents: 'list.imported' } },
		],
	])('is received and ignored: %s', async (_what, parameters) => {
		const result = await startHost(trigger, parameters).deliver(signed(trigger));
		expect(result).toMatchObject({
			status: 200,
			body: { received: true, ignored: 'event is not selected' },
			run: undefined,
			ended: true,
		});
	});

	it('is received and ignored when it is a ping', async () => {
		const result = await startHost(trigger, { events: ['*'] }).deliver(
			signed(trigger, { event: 'ping' }),
		);
		expect(result).toMatchObject({
			status: 200,
			body: { received: true, ignored: 'ping' },
			run: undefined,
			ended: true,
		});
	});

	it.each([
		['all events', { events: ['*'] }],
		['its name as a custom event', { events: [], options: { customEvents: 'a.b, brand.new' } }],
	])('of an undocumented event runs with %s', async (_what, parameters) => {
		const result = await startHost(trigger, parameters).deliver(
			signed(trigger, { event: 'brand.new' }),
		);
		expect(outputOf(result.run)).toMatchObject({ event: 'brand.new' });
	});

	it.each<[Tamper, RegExp]>([
		['body', /signature does not match/],
		['signature', /signature does not match/],
		['wrongSecret', /signature does not match/],
		['unsigned', /signature header is missing/],
		['stale', /more than 300 seconds away/],
		['future', /more than 300 seconds away/],
	])('is refused with 401 when tampered with: %s', async (tamper, reason) => {
		const result = await startHost(trigger).deliver(signed(trigger, { tamper }));
		expect(result).toMatchObject({
			status: 401,
			body: { error: expect.stringMatching(reason) },
			run: undefined,
			ended: true,
		});
		expect(JSON.stringify(result.body)).not.toContain(SECRET);
	});

	it('is refused if no secret is configured', async () => {
		const host = startHost(trigger, {}, { credential: {} });
		expect(await host.deliver(signed(trigger))).toMatchObject({
			status: 401,
			run: undefined,
			ended: true,
		});
		// An empty secret must not verify what was signed with an empty secret.
		expect(await host.deliver(signed(trigger, { secret: '' }))).toMatchObject({ status: 401 });
	});

	it('is put off with 503 while its registration is in flight', async () => {
		const host = startHost(trigger, { registration: 'automatic' }, { credential: { apiKey: 'k' } });
		const result = await host.deliver(signed(trigger));
		expect(result).toMatchObject({ status: 503, run: undefined, ended: true });
		expect(Number(result.headers.get('retry-after'))).toBeGreaterThan(0);
	});

	it.each(['not json', '[1,2]', '"text"', 'null', '{"cut":', ''])(
		'is answered 400 when the signed body is %j',
		async (body) => {
			const result = await startHost(trigger).deliver(signRaw(trigger, body));
			expect(result).toMatchObject({ status: 400, run: undefined, ended: true });
		},
	);

	it('runs with warnings when the signed body misses its documented shape', async () => {
		const host = startHost(trigger, { simplify: false });
		const body = JSON.stringify({ event: trigger.events[0], timestamp: true, data: ['odd'] });
		const { status, run } = await host.deliver(signRaw(trigger, body));
		expect(status).toBe(200);
		const output = outputOf(run);
		expect(output['warnings']).toEqual(
			expect.arrayContaining([
				expect.stringMatching(/^data: Invalid input: expected object/),
				expect.stringMatching(/^timestamp: Invalid input: expected/),
			]),
		);
		expect(output).toMatchObject({
			event: trigger.events[0],
			occurredAt: null,
			data: { value: ['odd'] },
		});
	});

	it('runs as "unknown" when the signed body names no event', async () => {
		const { run } = await startHost(trigger).deliver(signRaw(trigger, '{"hello":1}'));
		expect(outputOf(run)).toMatchObject({ event: 'unknown', data: {} });
	});

	it('is verified with the previous secret as well', async () => {
		const credential = { signingSecret: 'the new one', previousSigningSecret: SECRET };
		const result = await startHost(trigger, {}, { credential }).deliver(signed(trigger));
		expect(result.run).toHaveLength(1);
	});

	it('is verified if it was signed over bytes that are not valid UTF-8', async () => {
		const body = Buffer.concat([
			Buffer.from(`{"event":"${trigger.events[0]}","data":{"name":"`),
			Buffer.from([0xff, 0xfe]),
			Buffer.from('"}}'),
		]);
		const timestamp = Math.floor(Date.now() / 1000);
		const hex = createHmac('sha256', SECRET).update(`${timestamp}.`).update(body).digest('hex');
		const headers: Record<string, string> =
			trigger === metigan
				? { 'x-webhook-signature': `t=${timestamp},v1=${hex}` }
				: { 'x-misar-signature': hex, 'x-misar-timestamp': `${timestamp}` };
		expect(await startHost(trigger).deliver({ headers, body })).toMatchObject({ status: 200 });
	});

	it('is verified with any content type, but refused as multipart', async () => {
		const delivery = signed(trigger);
		const asText = { ...delivery, headers: { ...delivery.headers, 'content-type': 'text/plain' } };
		expect((await startHost(trigger).deliver(asText)).run).toHaveLength(1);

		const type = 'multipart/form-data; boundary=x';
		const asForm = { ...delivery, headers: { ...delivery.headers, 'content-type': type } };
		expect(await startHost(trigger).deliver(asForm)).toMatchObject({
			status: 401,
			body: { error: 'the body cannot be verified' },
			run: undefined,
		});
	});

	it('runs with a signed byte order mark before its body', async () => {
		const delivery = signed(trigger, { byteOrderMark: true });
		expect(outputOf((await startHost(trigger).deliver(delivery)).run)).toMatchObject({
			event: trigger.events[0],
			data: expect.objectContaining({}),
		});
	});

	describe('that comes twice', () => {
		it('runs once, and the copy is received as a duplicate', async () => {
			const host = startHost(trigger);
			const delivery = signed(trigger);
			expect((await host.deliver(delivery)).run).toHaveLength(1);
			expect(await host.deliver(delivery)).toMatchObject({
				status: 200,
				body: { received: true, duplicate: true },
				run: undefined,
				ended: true,
			});
		});

		it('is put off with 503 while the first is being answered', async () => {
			const host = startHost(trigger);
			const delivery = signed(trigger);
			const { entered, release } = holdAnswer(host);
			const first = host.deliver(delivery);
			await entered;
			const copy = await host.deliver(delivery);
			expect(copy).toMatchObject({ status: 503, run: undefined, ended: true });
			expect(copy.headers.get('retry-after')).not.toBeNull();
			release();
			expect(await first).toMatchObject({ status: 200 });
			expect(await host.deliver(delivery)).toMatchObject({ body: { duplicate: true } });
			expect(host.runs).toHaveLength(1);
		});

		it('runs again when n8n could not start the run the first time', async () => {
			const host = startHost(trigger);
			const delivery = signed(trigger);
			host.failToStart = true;
			expect(await host.deliver(delivery)).toMatchObject({ status: 500 });
			host.failToStart = false;
			expect((await host.deliver(delivery)).run).toHaveLength(1);
		});

		it('runs again if duplicates are wanted, in another workflow, and while testing', async () => {
			const delivery = signed(trigger);
			const wanted = startHost(trigger, { options: { skipDuplicates: false } });
			await wanted.deliver(delivery);
			await wanted.deliver(delivery);
			expect(wanted.runs).toHaveLength(2);

			const other = startHost(trigger, {}, { workflowId: 'another workflow' });
			expect((await other.deliver(delivery)).run).toHaveLength(1);

			const testing = startHost(trigger, {}, { mode: 'manual' });
			await testing.deliver(delivery);
			await testing.deliver(delivery);
			expect(testing.runs).toHaveLength(2);
		});
	});

	it.each([
		['hard', 'hard', true],
		['hard', 'soft', false],
		['soft', 'soft', true],
		['soft', undefined, true],
	])('with %s bounces selected and one that is %s runs: %s', async (wanted, actual, runs) => {
		const host = startHost(trigger, { events: ['*'], options: { bounceType: wanted } });
		const data = actual === undefined ? {} : { bounceType: actual };
		const result = await host.deliver(signed(trigger, { event: 'email.bounced', data }));
		expect(result.status).toBe(200);
		expect(result.run !== undefined).toBe(runs);
	});

	it('runs only if it meets the conditions, and is not remembered otherwise', async () => {
		const conditions = {
			rows: [
				{ field: 'recipient', operator: 'isOneOf', value: 'ada@example.com, bob@example.com' },
				{ field: 'other', path: 'payload.data.size', operator: 'greater', value: '10' },
			],
		};
		const delivery = (recipient: string, size: number) =>
			signed(trigger, { id: 'evt_1', data: { email: recipient, size } });
		const host = startHost(trigger, { options: { conditions } });
		const ignored = (reason: string) => ({
			status: 200,
			body: { received: true, ignored: reason },
			run: undefined,
		});
		expect(await host.deliver(delivery('eve@example.com', 11))).toMatchObject(
			ignored('condition 1 is not met: recipient'),
		);
		expect(await host.deliver(delivery('ada@example.com', 10))).toMatchObject(
			ignored('condition 2 is not met: payload.data.size'),
		);
		const wanted = delivery('ada@example.com', 11);
		const { run } = await host.deliver(wanted);
		expect(outputOf(run)).toMatchObject({ recipient: 'ada@example.com', data: { size: 11 } });
		expect((await host.deliver(wanted)).body).toMatchObject({ duplicate: true });
	});

	it('is put off, and the publish fails, if a condition cannot be used', async () => {
		const rows = [{ field: 'recipient', operator: 'equals', value: '' }];
		const host = startHost(trigger, { options: { conditions: { rows } } });
		await expect(host.publish()).rejects.toThrow(
			'Condition 1: "Equals" needs a value. Correct it under Options → Conditions.',
		);
		expect(await host.deliver(signed(trigger))).toMatchObject({ status: 503, run: undefined });
	});

	it.each([
		['no credential can be read', { options: {} }, { credential: { signingSecret: 42 as never } }],
		['an option is no number', { options: { toleranceSeconds: 'many' } }, {}],
		['no event is selected', { events: [] }, {}],
	])('is put off with 503, not lost, when %s', async (_what, parameters, changes) => {
		const result = await startHost(trigger, parameters, changes).deliver(signed(trigger));
		expect(result).toMatchObject({ status: 503, run: undefined, ended: true });
	});

	it('may be of any age with a tolerance of 0', async () => {
		const host = startHost(trigger, { options: { toleranceSeconds: 0 } });
		expect((await host.deliver(signed(trigger, { tamper: 'stale' }))).run).toHaveLength(1);
	});
});

describe('Misar Mail in particular', () => {
	it.each([
		['timestamped', 'E1'],
		['timestamped', 'E2'],
		['platform', 'E1'],
		['platform', 'E4'],
		['mailHeader', 'E3'],
	])('verifies scheme %s with envelope %s', async (scheme, envelope) => {
		const host = startHost(misarMail, { events: ['*'], simplify: false });
		const event = 'email.delivered';
		const output = outputOf(
			(await host.deliver(signed(misarMail, { scheme, envelope, event }))).run,
		);
		expect(output).toMatchObject({
			event,
			verification: { scheme },
			deliveryId: expect.stringMatching(/./),
			occurredAt: expect.stringMatching(/Z$/),
		});
	});

	it('refuses other schemes when one is pinned', async () => {
		const host = startHost(misarMail, { options: { signatureScheme: 'timestamped' } });
		expect(await host.deliver(signed(misarMail, { scheme: 'platform' }))).toMatchObject({
			status: 401,
		});
		expect((await host.deliver(signed(misarMail))).run).toHaveLength(1);
	});

	it('refuses a timestamped signature replayed over a body with the timestamp prepended', async () => {
		const { headers, body } = signed(misarMail);
		const glued = Buffer.concat([Buffer.from(`${headers['x-misar-timestamp']}.`), body]);
		const replayed = [
			{ 'x-misar-signature': `sha256=${headers['x-misar-signature']}` },
			{ 'x-misarmail-signature': headers['x-misar-signature'] ?? '' },
		];
		for (const forged of replayed) {
			const result = await startHost(misarMail).deliver({
				headers: { ...forged, 'content-type': 'text/plain' } as Record<string, string>,
				body: glued,
			});
			expect(result).toMatchObject({ status: 401, run: undefined });
		}
	});
});

describe('Metigan in particular', () => {
	it('distinguishes two events of one message', async () => {
		const host = startHost(metigan, { events: ['*'] });
		for (const event of ['email.delivered', 'email.opened']) {
			await host.deliver(signed(metigan, { event, id: 'msg_1' }));
		}
		expect(host.runs).toHaveLength(2);
	});

	it('accepts the legacy header only if it is chosen', async () => {
		const delivery = signed(metigan, { scheme: 'legacy' });
		expect(await startHost(metigan).deliver(delivery)).toMatchObject({ status: 401 });
		const host = startHost(metigan, { options: { signatureScheme: 'legacy' } });
		expect((await host.deliver(delivery)).run).toHaveLength(1);
	});

	it('verifies the timestamp header that the SDK accepts', async () => {
		const host = startHost(metigan, { simplify: false });
		const { run } = await host.deliver(signed(metigan, { scheme: 'timestampHeader' }));
		expect(outputOf(run)).toMatchObject({ verification: { scheme: 'timestampHeader' } });
	});
});

describe('the event header', () => {
	it.each([
		['Misar Mail', misarMail],
		['Misar Post', misarPost],
		['Misar.Dev', misarDev],
	])(
		'of %s may differ from the body: it is not signed, and no document compares it',
		async (_name, trigger) => {
			const host = startHost(trigger, { simplify: false });
			const delivery = signed(trigger, { scheme: 'platform', tamper: 'swappedEvent' });
			expect(outputOf((await host.deliver(delivery)).run)).toMatchObject({
				event: trigger.events[0],
				warnings: ['header x-misar-event: does not match the event in the body'],
			});
		},
	);

	it('of Misar.Blog must match the body, as its reference says', async () => {
		const host = startHost(misarBlog);
		expect(await host.deliver(signed(misarBlog, { tamper: 'swappedEvent' }))).toMatchObject({
			status: 401,
			body: { error: 'the event header differs from the event in the body' },
			run: undefined,
		});
	});
});

it.each(['whsec_of_this_test ', ' whsec_of_this_test', 'whsec_of_this_test\n'])(
	'the shared secret of Misar.Blog matches even if it was typed as %j',
	async (signingSecret) => {
		const host = startHost(misarBlog, {}, { credential: { signingSecret } });
		expect(await host.deliver(signed(misarBlog))).toMatchObject({ status: 200 });
		const forged = await host.deliver(signed(misarBlog, { secret: 'whsec_of_this tes' }));
		expect(forged).toMatchObject({ status: 401, run: undefined });
	},
);

describe('different events', () => {
	const article = { id: 'a1', slug: 's', title: 'T' };

	it.each<[string, TriggerUnderTest, string, object[]]>([
		[
			'two links of one message clicked at once',
			metigan,
			'email.clicked',
			['https://a.example/', 'https://b.example/'].map((url) => ({ metadata: { url } })),
		],
		[
			'two recipients of one message',
			metigan,
			'email.opened',
			[{ recipient: 'ada@example.com' }, { recipient: 'bob@example.com' }],
		],
		[
			'two changes of one deal',
			misarReach,
			'deal.updated',
			[{ status: 'proposal' }, { status: 'closed' }],
		],
		[
			'two posts that failed at once',
			misarPost,
			'post.failed',
			[{ postId: 'post_1' }, { postId: 'post_2' }],
		],
		[
			'two updates of one article at once',
			misarBlog,
			'article.updated',
			['one', 'two'].map((content_html) => ({ article: { ...article, content_html }, author: {} })),
		],
	])('both run, with different keys: %s', async (_what, trigger, event, both) => {
		stopClock(Date.parse('2026-01-02T03:04:05.678Z'));
		const host = startHost(trigger, { events: ['*'] });
		const deliveries = both.map((data) => signed(trigger, { event, data, id: 'shared_1' }));
		const keys = new Set<unknown>();
		for (const delivery of deliveries) {
			keys.add(outputOf((await host.deliver(delivery)).run)['deliveryId']);
		}
		expect(keys.size).toBe(2);
		for (const delivery of deliveries) {
			expect(await host.deliver(delivery)).toMatchObject({ body: { duplicate: true } });
		}
	});

	it('count as one if they share an ID that a document calls the event’s own', async () => {
		const host = startHost(misarMail);
		const sent = (envelope: string, subject: string) =>
			signed(misarMail, { envelope, id: `evt_${envelope}`, data: { subject } });
		for (const envelope of ['E1', 'E2', 'E3']) {
			const { run } = await host.deliver(sent(envelope, 'Hi'));
			expect(outputOf(run)).toMatchObject({ deliveryId: `evt_${envelope}` });
			expect(await host.deliver(sent(envelope, 'Hi again'))).toMatchObject({
				body: { duplicate: true },
			});
		}
	});

	it('are distinguished only by their arrival if the body has no ID and no time', async () => {
		let passed = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => passed);
		const host = startHost(mailPanda);
		const sent = signed(mailPanda, { data: { recipient: 'ada@example.com' } });
		const DAY = 24 * 60 * 60 * 1000;
		expect((await host.deliver(sent)).run).toHaveLength(1);
		passed = DAY;
		expect(await host.deliver(sent)).toMatchObject({ body: { duplicate: true } });
		passed = DAY + 1;
		expect((await host.deliver(sent)).run).toHaveLength(1);
		expect(await host.deliver(sent)).toMatchObject({ body: { duplicate: true } });
	});

	it('are remembered permanently if the body has their time', async () => {
		const now = Date.now();
		stopClock(now);
		const host = startHost(misarMail);
		const sent = signed(misarMail, { scheme: 'platform', envelope: 'E4' });
		expect((await host.deliver(sent)).run).toHaveLength(1);
		jest.setSystemTime(now + 30 * 24 * 60 * 60 * 1000);
		expect(await host.deliver(sent)).toMatchObject({ body: { duplicate: true } });
	});
});

it('an unsigned header cannot make an old delivery count as a new one', async () => {
	const host = startHost(misarMail);
	const { headers, body } = signed(misarMail, { scheme: 'platform', envelope: 'E4' });
	const replayed = ['evt_1', 'evt_2', 'evt_3'].map((id) => ({
		headers: { ...headers, 'x-misar-delivery': id },
		body,
	}));
	for (const delivery of replayed) await host.deliver(delivery);
	expect(host.runs).toHaveLength(1);
});

describe('a delivery of another product with the same secret', () => {
	const ofProduct = (product: string, { events: [event] }: TriggerUnderTest) =>
		buildDelivery({ provider: 'misar.dev', event, product, secret: SECRET });

	it.each([
		['mail', misarPost],
		['reach', misarMail],
		['dev', misarMail],
		['social', misarMail],
		['ink', misarReach],
		['mail', misarDev],
	])('is refused: %s', async (product, trigger) => {
		const host = startHost(trigger, { events: ['*'] });
		expect(await host.deliver(ofProduct(product, trigger))).toMatchObject({
			status: 401,
			body: { error: 'the delivery is for a different product' },
			run: undefined,
			ended: true,
		});
	});

	it.each([
		['mail', misarMail],
		['reach', misarReach],
		['social', misarPost],
		['post', misarPost],
		['dev', misarDev],
	])('runs without a warning if the product is the right one: %s', async (product, trigger) => {
		const host = startHost(trigger, { simplify: false });
		const delivery = ofProduct(product, trigger);
		expect(outputOf((await host.deliver(delivery)).run)['warnings']).toBeUndefined();
	});

	it.each([misarMail, misarReach, misarPost, misarDev])(
		'runs with a warning at $title if the product is unknown',
		async (trigger) => {
			const host = startHost(trigger, { simplify: false });
			const delivery = buildDelivery({
				provider: 'misar.dev',
				event: trigger.events[0],
				product: 'brand new',
				secret: SECRET,
			});
			expect(outputOf((await host.deliver(delivery)).run)['warnings']).toEqual([
				expect.stringMatching(/^product: Invalid (input|option): expected/),
			]);
		},
	);
});

describe('an unsigned ping', () => {
	const ping = (length: number) => {
		const body = JSON.stringify({ event: 'ping', timestamp: '2026-01-02T03:04:05Z', data: {} });
		return { headers: {}, body: body.padEnd(length) };
	};

	it('is accepted at Misar Post up to 4 kB', async () => {
		const host = startHost(misarPost);
		expect(await host.deliver(ping(4096))).toMatchObject({
			status: 200,
			body: { ignored: 'ping' },
		});
		expect(await host.deliver(ping(4097))).toMatchObject({ status: 401, run: undefined });
	});

	it.each([misarMail, misarReach, misarDev, misarBlog, mailPanda, metigan])(
		'is refused at $title, like any unsigned request',
		async (trigger) => {
			expect(await startHost(trigger).deliver(ping(0))).toMatchObject({ status: 401 });
		},
	);
});

describe('two triggers', () => {
	it('of one workflow each run an event with the same id', async () => {
		const first = startHost(misarMail);
		const second = startHost(
			misarMail,
			{},
			{ nodeName: 'Second', webhookId: 'd5b1', workflowId: 'the same workflow' },
			first,
		);
		const delivery = signed(misarMail);
		await first.listen();
		for (const host of [first, second]) {
			expect((await host.deliver(delivery)).run).toHaveLength(1);
			expect(await host.deliver(delivery)).toMatchObject({ body: { duplicate: true } });
		}
	});

	it.each<[string, Partial<ContextHostOptions>]>([
		['credential', { credentialId: 'another' }],
		['node', { nodeName: 'Another' }],
	])('do not verify with each other’s secret: each has its own %s', async (what, changes) => {
		const workflowId = `each its own ${what}`;
		const first = startHost(misarMail, {}, { workflowId });
		expect((await first.deliver(signed(misarMail))).run).toHaveLength(1);
		const credential = { signingSecret: 'the secret of the other' };
		const second = startHost(misarMail, {}, { workflowId, credential, ...changes });
		expect(await second.deliver(signed(misarMail))).toMatchObject({ status: 401, run: undefined });
	});
});

it('a secret that was removed verifies for 5 seconds and no longer', async () => {
	const now = Date.now();
	stopClock(now);
	const host = startHost(misarMail);
	expect((await host.deliver(signed(misarMail))).run).toHaveLength(1);
	host.credential = { ...host.credential, signingSecret: 'the new one' };
	jest.setSystemTime(now + 5_000);
	expect((await host.deliver(signed(misarMail))).run).toHaveLength(1);
	jest.setSystemTime(now + 5_001);
	expect(await host.deliver(signed(misarMail))).toMatchObject({ status: 401, run: undefined });
});

it.each([
	['email.open', 'open'],
	['open', 'email.open'],
])('Mail Panda: %s, typed as custom event, selects %s', async (customEvents, event) => {
	const host = startHost(mailPanda, { events: [], options: { customEvents } });
	expect(outputOf((await host.deliver(signed(mailPanda, { event }))).run)).toMatchObject({
		event: 'open',
	});
});

it('the full output has neither Authorization nor Cookie headers', async () => {
	const { headers, body } = signed(misarMail);
	const { run } = await startHost(misarMail, { simplify: false }).deliver({
		headers: { ...headers, authorization: 'Basic c2VjcmV0', cookie: 'session=c2VjcmV0' },
		body,
	});
	const output = outputOf(run);
	expect(output['headers']).toMatchObject({ 'user-agent': 'Misar-Webhook/1.0' });
	expect(JSON.stringify(output)).not.toContain('c2VjcmV0');
});

it('a bounce of Misar Mail has the output that the README shows', async () => {
	const readme = readFileSync(path.join(__dirname, '..', '..', 'README.md'), 'utf8');
	const [, sample = ''] = /### Output\n+```json\n(.*?)```/s.exec(readme) ?? [];
	const shown: { deliveryId: string; occurredAt: string } = JSON.parse(sample);
	const timestampMs = Date.parse(shown.occurredAt);
	stopClock(timestampMs);
	const { run } = await startHost(misarMail).deliver(
		signed(misarMail, {
			event: 'email.bounced',
			envelope: 'E3',
			id: shown.deliveryId,
			timestampMs,
		}),
	);
	expect(outputOf(run)).toEqual(shown);
});

describe('Accept Unverified Deliveries', () => {
	const options = { acceptUnverified: true };
	const forged = (trigger: TriggerUnderTest) => signed(trigger, { tamper: 'unsigned' });

	it('runs unverified deliveries of Mail Panda, registered by hand', async () => {
		const host = startHost(mailPanda, { options }, { credential: {} });
		expect((await host.deliver(forged(mailPanda))).run).toHaveLength(1);
	});

	it.each<[string, ICredentialDataDecryptedObject]>([
		['and so knows a secret', { apiKey: 'k' }],
		['even if the credential has become empty', {}],
	])(
		'accepts nothing unverified if the trigger registers its endpoint, %s',
		async (_what, credential) => {
			const parameters = { options, registration: 'automatic' };
			const host = startHost(mailPanda, parameters, { credential });
			expect(await host.deliver(forged(mailPanda))).toMatchObject({ status: 503, run: undefined });
		},
	);

	it.each(['signingSecret', 'previousSigningSecret'])(
		'accepts nothing unverified while a masked text is entered as %s',
		async (field) => {
			const credential = { [field]: 'whsec_••••••••' };
			const host = startHost(mailPanda, { options }, { credential });
			expect(await host.deliver(forged(mailPanda))).toMatchObject({ status: 401, run: undefined });
		},
	);

	it('accepts nothing unverified from the moment when a secret is entered', async () => {
		stopClock(Date.now());
		const host = startHost(mailPanda, { options }, { credential: {} });
		expect((await host.deliver(forged(mailPanda))).run).toHaveLength(1);
		host.credential = { signingSecret: SECRET };
		expect(await host.deliver(forged(mailPanda))).toMatchObject({ status: 401, run: undefined });
	});
});

it('a secret verifies from the moment when it is entered', async () => {
	stopClock(Date.now());
	const host = startHost(misarMail, {}, { credential: { signingSecret: 'the former one' } });
	expect(await host.deliver(signed(misarMail))).toMatchObject({ status: 401, run: undefined });
	host.credential = { signingSecret: SECRET };
	expect((await host.deliver(signed(misarMail))).run).toHaveLength(1);
});

it('a negative tolerance does not switch off the check of the time', async () => {
	const host = startHost(misarMail, { options: { toleranceSeconds: -1 } });
	expect(await host.deliver(signed(misarMail, { tamper: 'stale' }))).toMatchObject({
		status: 503,
		run: undefined,
	});
});

it('a time without a zone is UTC, in whichever zone n8n runs', () => {
	// A process of its own, because the zone of this one is fixed.
	const program = `
		const { readEvent } = require('./dist/nodes/shared/delivery/event.js');
		const { misarMail } = require('./dist/nodes/Misar/mail.js');
		const body = { type: 'email.sent', timestamp: '2026-01-02T03:04:05' };
		process.stdout.write(String(readEvent(misarMail, body, {}).occurredAt));`;
	const occurredAt = execFileSync(process.execPath, ['-e', program], {
		cwd: path.join(__dirname, '../..'),
		env: { ...process.env, TZ: 'Asia/Kolkata' },
		encoding: 'utf8',
	});
	expect(occurredAt).toBe('2026-01-02T03:04:05.000Z');
});
