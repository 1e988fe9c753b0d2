import { createHmac } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Tamper } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { metigan, misarMail, type TriggerUnderTest } from './providers';

/** Every row of the design's answer table, for deliveries over real HTTP. */

const SECRET = 'whsec_of_this_test';
const hosts: ContextHost[] = [];

afterEach(async () => {
	await Promise.all(hosts.splice(0).map((host) => host.close()));
});

function startHost(
	trigger: TriggerUnderTest,
	parameters: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
): ContextHost {
	const host = new ContextHost({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: { signingSecret: SECRET },
		parameters: {
			...trigger.parameters,
			registration: 'manual',
			events: [...trigger.events],
			...parameters,
		},
		// Its own workflow, because the nodes' memory of deliveries is the process's.
		workflowId: `workflow ${hosts.length} of ${expect.getState().currentTestName}`,
		...changes,
	});
	hosts.push(host);
	return host;
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
				...['data', 'deliveryId', 'event', 'occurredAt', 'provider'],
			].sort(),
		);
		expect(output).toMatchObject({
			provider: trigger === misarMail ? 'misar' : 'metigan',
			event: trigger.events[0],
			data: body['data'],
		});
		expect(new Date(String(output['occurredAt'])).toISOString()).toBe(output['occurredAt']);
	});

	it('shows headers, payload and verification when it is not simplified, without the signature', async () => {
		const delivery = signed(trigger);
		const { run } = await startHost(trigger, { simplify: false }).deliver(delivery);
		const output = outputOf(run);

		expect(output['payload']).toEqual(JSON.parse(delivery.body.toString()));
		expect(output['verification']).toMatchObject({
			scheme: trigger.scheme,
			signedAt: expect.stringMatching(/^\d{4}-/),
		});
		expect(output['headers']).toMatchObject({ 'content-type': 'application/json' });
		const text = JSON.stringify(output);
		expect(text).not.toContain(SECRET);
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

	it('is refused when no secret is configured at all', async () => {
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

	it('is verified when it was signed over bytes that are no valid UTF-8', async () => {
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

	it('is verified whatever its content type, and refused as multipart', async () => {
		const delivery = signed(trigger);
		const asText = { ...delivery, headers: { ...delivery.headers, 'content-type': 'text/plain' } };
		expect((await startHost(trigger).deliver(asText)).run).toHaveLength(1);
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
			let release = () => {};
			const entered = new Promise<void>((resolve) => {
				host.beforeAnswer = async () => {
					resolve();
					await new Promise<void>((done) => {
						release = done;
					});
				};
			});
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

		it('runs twice when duplicates are wanted, in another workflow, and while testing', async () => {
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
	])('with bounces narrowed to %s and one that is %s runs: %s', async (wanted, actual, runs) => {
		const host = startHost(trigger, { events: ['*'], options: { bounceType: wanted } });
		const data = actual === undefined ? {} : { bounceType: actual };
		const result = await host.deliver(signed(trigger, { event: 'email.bounced', data }));
		expect(result.status).toBe(200);
		expect(result.run !== undefined).toBe(runs);
	});

	it.each([
		['no credential can be read', { options: {} }, { credential: { signingSecret: 42 as never } }],
		['an option is no number', { options: { toleranceSeconds: 'many' } }, {}],
		['no event is selected', { events: [] }, {}],
	])('is put off with 503, not lost, when %s', async (_what, parameters, changes) => {
		const result = await startHost(trigger, parameters, changes).deliver(signed(trigger));
		expect(result).toMatchObject({ status: 503, run: undefined, ended: true });
	});

	it('accepts any age with a tolerance of 0', async () => {
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

	it('refuses a delivery whose event header differs from the body', async () => {
		const delivery = signed(misarMail, { scheme: 'platform', tamper: 'swappedEvent' });
		expect(await startHost(misarMail, { events: ['*'] }).deliver(delivery)).toMatchObject({
			status: 401,
			body: { error: 'the event header differs from the event in the body' },
			run: undefined,
		});
	});

	it('refuses other schemes when one is pinned', async () => {
		const host = startHost(misarMail, { options: { signatureScheme: 'timestamped' } });
		expect(await host.deliver(signed(misarMail, { scheme: 'platform' }))).toMatchObject({
			status: 401,
		});
		expect((await host.deliver(signed(misarMail))).run).toHaveLength(1);
	});

	it('refuses a timestamped signature replayed as one over a body with the timestamp glued on', async () => {
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
	it('keeps two events of one message apart', async () => {
		const host = startHost(metigan, { events: ['*'] });
		for (const event of ['email.delivered', 'email.opened']) {
			await host.deliver(signed(metigan, { event, id: 'msg_1' }));
		}
		expect(host.runs).toHaveLength(2);
	});

	it('accepts the legacy header only when it is chosen', async () => {
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
