import { describe, expect, it } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { mailPanda } from '../../nodes/MailPanda/provider';
import { metigan } from '../../nodes/Metigan/provider';
import { misarMail } from '../../nodes/Misar/mail';
import { misarReach } from '../../nodes/Misar/reach';
import { misarPost } from '../../nodes/Misar/post';
import { misarBlog } from '../../nodes/MisarBlog/provider';
import { parseBody } from '../../nodes/shared/delivery/body';
import {
	contradictsHeader,
	identifyEvent,
	readEvent,
	type ReceivedEvent,
} from '../../nodes/shared/delivery/event';
import type { EnvelopeFacts, Provider } from '../../nodes/shared/provider';

const [metiganProvider] = metigan;
const [mailPandaProvider] = mailPanda;
const [blogProvider] = misarBlog;
const ISO = '2026-01-02T03:04:05.000Z';

function parse(text: string): IDataObject {
	const body = parseBody(Buffer.from(text));
	if (body === undefined) throw new Error(`no JSON object: ${text}`);
	return body;
}

/** Reads a body as it would arrive, as JSON text. */
function read(
	provider: Provider,
	body: object,
	headers: Readonly<Record<string, unknown>> = {},
): ReceivedEvent {
	return readEvent(provider, parse(JSON.stringify(body)), headers);
}

function withEnvelope(changes: Partial<EnvelopeFacts>): Provider {
	return { ...misarMail, envelope: { ...misarMail.envelope, ...changes } };
}

describe('parsing a body', () => {
	it.each([
		['{}', {}],
		[' \r\n{"a":[1]} ', { a: [1] }],
		['\ufeff{"a":[1]}', { a: [1] }],
		['\ufeff\ufeff\ufeff{"a":[1]}', { a: [1] }],
		['{"a":"\ufeff"}', { a: '\ufeff' }],
		['{"name":"Zoë 🐼"}', { name: 'Zoë 🐼' }],
	])('reads an object: %j', (text, expected) => {
		expect(parseBody(Buffer.from(text))).toEqual(expected);
	});

	it.each([
		'',
		' ',
		'{\ufeff}',
		'\ufeff',
		'null',
		'true',
		'5',
		'"text"',
		'[]',
		'[{"a":1}]',
		'{"a":',
		'{a:1}',
		'{} {}',
	])('refuses %j', (text) => {
		expect(parseBody(Buffer.from(text))).toBeUndefined();
	});

	it('reads bytes that are not UTF-8, and survives deep nesting', () => {
		const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
		expect(parseBody(bytes)).toEqual({ a: '\ufffd' });
		const deep = `{"event":"email.sent","data":${'['.repeat(5000)}${']'.repeat(5000)}}`;
		expect(readEvent(metiganProvider, parse(deep), {}).name).toBe('email.sent');
	});
});

