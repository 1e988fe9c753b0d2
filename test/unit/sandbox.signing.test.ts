import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import Stripe from 'stripe';
import { buildDelivery, catalogue, type BuildDeliveryInput } from '../../sandbox';
import { misarReach } from '../../sandbox/providers/misarReach';

// By file: the package exports itself to `import` only, which jest's resolver does not ask for.
const { verify } = jest.requireActual<{
	verify(secret: string, payload: string, signature: string): Promise<boolean>;
}>('../../node_modules/@octokit/webhooks-methods/dist-node/index.js');

const AT = 1767323045000;
const metiganSecret = `whsec_${'a'.repeat(64)}`;
const metiganData = {
	recipient: 'a@example.com',
	subject: 'Hi',
	status: 'delivered',
	timestamp: '2026-01-02T03:04:05.000Z',
	metadata: {},
};
const mail: BuildDeliveryInput = {
	provider: 'misar.mail',
	event: 'email.delivered',
	secret: 'whsec_test_secret',
	id: 'evt_test_1',
	timestampMs: AT,
	data: { id: 'msg_1' },
};
const mailDigest = '073aac7ddf4705323fc54aabbf06c22946f2cdbcb7894180a5021cf0a5be815d';

/** HMAC-SHA256 by the openssl program, in hex. */
function openssl(secret: string, input: Buffer): string {
	const run = spawnSync('openssl', ['dgst', '-sha256', '-hmac', secret], { input });
	if (run.status !== 0) throw new Error(run.stderr.toString());
	return run.stdout.toString().trim().split(' ').pop() ?? '';
}

describe('the known signature', () => {
	test.each([
		['platform', 'x-misar-signature', `sha256=${mailDigest}`],
		['mailHeader', 'x-misarmail-signature', mailDigest],
		[
			'timestamped',
			'x-misar-signature',
			'e7f9d203749d21633219db92a98737b5f4a98cd6f3ec6a8d0af7cf4e363b5188',
		],
	])('is made for misar.mail with the scheme %s', (scheme, header, expected) => {
		const { headers, body } = buildDelivery({ ...mail, scheme, envelope: 'E1' });
		expect(body.toString()).toBe(
			'{"id":"evt_test_1","type":"email.delivered","product":"mail","timestamp":"2026-01-02T03:04:05Z","api_version":"v1","data":{"id":"msg_1"}}',
		);
		expect(headers[header]).toBe(expected);
		expect(headers['x-misar-timestamp']).toBe(scheme === 'timestamped' ? '1767323045' : undefined);
	});

	test('is made for misar.reach', () => {
		const headers = misarReach.schemes[0].sign({
			body: Buffer.from('{"event":"deal.won","data":{"id":"d1"}}'),
			secret: 'reach_secret',
			timestampSeconds: 1767323045,
		});
		expect(headers).toEqual({
			'x-reach-signature': '36ff7c1dd9ad3fb5fcdc7300eaa4ba960dcfab5529e90b9010c22f4b18972104',
			'x-reach-timestamp': '1767323045',
		});
	});

	test('is made for mailPanda', () => {
		const { headers, body } = buildDelivery({
			provider: 'mailPanda',
			event: 'email.open',
			secret: 'whsec_panda',
			data: { id: 1 },
		});
		expect(body.toString()).toBe('{"event":"email.open","data":{"id":1}}');
		expect(headers['x-webhook-signature']).toBe(
			'3b789e1e869eca8c603038e8b5f67c77ec20bcefd67d1d0c58749d540ff1eb36',
		);
	});

	test('is made for metigan', () => {
		const { headers, body } = buildDelivery({
			provider: 'metigan',
			event: 'email.delivered',
			secret: metiganSecret,
			id: 'msg_1',
			timestampMs: AT,
			data: metiganData,
		});
		expect(body.toString()).toBe(
			`{"event":"email.delivered","messageId":"msg_1","data":${JSON.stringify(metiganData)},"timestamp":1767323045000}`,
		);
		expect(headers['x-webhook-signature']).toBe(
			't=1767323045,v1=b02de751409a59328955d5f24d8e544d41b04494321c33595b330f4a9b0e53d1',
		);
	});
});