/** One documented example an envelope; none of them may raise a warning. */
describe('Misar Mail envelopes', () => {
	it.each([
		[
			'E1 of the platform page',
			{
				id: 'evt_1',
				type: 'email.delivered',
				product: 'mail',
				timestamp: '2026-01-02T03:04:05Z',
				api_version: 'v1',
				data: { id: 'msg_1', to: 'a@example.com', subject: 'Hi', delivered_at: ISO },
			},
			{ name: 'email.delivered' },
		],
		[
			'E2 of the developer reference',
			{
				id: 'evt_2',
				type: 'email.opened',
				createdAt: ISO,
				data: {
					messageId: 'msg_1',
					email: 'a@example.com',
					openedAt: ISO,
					userAgent: 'Mozilla/5.0',
					ip: '192.0.2.1',
					machineOpen: false,
				},
			},
			{ name: 'email.opened' },
		],
		[
			'E3 of the mail reference',
			{
				id: 'evt_3',
				type: 'email.bounced',
				created_at: '2026-01-02T05:04:05+02:00',
				data: {
					message_id: 'msg_1',
					email: 'a@example.com',
					bounce_type: 'hard',
					bounce_code: '550',
					bounce_message: 'no such user',
				},
			},
			{ name: 'email.bounced', bounceType: 'hard' },
		],
		[
			"E4 of the platform's API page",
			{ event: 'email.delivered', timestamp: ISO, data: { id: 'msg_123' } },
			{ name: 'email.delivered', recipient: null },
		],
	])('reads %s', (_what, body, expected) => {
		expect(read(misarMail, body)).toEqual({
			bounceType: undefined,
			recipient: 'a@example.com',
			...expected,
			named: true,
			occurredAt: ISO,
			data: body.data,
			warnings: [],
		});
	});

	it.each([
		[
			'email.delivered',
			{ messageId: 'm', to: 'a@example.com', subject: 'Hi', campaignId: null, deliveredAt: ISO },
		],
		[
			'email.clicked',
			{ messageId: 'm', email: 'a@example.com', url: 'https://a/', clickedAt: ISO },
		],
		['email.complained', {}],
		['email.brand_new', { anything: 1 }],
	])('reads documented E2 data of %s without a warning', (type, data) => {
		expect(read(misarMail, { id: 'evt_1', type, createdAt: ISO, data }).warnings).toEqual([]);
	});

	it('compares data with the shape of its own envelope', () => {
		const snakeCase = { message_id: 'm', email: 'a@example.com', timestamp: ISO };
		const event = { id: 'evt_1', type: 'email.opened', data: snakeCase };
		expect(read(misarMail, { ...event, created_at: ISO }).warnings).toEqual([]);
		const { warnings } = read(misarMail, { ...event, createdAt: ISO });
		expect(warnings).toEqual(
			expect.arrayContaining([
				'data.messageId: Invalid input: expected string, received undefined',
				'data.openedAt: Invalid input: expected string, received undefined',
			]),
		);
	});

	it('compares a body without a distinguishing field with the platform page', () => {
		const { warnings, named } = read(misarMail, { id: 'evt_1', type: 'email.sent', data: {} });
		expect(named).toBe(true);
		expect([...warnings].sort()).toEqual([
			'api_version: Invalid input: expected string, received undefined',
			'product: Invalid input: expected "mail"',
			'timestamp: Invalid input: expected string, received undefined',
		]);
	});
});

describe('Metigan bodies', () => {
	const delivered = {
		event: 'email.delivered',
		messageId: 'msg_1',
		data: {
			recipient: 'a@example.com',
			subject: 'Hi',
			status: 'delivered',
			timestamp: ISO,
			metadata: { queueId: 'q1', dsn: '2.0.0', statusDetail: '250 OK' },
		},
		timestamp: 1767323045000,
	};

	it('are read as the guide and the SDK document them', () => {
		expect(read(metiganProvider, delivered)).toEqual({
			name: 'email.delivered',
			named: true,
			occurredAt: ISO,
			recipient: 'a@example.com',
			data: delivered.data,
			bounceType: undefined,
			warnings: [],
		});
	});

	it('have their time only in the data if the envelope has none', () => {
		const { event: type, data } = delivered;
		expect(read(metiganProvider, { type, data }).occurredAt).toBe(ISO);
	});

	it.each([
		[
			'email.sent',
			{
				to: 'a@example.com',
				from: 'b@example.com',
				subject: 'Hi',
				emailId: 'e',
				messageId: 'm',
				trackingId: 't',
				hasAttachments: false,
				attachmentsCount: 0,
				timestamp: ISO,
			},
		],
		[
			'email.opened',
			{
				recipient: 'a@example.com',
				subject: 'Hi',
				status: 'opened',
				timestamp: ISO,
				openCount: 2,
				metadata: { ip: '192.0.2.1', device: { type: 'phone' }, geolocation: { city: 'Maputo' } },
			},
		],
		['email.opened', { recipient: 'a@example.com', timestamp: ISO, metadata: { device: 'phone' } }],
		['email.clicked', { ...delivered.data, metadata: { url: 'https://example.com/' } }],
		['email.bounced', { ...delivered.data, metadata: { bounceReason: 'no such user' } }],
		['email.bounced', { ...delivered.data, bounceType: 'hard' }],
		['email.complained', delivered.data],
		['email.unsubscribed', { email: 'a@example.com', timestamp: ISO }],
		['email.failed', { to: 'a@example.com', emailId: 'e', reason: 'suppressed' }],
		['contact.created', { contactId: 'c', email: 'a@example.com', audienceId: 'a', userId: 'u' }],
		['contact.created', { id: 'c', email: 'a@example.com', firstName: 'A', tags: ['x'] }],
		['contact.deleted', { _id: 'c', name: 'A' }],
		['form.submitted', {}],
	])('are read without a warning from documented data of %s', (event, data) => {
		expect(read(metiganProvider, { ...delivered, event, data }).warnings).toEqual([]);
	});

	it('may name their event in "type", as the old API page does', () => {
		const { event, ...old } = delivered;
		expect(read(metiganProvider, { ...old, type: event })).toMatchObject({
			name: 'email.delivered',
			named: true,
			warnings: [],
		});
	});
});

describe('the key of an event', () => {
	const DIGEST = /^[0-9a-f]{64}$/;
	const identify = (provider: Provider, body: object, written = JSON.stringify(body)) =>
		identifyEvent(provider, parse(written), Buffer.from(written));

	it('is the ID that a document calls the event’s own, regardless of the rest of the body', () => {
		const body = { id: 'evt_1', api_version: 'v1', type: 'a.b' };
		for (const provider of [misarMail, misarPost, blogProvider]) {
			for (const data of [{}, { status: 'new' }]) {
				expect(identify(provider, { ...body, data })).toEqual({
					deliveryId: 'evt_1',
					mayRecur: false,
				});
			}
		}
	});

	it.each(['', 5, null, {}, ['evt_1'], undefined])(
		'is the digest of the body for an ID of %j',
		(id) => {
			const { deliveryId } = identify(misarMail, { id, event: 'email.sent', timestamp: ISO });
			expect(deliveryId).toMatch(DIGEST);
		},
	);

	it.each<[string, Provider, object, RegExp]>([
		[
			'Metigan',
			metiganProvider,
			{ event: 'email.clicked', messageId: 'msg_1', timestamp: 1767323045000 },
			/^email\.clicked:msg_1:1767323045000:[0-9a-f]{16}$/,
		],
		[
			'Metigan without a message',
			metiganProvider,
			{ event: 'email.clicked', timestamp: 1 },
			DIGEST,
		],
		['Misar Reach', misarReach, { id: 'deal_1', api_version: 'v1' }, /^deal_1:[0-9a-f]{16}$/],
		['Misar Reach without an id', misarReach, { event: 'deal.won' }, DIGEST],
		['Misar Post', misarPost, { id: 'post_1', event: 'post.failed' }, DIGEST],
		[
			'Misar.Blog',
			blogProvider,
			// An id that no document calls the event's own may be the author's.
			{ id: 'u1', event: 'article.updated', timestamp: ISO, article: { id: 'a1' } },
			/^a1:article\.updated:2026-01-02T03:04:05\.000Z:[0-9a-f]{16}$/,
		],
		['Mail Panda', mailPandaProvider, { id: 'msg_1', event: 'open' }, DIGEST],
	])('is not an ID that several events can share: %s', (_what, provider, body, written) => {
		const [first, second] = [{ url: 'a' }, { url: 'b' }].map(
			(data) => identify(provider, { ...body, data }).deliveryId,
		);
		expect(first).toMatch(written);
		expect(second).toMatch(written);
		expect(first).not.toBe(second);
		expect(identify(provider, { ...body, data: { url: 'a' } }).deliveryId).toBe(first);
	});

	it('expires if the body has no time', () => {
		expect(identify(mailPandaProvider, { event: 'open' }).mayRecur).toBe(true);
		expect(identify(mailPandaProvider, { event: 'open', timestamp: ISO }).mayRecur).toBe(false);
		expect(identify(misarReach, { id: 'deal_1' }).mayRecur).toBe(true);
		expect(identify(misarReach, { id: 'deal_1', timestamp: ISO }).mayRecur).toBe(false);
		expect(identify(misarMail, { id: 'evt_1' }).mayRecur).toBe(false);
	});
});