describe('other implementations agree', () => {
	const tricky = { name: 'Zoë 🎉 "quoted" \\ \u2028', nested: { list: [1, null, true] } };

	test("stripe accepts Metigan's header and makes the same one", () => {
		const webhooks = new Stripe('sk_test_x').webhooks;
		const { headers, body } = buildDelivery({
			provider: 'metigan',
			event: 'email.opened',
			secret: metiganSecret,
			data: tricky,
		});
		const signature = headers['x-webhook-signature'] ?? '';
		const timestamp = Number(/^t=(\d+)/.exec(signature)?.[1]);
		expect(() => webhooks.constructEvent(body, signature, metiganSecret, 300)).not.toThrow();
		expect(
			webhooks.generateTestHeaderString({
				payload: body.toString(),
				secret: metiganSecret,
				timestamp,
			}),
		).toBe(signature);
	});

	test('octokit accepts the platform signature of every Misar product', async () => {
		const signed = catalogue.filter(({ schemes }) => schemes.some(({ id }) => id === 'platform'));
		expect(signed.map(({ provider }) => provider)).toEqual([
			'misar.mail',
			'misar.post',
			'misar.dev',
			'misar.ai',
			'misar.ink',
			'misarBlog',
		]);
		for (const { provider } of signed) {
			const { headers, body } = buildDelivery({
				provider,
				event: 'any.event',
				secret: 's3cret',
				scheme: 'platform',
				data: tricky,
			});
			const signature = headers['x-misar-signature'] ?? '';
			expect(await verify('s3cret', body.toString(), signature)).toBe(true);
			expect(await verify('other', body.toString(), signature)).toBe(false);
		}
	});

	test.each([
		['misar.mail', 'timestamped', 'x-misar-signature', 'x-misar-timestamp'],
		['misar.mail', 'mailHeader', 'x-misarmail-signature', undefined],
		['misar.reach', 'reach', 'x-reach-signature', 'x-reach-timestamp'],
		['misar.post', 'platformBare', 'x-misar-signature', undefined],
		['mailPanda', 'bare', 'x-webhook-signature', undefined],
		['metigan', 'timestampHeader', 'x-webhook-signature', 'x-webhook-timestamp'],
		['metigan', 'v1TimestampHeader', 'x-webhook-signature', 'x-webhook-timestamp'],
		['metigan', 'legacy', 'x-metigan-signature', undefined],
	] as const)(
		'openssl makes the signature of %s %s',
		(provider, scheme, header, timestampHeader) => {
			const { headers, body } = buildDelivery({
				provider,
				scheme,
				event: 'email.open',
				secret: 'whsec_ünï',
				data: tricky,
			});
			const timestamp = timestampHeader === undefined ? undefined : headers[timestampHeader];
			const prefix = timestamp === undefined ? '' : `${timestamp}.`;
			expect(headers[header]?.replace(/^v1=/, '')).toBe(
				openssl('whsec_ünï', Buffer.concat([Buffer.from(prefix), body])),
			);
		},
	);
});

describe('a delivery', () => {
	test('has data for every event of every provider in every envelope', () => {
		for (const { provider, envelopes, events } of catalogue) {
			for (const { name } of events) {
				for (const { id: envelope } of envelopes) {
					const { body } = buildDelivery({ provider, event: name, envelope, secret: 's' });
					const parsed: unknown = JSON.parse(body.toString());
					const data = provider === 'misarBlog' ? 'article' : 'data';
					expect(parsed).toEqual(expect.objectContaining({ [data]: expect.objectContaining({}) }));
					expect(body.toString()).toContain(`"${name}"`);
				}
			}
		}
	});

	test('has its event, scheme and envelope listed once in the catalogue, each with a source', () => {
		for (const { schemes, envelopes, events } of catalogue) {
			for (const names of [
				schemes.map(({ id }) => id),
				envelopes.map(({ id }) => id),
				events.map(({ name }) => name),
			]) {
				expect(new Set(names).size).toBe(names.length);
			}
			for (const { source } of [...schemes, ...envelopes, ...events]) expect(source).not.toBe('');
		}
	});

	test('of misar.mail has the casing of its envelope', () => {
		const dataOf = (envelope: string, event: string): unknown => {
			const parsed: { data: unknown } = JSON.parse(
				buildDelivery({
					provider: 'misar.mail',
					event,
					envelope,
					secret: 's',
					timestampMs: AT,
				}).body.toString(),
			);
			return parsed.data;
		};
		expect(dataOf('E1', 'email.delivered')).toEqual({
			id: 'msg_01j9abc',
			to: 'ada@example.com',
			subject: 'Welcome!',
			delivered_at: '2026-01-02T03:04:05Z',
		});
		expect(dataOf('E2', 'email.delivered')).toMatchObject({
			messageId: 'msg_01j9abc',
			campaignId: null,
			deliveredAt: '2026-01-02T03:04:05.000Z',
		});
		expect(dataOf('E3', 'email.bounced')).toEqual({
			message_id: 'msg_01j9abc',
			email: 'ada@example.com',
			bounce_type: 'hard',
			bounce_code: '550',
			bounce_message: '5.1.1 User unknown',
			timestamp: '2026-01-02T03:04:05.000Z',
		});
		expect(dataOf('E1', 'email.clicked')).toEqual({
			id: 'msg_01j9abc',
			to: 'ada@example.com',
			url: 'https://example.com/pricing',
			clicked_at: '2026-01-02T03:04:05Z',
		});
	});

	test('of Misar.Blog has article and author at the top and the secret itself in a header', () => {
		const { headers, body } = buildDelivery({
			provider: 'misarBlog',
			event: 'article.deleted',
			secret: 'shared',
			id: '550e8400-e29b-41d4-a716-446655440000',
		});
		expect(headers).toEqual({
			'content-type': 'application/json',
			'user-agent': 'MisarBlog-Webhook/1.0',
			'x-webhook-event': 'article.deleted',
			'x-webhook-secret': 'shared',
		});
		expect(JSON.parse(body.toString())).toMatchObject({
			event: 'article.deleted',
			article: { id: '550e8400-e29b-41d4-a716-446655440000', content_html: null, tags: null },
			author: { username: 'mrgulshanyadav' },
		});
	});

	test('of Metigan has the same ID for the same event at the same time, and a different one at another time', () => {
		const idAt = (timestampMs: number) =>
			buildDelivery({
				provider: 'metigan',
				event: 'email.sent',
				secret: 's',
				id: 'msg_1',
				timestampMs,
			}).headers['x-webhook-id'];
		expect(idAt(AT)).toBe(idAt(AT));
		expect(idAt(AT)).not.toBe(idAt(AT + 1));
	});
});