describe('the time of an event', () => {
	const at = (timestamp: unknown, more: object = {}) =>
		read(misarMail, { event: 'email.sent', timestamp, data: {}, ...more }).occurredAt;

	it.each<[unknown, string]>([
		['2026-01-02T03:04:05Z', ISO],
		['2026-01-02T03:04:05.000Z', ISO],
		['2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.123Z'],
		['2026-01-02T08:34:05+05:30', ISO],
		['2026-01-02', '2026-01-02T00:00:00.000Z'],
		['2026-01-02T03:04Z', '2026-01-02T03:04:00.000Z'],
		['2026-01-02T08:34:05+0530', ISO],
		['2026-01-01T22:04:05-05:00', ISO],
		// Without a zone it is UTC, whatever zone this machine is in.
		['2026-01-02T03:04:05', ISO],
		['2026-01-02T03:04:05.000', ISO],
		['2026-01-02T03:04', '2026-01-02T03:04:00.000Z'],
		['2026-07-02T03:04:05', '2026-07-02T03:04:05.000Z'],
		[1767323045000, ISO],
		[1767323045123, '2026-01-02T03:04:05.123Z'],
		// Unix time in the unit that its size tells, as a number and as text.
		[0, '1970-01-01T00:00:00.000Z'],
		[1767323045, ISO],
		[1767323045.123, '2026-01-02T03:04:05.123Z'],
		[99_999_999_999, '5138-11-16T09:46:39.000Z'],
		[100_000_000_000, '1973-03-03T09:46:40.000Z'],
		[1767323045000123, ISO],
		[1.767323045e18, ISO],
		['1767323045', ISO],
		['1767323045.5', '2026-01-02T03:04:05.500Z'],
		['1767323045000', ISO],
		[' 1767323045 ', ISO],
		['100000000', '1973-03-03T09:46:40.000Z'],
		// As databases, languages and emails write it.
		['2026-01-02 03:04:05', ISO],
		['2026-01-02 03:04:05.123456', '2026-01-02T03:04:05.123Z'],
		['2026-01-02 03:04:05,123', '2026-01-02T03:04:05.123Z'],
		['2026-01-02 03:04:05+00', ISO],
		['2026-01-02 08:34:05 +0530', ISO],
		['2026-01-02 03:04:05 UTC', ISO],
		['2026-01-02T03:04:05 UTC', ISO],
		['2026-01-02t03:04:05z', ISO],
		['2026-01-02T03:04:05z', ISO],
		[' 2026-01-02T03:04:05Z', ISO],
		['2026-01-02T03:04:05Z\n', ISO],
		['Fri, 02 Jan 2026 03:04:05 GMT', ISO],
		['Fri, 2 Jan 2026 03:04:05 +0000', ISO],
		['fri, 02 jan 2026 03:04:05 gmt', ISO],
		['02 Jan 2026 08:34:05 +0530', ISO],
		['Thu, 01 Jan 2026 22:04:05 EST', ISO],
		['Fri, 02 Jan 2026 03:04:05', ISO],
		['2 Jan 2026 03:04', '2026-01-02T03:04:00.000Z'],
	])('is given in UTC for %j', (timestamp, expected) => {
		expect(at(timestamp)).toBe(expected);
	});

	it.each([
		'yesterday',
		'foo 1',
		'1',
		'2026',
		'20260102',
		'20260102030405',
		'2026-01',
		'-1767323045',
		'1.767323045e9',
		'01/02/2026',
		'2 January 2026',
		'Fri, 02 Jan 2026 03:04:05 CET',
		'Fri, 02 Jan 2026 25:04:05 GMT',
		'Fri, 02 Foo 2026 03:04:05 GMT',
		'2026-1-2',
		'2026-01-02Z',
		'2026-13-01T00:00:00Z',
		'2026-01-02T25:00:00Z',
		'2026-01-02  03:04:05',
		'NaN',
		1e300,
		1e20,
		-1,
		-1e16,
		true,
		{},
		[1767323045000],
	])('is null for %j, with a warning', (timestamp) => {
		expect(at(timestamp)).toBeNull();
		const { warnings } = read(misarMail, { event: 'email.sent', timestamp, data: {} });
		expect(warnings.filter((warning) => warning.startsWith('timestamp: '))).toHaveLength(1);
	});

	it.each(['', ' ', null, [], undefined])('is null for %j, without a warning', (timestamp) => {
		const body = { event: 'open', timestamp, data: {} };
		expect(read(mailPandaProvider, body)).toMatchObject({ occurredAt: null, warnings: [] });
	});

	it('raises a warning if it cannot be read, even if another field has it', () => {
		const body = { event: 'open', timestamp: 'soon', createdAt: ISO, data: {} };
		expect(read(mailPandaProvider, body)).toMatchObject({
			occurredAt: ISO,
			warnings: ['timestamp: not a time that can be read'],
		});
		const ofData = { event: 'open', data: { timestamp: 'soon' } };
		expect(read(mailPandaProvider, ofData).warnings).toEqual([
			'data.timestamp: not a time that can be read',
		]);
	});

	it('is taken from the first field that has it, and null if none does', () => {
		expect(at(undefined)).toBeNull();
		expect(at(undefined, { sent_at: ISO })).toBeNull();
		expect(at('junk', { createdAt: {}, created_at: ISO })).toBe(ISO);
		expect(at(ISO, { createdAt: '2020-01-01T00:00:00Z' })).toBe(ISO);
	});
});

describe('the name of an event', () => {
	it.each<[string, object]>([
		['missing', {}],
		['empty', { type: '', event: '' }],
		['no text', { type: 5, event: { name: 'email.sent' } }],
		['null', { type: null }],
		['blank', { type: ' \n' }],
	])('is "unknown" when it is %s, whatever the header says', (_what, body) => {
		const event = read(misarMail, body, { 'x-misar-event': 'email.sent' });
		expect(event).toMatchObject({ name: 'unknown', named: false, data: {} });
		expect(event.warnings.length).toBeGreaterThan(0);
	});

	it.each<[Provider, string, string]>([
		[misarMail, 'Email.Bounced', 'email.bounced'],
		[misarMail, ' email.bounced ', 'email.bounced'],
		[misarMail, 'EMAIL.BOUNCED\n', 'email.bounced'],
		[misarMail, 'Ping', 'ping'],
		[misarPost, 'Post.Published', 'post.published'],
		[misarReach, 'DEAL.WON', 'deal.won'],
		[blogProvider, 'Article.Published', 'article.published'],
		[mailPandaProvider, 'BOUNCE', 'bounce'],
		[mailPandaProvider, ' Email.Bounce', 'bounce'],
		[metiganProvider, 'email.Bounced', 'email.bounced'],
		// Not in a list, so it is kept as it was written.
		[metiganProvider, ' Brand.New ', 'Brand.New'],
	])('is the documented one, with a warning: case %#', (provider, written, expected) => {
		for (const field of provider.envelope.eventFields) {
			const { name, named, warnings } = read(provider, { [field]: written });
			expect({ name, named }).toEqual({ name: expected, named: true });
			expect(warnings).toContain(`${field}: read as ${expected}`);
		}
	});

	it.each(['email.sent', 'Email.Sent', ' email.sent '])(
		'may be repeated by a header in another spelling: %j',
		(value) => {
			const body = { type: 'EMAIL.sent', data: {} };
			const { warnings } = read(misarMail, body, { 'x-misar-event': value });
			expect(warnings.join()).not.toContain('header');
			expect(
				contradictsHeader(blogProvider, parse('{"event":"Article.Deleted"}'), {
					'x-webhook-event': 'article.deleted',
				}),
			).toBe(false);
		},
	);

	it('is not confused with that of an event called "unknown"', () => {
		expect(read(misarMail, { type: 'unknown' })).toMatchObject({ name: 'unknown', named: true });
	});

	it('is taken from the first field that holds text', () => {
		expect(read(misarMail, { type: 'a.b', event: 'c.d' }).name).toBe('a.b');
		expect(read(misarMail, { type: '', event: 'c.d' }).name).toBe('c.d');
		expect(read(misarMail, { type: ' ', event: 'c.d' }).name).toBe('c.d');
		// As its help page writes it, whatever else is there.
		expect(read(misarPost, { type: 'a.b', event: 'c.d' }).name).toBe('c.d');
		expect(read(misarPost, { type: 'a.b' }).name).toBe('a.b');
		expect(read(metiganProvider, { type: 'a.b', event: 'c.d' }).name).toBe('c.d');
	});

	it('may be repeated by the header', () => {
		const body = { type: 'email.sent' };
		for (const value of ['email.sent', undefined, '']) {
			expect(read(misarMail, body, { 'x-misar-event': value }).name).toBe('email.sent');
		}
	});

	it.each(['email.bounced', 'email.sent.', 'email.sent, email.sent', '*'])(
		'is the one in the body, with a warning when the header says another: %s',
		(value) => {
			const body = { type: 'email.sent', data: {} };
			const { name, warnings } = read(misarMail, body, { 'x-misar-event': value });
			expect(name).toBe('email.sent');
			expect(warnings).toContain('header x-misar-event: does not match the event in the body');
		},
	);

	it('must not differ from a header that has to agree with the body', () => {
		const body = parse('{"event":"article.updated"}');
		const contradicts = (headers: object) => contradictsHeader(blogProvider, body, { ...headers });
		expect(contradicts({ 'x-webhook-event': 'article.updated' })).toBe(false);
		expect(contradicts({ 'x-webhook-event': 'article.deleted' })).toBe(true);
		// The platform's header is not the one that has to agree, and no document compares it.
		expect(contradicts({ 'x-misar-event': 'article.deleted' })).toBe(false);
		for (const headers of [{}, { 'x-webhook-event': '' }, { 'x-webhook-event': ['a'] }]) {
			expect(contradicts(headers)).toBe(true);
		}
		expect(contradictsHeader(misarMail, body, { 'x-misar-event': 'email.sent' })).toBe(false);
	});

	it('is given in one form if the provider has two', () => {
		const canonicalEvent = (name: string) => name.replace(/^email\./, '');
		const provider = withEnvelope({ canonicalEvent });
		expect(read(provider, { type: 'email.open' }).name).toBe('open');
		expect(read(provider, { type: 'open' }).name).toBe('open');
	});

	it('is compared with its header in that form', () => {
		const canonicalEvent = (name: string) => name.replace(/^email\./, '');
		const provider = withEnvelope({ canonicalEvent });
		for (const inBody of ['open', 'email.open']) {
			for (const inHeader of ['open', 'email.open']) {
				const event = read(provider, { type: inBody }, { 'x-misar-event': inHeader });
				expect(event).toMatchObject({ name: 'open', named: true });
				expect(event.warnings.join()).not.toContain('header');
			}
			const { warnings } = read(provider, { type: inBody }, { 'x-misar-event': 'email.click' });
			expect(warnings[0]).toMatch(/^header x-misar-event: /);
		}
	});

	it.each([
		['open', 'open'],
		['email.open', 'open'],
		['email.unsubscribe', 'unsubscribe'],
		// Names that are not Mail Panda's own stay as they came.
		['email.delivered', 'email.delivered'],
		['email.', 'email.'],
		['email.email.open', 'email.email.open'],
	])('is the short form at Mail Panda: %s', (event, expected) => {
		expect(read(mailPandaProvider, { event, data: {} }).name).toBe(expected);
		expect(read(mailPandaProvider, { type: event, data: {} }).name).toBe(expected);
	});

	it('is not compared with a header if the provider documents none', () => {
		const body = parse('{"event":"email.sent"}');
		const headers = { 'x-misar-event': 'email.bounced', 'x-webhook-event': 'email.bounced' };
		expect(readEvent(metiganProvider, body, headers).name).toBe('email.sent');
	});
});