describe('a tampered delivery', () => {
	const hmac = (body: Buffer) => `sha256=${createHmac('sha256', 's').update(body).digest('hex')}`;
	const input: BuildDeliveryInput = {
		provider: 'misar.mail',
		scheme: 'platform',
		event: 'email.opened',
		secret: 's',
		id: 'evt_1',
		timestampMs: AT,
	};
	const good = buildDelivery(input);

	test('verifies if nothing was changed', () =>
		expect(good.headers['x-misar-signature']).toBe(hmac(good.body)));

	test('differs in one byte and is still valid JSON: body', () => {
		const { headers, body } = buildDelivery({ ...input, tamper: 'body' });
		expect(headers).toEqual(good.headers);
		expect(body.length).toBe(good.body.length);
		expect([...body].filter((byte, index) => byte !== good.body[index])).toHaveLength(1);
		expect(() => JSON.parse(body.toString())).not.toThrow();
	});

	test('differs in one digit of the signature: signature', () => {
		const { headers, body } = buildDelivery({ ...input, tamper: 'signature' });
		const signature = headers['x-misar-signature'] ?? '';
		expect(body).toEqual(good.body);
		expect(signature).toMatch(/^sha256=[0-9a-f]{64}$/);
		expect(signature.slice(0, -1)).toBe(hmac(body).slice(0, -1));
		expect(signature).not.toBe(hmac(body));
	});

	test('is signed with another secret: wrongSecret', () => {
		const { headers, body } = buildDelivery({ ...input, tamper: 'wrongSecret' });
		expect(headers['x-misar-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
		expect(headers['x-misar-signature']).not.toBe(hmac(body));
	});

	test('lacks the proof but no other header: unsigned', () => {
		const { headers } = buildDelivery({ ...input, scheme: 'timestamped', tamper: 'unsigned' });
		expect(Object.keys(headers).sort()).toEqual([
			'content-type',
			'user-agent',
			'x-misar-delivery',
			'x-misar-event',
		]);
	});

	test.each([
		['stale', 1767322445],
		['future', 1767323645],
	] as const)('is signed correctly, ten minutes off: %s', (tamper, timestamp) => {
		const { headers, body } = buildDelivery({ ...input, scheme: 'timestamped', tamper });
		expect(headers['x-misar-timestamp']).toBe(String(timestamp));
		const expected = createHmac('sha256', 's').update(`${timestamp}.`).update(body).digest('hex');
		expect(headers['x-misar-signature']).toBe(expected);
	});

	test('is signed correctly, while its header names another event: swappedEvent', () => {
		const { headers, body } = buildDelivery({ ...input, tamper: 'swappedEvent' });
		expect(headers['x-misar-event']).not.toBe('email.opened');
		expect(headers['x-misar-signature']).toBe(hmac(body));
	});

	test('is signed for another product: product', () => {
		const { headers, body } = buildDelivery({ ...input, product: 'social' });
		expect(JSON.parse(body.toString())).toMatchObject({ product: 'social', id: 'evt_1' });
		expect(headers['x-misar-signature']).toBe(hmac(body));
	});

	test('is signed with a byte order mark before the same body: byteOrderMark', () => {
		const { headers, body } = buildDelivery({ ...input, byteOrderMark: true });
		expect(body).toEqual(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good.body]));
		expect(headers['x-misar-signature']).toBe(hmac(body));
	});

	test.each([
		[{ ...input, tamper: 'stale' as const }, /signs no timestamp/],
		[{ ...input, scheme: 'mailHeader', tamper: 'swappedEvent' as const }, /no event header/],
		[
			{ ...input, scheme: 'none' },
			/Unknown misar.mail signature scheme "none"; known: timestamped/,
		],
		[{ ...input, envelope: 'E9' }, /Unknown misar.mail envelope "E9"; known: E1, E2, E3, E4/],
		[{ ...input, envelope: 'E4', product: 'post' }, /Envelope "E4" has no product to replace/],
	])('is refused if it cannot be built', (impossible, message) => {
		expect(() => buildDelivery(impossible)).toThrow(message);
	});
});