describe('the data of an event', () => {
	it.each<[unknown, IDataObject]>([
		[
			{ id: 'msg_1', nested: { a: [1] } },
			{ id: 'msg_1', nested: { a: [1] } },
		],
		[{}, {}],
		[null, {}],
		[undefined, {}],
		['text', { value: 'text' }],
		['', { value: '' }],
		[0, { value: 0 }],
		[false, { value: false }],
		[[1, 2], { value: [1, 2] }],
	])('is an object for %j', (data, expected) => {
		expect(read(misarMail, { type: 'email.sent', data }).data).toEqual(expected);
	});

	it('is read where the provider data says', () => {
		const provider = withEnvelope({ data: (body) => body['article'] });
		const body = { type: 'email.sent', article: { slug: 's' }, data: { id: 'msg_1' } };
		expect(read(provider, body).data).toEqual({ slug: 's' });
	});

	it.each<[Provider, IDataObject, 'hard' | 'soft' | undefined]>([
		...['hard', 'Hard', ' HARD ', 'hard bounce', 'HardBounce', 'hard_bounce', 'Permanent'].map(
			(bounce_type): [Provider, IDataObject, 'hard'] => [misarMail, { bounce_type }, 'hard'],
		),
		...['perm', 'PermFail', 'permanent-failure', 'Permanent Error', 'hard_bounced'].map(
			(bounceType): [Provider, IDataObject, 'hard'] => [metiganProvider, { bounceType }, 'hard'],
		),
		...['soft', 'SOFT', 'SoftBounce', 'soft-bounce', 'Transient', 'transient_failure'].map(
			(bounceType): [Provider, IDataObject, 'soft'] => [misarMail, { bounceType }, 'soft'],
		),
		...['temp', 'Temporary', 'tempfail', 'temporary error'].map(
			(bounceType): [Provider, IDataObject, 'soft'] => [metiganProvider, { bounceType }, 'soft'],
		),
		[misarMail, { bounce_type: '', bounceType: 'soft' }, 'soft'],
		[misarMail, { bounce_type: 'blocked', bounceType: 'soft' }, 'soft'],
		[misarMail, { bounce_type: 5 }, undefined],
		[misarMail, { bounce_type: 'not permanent' }, undefined],
		[misarMail, { bounce_type: 'hard or soft' }, undefined],
		[metiganProvider, { bounceType: 'undetermined' }, undefined],
		[misarMail, {}, undefined],
		[metiganProvider, { metadata: { bounceType: 'hard' } }, undefined],
	])('tells hard bounces from soft ones: case %#', (provider, data, expected) => {
		const bounce = { [provider.envelope.eventFields[0] ?? '']: 'email.bounced', data };
		expect(read(provider, bounce).bounceType).toBe(expected);
		expect(read(provider, { ...bounce, type: 'email.sent', event: 'email.sent' }).bounceType).toBe(
			undefined,
		);
	});
});

it('an unknown bounce type raises a warning', () => {
	const told = (data: object) =>
		read(metiganProvider, { event: 'email.bounced', messageId: 'm', timestamp: 1, data }).warnings;
	const data = { recipient: 'a@example.com', timestamp: ISO };
	expect(told({ ...data, bounceType: 'Undetermined' })).toEqual([
		'data.bounceType: does not say whether it is hard or soft',
	]);
	expect(told({ ...data, bounceType: 'Transient' })).toEqual([]);
});

describe('warnings', () => {
	it('name the place, not the value', () => {
		const body = { event: 'email.unsubscribed', messageId: 'm', timestamp: 1, data: { email: 55 } };
		const { warnings } = read(metiganProvider, body);
		expect(warnings).toEqual([
			'data.email: Invalid input: expected string, received number',
			'data.timestamp: Invalid input: expected string, received undefined',
		]);
	});

	it('are capped at 20', () => {
		const provider = withEnvelope({
			shapes: [{ id: 'E1', mark: 'type', schema: z.object({ data: z.array(z.string()) }) }],
		});
		const warningsOf = (count: number) =>
			read(provider, { type: 'a.b', data: Array.from({ length: count }, () => 0) }).warnings;
		expect(warningsOf(19)).toHaveLength(19);
		expect(warningsOf(5000)).toHaveLength(20);
	});
});

describe('a body with a __proto__ key', () => {
	const text =
		'{"__proto__":{"polluted":1,"type":"email.sent"},"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';

	it.each([['Misar Mail', misarMail] as const, ['Metigan', metiganProvider] as const])(
		'changes no prototype and names no event: %s',
		(_name, provider) => {
			const event = readEvent(provider, parse(text), {});
			expect(event).toMatchObject({ name: 'unknown', named: false });
			expect(event.data['polluted']).toBeUndefined();
			expect({}).not.toHaveProperty('polluted');
			expect(JSON.stringify(event.data)).toBe(
				'{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
			);
		},
	);
});

describe('the recipient of an event', () => {
	const one = 'ada@example.com';
	const of = (data: IDataObject) => {
		const { recipient, warnings } = read(mailPandaProvider, { event: 'open', data });
		return { recipient, warnings };
	};

	it.each<[string, unknown]>([
		['one address', one],
		['a list of one', [one]],
		['letters of any script', 'zoë@exämple.com'],
		['a quoted local part', '"ada lovelace"@example.com'],
		['an address literal', 'ada@[IPv6:2001:db8::1]'],
		['a plus and a dash', 'ada+n8n@mail-1.example.com'],
	])('is that of %s', (_what, to) => {
		const address = Array.isArray(to) ? one : to;
		expect(of({ to: to as string })).toEqual({ recipient: address, warnings: [] });
	});

	it.each<[string, unknown]>([
		['a name', 'Ada <ada@example.com>'],
		['a quoted name', '"Lovelace, Ada" <ada@example.com>'],
		['a quoted address', '"ada@example.com" <ada@example.com>'],
		['an address as a name', 'ada@example.com <ada@example.com>'],
		['a name with a comma', 'Lovelace, Ada <ada@example.com>'],
		['a name in a list', ['Ada <ada@example.com>']],
		['angle brackets', '<ada@example.com>'],
		['blanks', ' ada@example.com '],
		['blanks within angle brackets', 'Ada < ada@example.com >'],
		['a line end', 'ada@example.com\r\n'],
	])('is reduced to the address, with a warning, for one with %s', (_what, to) => {
		expect(of({ to: to as string })).toEqual({
			recipient: one,
			warnings: ['data.to: read as the address alone'],
		});
	});

	it.each<[string, unknown]>([
		['several addresses in a text', 'a@example.com, b@example.com'],
		['several addresses with semicolons', 'a@example.com;b@example.com'],
		['several addresses with blanks', 'a@example.com b@example.com'],
		['several named addresses', 'A <a@example.com>, B <b@example.com>'],
		['a plain and a named address', 'a@example.com, B <b@example.com>'],
		['a list of several', ['a@example.com', 'b@example.com']],
		['a list of several texts in one', ['a@example.com, b@example.com']],
		['a line break within', 'a@example.com\r\nBcc: b@example.com'],
		['a header behind it', 'a@exam\nple.com'],
		['something else', 'msg_1'],
		['no local part', '@example.com'],
		['no domain', 'ada@'],
		['two at signs', 'a@b@example.com'],
		['an open bracket', 'Ada <ada@example.com'],
		['an invisible character', 'ada\u200b@example.com'],
		['half an emoji', 'ada\ud83d@example.com'],
		['10,000 characters', `${'a'.repeat(10_000)}@example.com`],
		['no text', 7],
		['an object', { address: 'ada@example.com' }],
		['an object that cannot be read as text', { toString: 1 }],
	])('is null for %s, with a warning', (_what, to) => {
		expect(of({ to: to as string })).toEqual({
			recipient: null,
			warnings: ['data.to: not one email address'],
		});
	});

	it.each([null, undefined, '', ' ', []])('is taken from the next field if one has %j', (value) => {
		expect(of({ recipient: value, email: one })).toEqual({ recipient: one, warnings: [] });
		expect(of({ recipient: value })).toEqual({ recipient: null, warnings: [] });
	});

	it('is taken from the next field if one cannot be read, with a warning', () => {
		expect(of({ recipient: 'msg_1', email: ['a@b.c', 'd@e.f'], to: one })).toEqual({
			recipient: one,
			warnings: ['data.recipient: not one email address', 'data.email: not one email address'],
		});
	});

	it('is null for products that are not about email', () => {
		const body = { event: 'post.published', timestamp: ISO, data: { email: 'a@example.com' } };
		expect(read(misarPost, body).recipient).toBeNull();
	});
});
