import { describe, expect, it } from '@jest/globals';

import {
	readAttemptList,
	readEndpoint,
	readEndpointPage,
} from '../../nodes/shared/api/endpointAnswer';

const URL_HERE = 'https://n8n.example.com/webhook/x';

/** As the MisarMail SDK types it. */
const misar = {
	id: 'wh_1',
	url: URL_HERE,
	events: ['email.delivered', 'email.bounced'],
	active: true,
	created_at: '2026-01-02T03:04:05Z',
};

/** As mailpanda.io/docs/webhooks shows it: integer id, events as one text. */
const mailPanda = {
	id: 3,
	url: URL_HERE,
	events: 'open,click,bounce',
	active: true,
	created_at: '2026-01-10T12:00:00Z',
};

const misarRead = {
	id: 'wh_1',
	url: URL_HERE,
	events: ['email.delivered', 'email.bounced'],
	active: true,
	createdAt: '2026-01-02T03:04:05Z',
};

describe('one endpoint', () => {
	it('is the one that has a URL, not what is around it', () => {
		expect(readEndpoint({ id: 'evt_1', data: misar })).toEqual(misarRead);
		expect(readEndpoint({ id: 'wh_1', data: { id: 'acc_1' } })).toMatchObject({ id: 'wh_1' });
	});

	it.each(['false', 'False', ' OFF ', '0', 0, 'no', 'inactive', 'disabled', false])(
		'is off where active is %j',
		(active) => {
			expect(readEndpoint({ ...misar, active })).toMatchObject({ active: false });
		},
	);

	it.each(['true', 'on', 1, null, undefined, {}])('is on where active is %j', (active) => {
		expect(readEndpoint({ ...misar, active })).toMatchObject({ active: true });
	});

	it.each<[string, unknown]>([
		['as itself', misar],
		['under data', { data: misar }],
		['under success and data', { success: true, data: misar }],
		['under webhook', { webhook: misar }],
		['under endpoint', { ok: true, endpoint: misar }],
		['under success, data and webhook', { success: true, data: { webhook: misar } }],
		['under data and endpoint', { data: { endpoint: misar } }],
		['four levels down', { data: { data: { webhook: { endpoint: misar } } } }],
		['beside a data that holds none', { data: { total: 1 }, webhook: misar }],
		['beside an empty data', { ...misar, data: null }],
		['beside fields nobody knows', { ...misar, health: { failures: 2 }, description: null }],
	])('is read %s', (_what, answer) => {
		expect(readEndpoint(answer)).toEqual(misarRead);
	});

	it('with an ID of its own is not confused with an object nested in it', () => {
		const nested = { id: 'wh_2', url: 'https://other.example.com/' };
		for (const key of ['data', 'webhook', 'endpoint']) {
			expect(readEndpoint({ ...misar, [key]: nested })).toEqual(misarRead);
			expect(readEndpoint({ data: { ...misar, [key]: nested } })).toEqual(misarRead);
			expect(readEndpoint({ id: 'wh_1', [key]: { url: URL_HERE } })?.url).toBeUndefined();
		}
	});

	it('is read with an integer ID and its events in one string', () => {
		expect(readEndpoint(mailPanda)).toEqual({
			id: '3',
			url: URL_HERE,
			events: ['open', 'click', 'bounce'],
			active: true,
			createdAt: '2026-01-10T12:00:00Z',
		});
	});

	it.each<[unknown, string]>([
		[1, '1'],
		[0, '0'],
		[4294967296, '4294967296'],
		['00012', '00012'],
		['wh_ü/1', 'wh_ü/1'],
	])('has an ID that is text: %j', (id, expected) => {
		expect(readEndpoint({ id })?.id).toBe(expected);
	});

	it.each<[unknown, string[] | undefined]>([
		['open', ['open']],
		['open, click ,bounce', ['open', 'click', 'bounce']],
		[',open,,click,', ['open', 'click']],
		['', []],
		[' ', []],
		[[], []],
		[['open', ''], ['open']],
		[undefined, undefined],
	])('has events as a list: %j', (events, expected) => {
		expect(readEndpoint({ id: 'wh_1', events })?.events).toEqual(expected);
	});

	it('counts as active, with URL and events unknown, where the provider does not say', () => {
		expect(readEndpoint({ id: 'wh_1' })).toStrictEqual({ id: 'wh_1', active: true });
		expect(readEndpoint({ id: 'wh_1', url: '' })).toStrictEqual({ id: 'wh_1', active: true });
	});

	it.each<[object, string]>([
		[{ _id: '65a1f0' }, '65a1f0'],
		[{ id: 'wh_1', _id: '65a1f0' }, 'wh_1'],
		[{ id: null, _id: '65a1f0' }, '65a1f0'],
	])('has the ID of %j', (ids, expected) => {
		const entry = { ...misar, id: undefined, ...ids };
		expect(readEndpoint({ data: entry })?.id).toBe(expected);
		expect(readEndpointPage([entry])?.endpoints.map(({ id }) => id)).toEqual([expected]);
	});

	it.each<[object, string | undefined]>([
		[{ created_at: '2026-01-02T03:04:05Z' }, '2026-01-02T03:04:05Z'],
		[{ createdAt: '2026-01-02T03:04:05.000Z' }, '2026-01-02T03:04:05.000Z'],
		[{ created_at: 1767323045 }, undefined],
		[{ created_at: null }, undefined],
		[{}, undefined],
	])('has its creation time as the provider writes it: %j', (created, expected) => {
		const endpoint = readEndpoint({ data: { id: 'wh_1', ...created } });
		expect(endpoint?.createdAt).toBe(expected);
		expect('createdAt' in (endpoint ?? {})).toBe(expected !== undefined);
	});

	it.each<[unknown, boolean]>([
		[false, false],
		[0, false],
		['false', false],
		[true, true],
		[1, true],
		['true', true],
		['active', true],
		['', true],
		[null, true],
		[{}, true],
		[undefined, true],
	])('is active unless it says that it is not: %j', (active, expected) => {
		expect(readEndpoint({ ...misar, active })).toEqual({ ...misarRead, active: expected });
	});

	it.each<[string, object, object]>([
		['a URL that is no text', { url: { href: URL_HERE } }, { url: undefined }],
		['a URL that is null', { url: null }, { url: undefined }],
		['events that are a number', { events: 5 }, { events: undefined }],
		['events that are null', { events: null }, { events: undefined }],
		['events that are objects', { events: [{ name: 'email.sent' }] }, { events: undefined }],
	])('is kept with %s, because it exists nevertheless', (_what, odd, expected) => {
		expect(readEndpoint({ ...misar, ...odd })).toEqual({ ...misarRead, ...expected });
		expect(readEndpointPage([{ ...misar, ...odd }])?.endpoints).toEqual([
			{ ...misarRead, ...expected },
		]);
	});

	it.each<[string, unknown]>([
		['null', null],
		['nothing', undefined],
		['a number', 5],
		['a boolean', true],
		['a text', 'created'],
		['an HTML page', '<!doctype html><title>Not Found</title>'],
		['a list', [misar]],
		['an empty object', {}],
		['an error', { error: 'unauthorized' }],
		['success alone', { success: true }],
		['success with null', { success: true, data: null }],
		['success with a list', { success: true, data: [misar] }],
		['an endpoint without an id', { url: URL_HERE, events: [] }],
		['an empty id', { ...misar, id: '' }],
		['an id that is null', { ...misar, id: null }],
		['an id that would forge a line of the log', { ...misar, id: 'wh_1\n12:00 | info | forged' }],
		['an id with a control character', { ...misar, id: 'wh_1\u001b[2K' }],
		['an id with a line separator', { ...misar, id: 'wh_1\u2028forged' }],
		['an id that is an object', { ...misar, id: {} }],
		['an id that is a boolean', { ...misar, id: true }],
		['a nested endpoint without an id', { success: true, data: { url: URL_HERE } }],
		['a deeper one without an id', { data: { webhook: { url: URL_HERE } } }],
	])('is not found in %s', (_what, answer) => {
		expect(readEndpoint(answer)).toBeUndefined();
	});
});

describe('the secret of an endpoint', () => {
	it.each(['secret', 'signatureKey', 'signing_secret', 'signingSecret'])(
		'is read from %s at every level',
		(key) => {
			const secret = 'whsec_told_only_once';
			const answers = [
				{ ...misar, [key]: secret },
				{ data: { ...misar, [key]: secret } },
				{ success: true, data: { ...misar, [key]: secret } },
				{ success: true, data: misar, [key]: secret },
				{ success: true, data: { webhook: misar, [key]: secret } },
				{ success: true, data: { webhook: { ...misar, [key]: secret } } },
				{ ok: true, endpoint: misar, [key]: secret, secret_notice: 'shown only once' },
			];
			for (const answer of answers) {
				expect(readEndpoint(answer)).toEqual({ ...misarRead, secret });
			}
			const [listed] = readEndpointPage([{ ...misar, [key]: secret }])?.endpoints ?? [];
			expect(listed).toEqual({ ...misarRead, secret });
		},
	);

	it('is read from the first of these names that holds text', () => {
		const endpoint = readEndpoint({
			...misar,
			secret: 'whsec_a_0123456789',
			signatureKey: 'whsec_b_0123456789',
			signing_secret: { value: 'whsec_c_0123456789' },
			signingSecret: ['whsec_d_0123456789'],
		});
		expect(endpoint).toEqual({ ...misarRead, secret: 'whsec_b_0123456789' });
		expect(readEndpoint({ ...misar, signatureKey: 5, secret: 'whsec_a_0123456789' })?.secret).toBe(
			'whsec_a_0123456789',
		);
	});

	it.each([
		null,
		'',
		' \t',
		' '.repeat(20),
		5,
		{},
		undefined,
		'fifteen letters',
		'****************',
		'whsec_************************',
		'whsec_0123456789…',
		'whsec_••••••••••••4f9c',
		'whsec_0123456789...',
		'xxxxxxxxxxxxxxxxxxxx',
	])('is unknown when it is %j', (secret) => {
		const endpoint = readEndpoint({ ...misar, secret });
		expect(endpoint).toEqual(misarRead);
		expect(endpoint).not.toHaveProperty('secret');
		const behindMask = readEndpoint({ secret: 'whsec_0123456789', data: { ...misar, secret } });
		expect(behindMask?.secret).toBe('whsec_0123456789');
	});

	it('is taken from the endpoint itself rather than from the answer around it', () => {
		const [INNER, OUTER] = ['whsec_inner_0123456789', 'whsec_outer_0123456789'];
		for (const inner of ['secret', 'signatureKey', 'signingSecret']) {
			const answer = { endpoint: { ...misar, [inner]: INNER }, signatureKey: OUTER };
			expect(readEndpoint(answer)?.secret).toBe(INNER);
			expect(readEndpoint({ data: answer })?.secret).toBe(INNER);
		}
	});
});

describe('a list of endpoints', () => {
	const entries = [misar, { ...misar, id: 'wh_2' }];

	it.each<[string, unknown]>([
		['as itself', entries],
		['under data with a total', { data: entries, total: 2 }],
		['under success and data', { success: true, data: entries, pagination: { total: 2 } }],
		['under webhooks', { webhooks: entries }],
		['under webhooks with pages', { webhooks: entries, pagination: { page: 1 } }],
		['under endpoints', { ok: true, endpoints: entries }],
		['under items', { items: entries }],
		['under data and webhooks', { success: true, data: { webhooks: entries } }],
		['under data and items', { data: { items: entries, total: 2 } }],
		['beside a data without one', { data: { total: 1 }, webhooks: entries }],
		['three levels down', { data: { data: { endpoints: entries } } }],
		['with each entry wrapped', entries.map((data) => ({ data }))],
		['with each entry wrapped twice', entries.map((webhook) => ({ data: { webhook } }))],
	])('is read %s', (_what, answer) => {
		expect(readEndpointPage(answer)?.endpoints).toEqual([misarRead, { ...misarRead, id: 'wh_2' }]);
	});

	it('is read as Mail Panda sends it', () => {
		const [endpoint] = readEndpointPage({ webhooks: [mailPanda] })?.endpoints ?? [];
		expect(endpoint).toMatchObject({ id: '3', events: ['open', 'click', 'bounce'], active: true });
	});

	it.each<[string, unknown]>([
		['itself', []],
		['data', { data: [], total: 0 }],
		['webhooks', { webhooks: [] }],
		['data and webhooks', { data: { webhooks: [] } }],
	])('may be empty: %s', (_what, answer) => {
		expect(readEndpointPage(answer)?.endpoints).toEqual([]);
	});

	it('leaves out what has no id', () => {
		const answer = { webhooks: [null, 'text', 5, [], {}, { url: URL_HERE }, misar] };
		expect(readEndpointPage(answer)?.endpoints).toEqual([misarRead]);
	});

	it.each<[string, unknown]>([
		['null', null],
		['nothing', undefined],
		['a number', 0],
		['a text', 'ok'],
		['an HTML page', '<html></html>'],
		['an empty object', {}],
		['an error', { error: 'unauthorized' }],
		['success alone', { success: true }],
		['data that is null', { data: null }],
		['data that is text', { data: 'none' }],
		['data without a list', { data: { total: 0 } }],
		['one endpoint', misar],
	])('is not found in %s', (_what, answer) => {
		expect(readEndpointPage(answer)?.endpoints).toBeUndefined();
	});
});

describe('a list of delivery attempts', () => {
	const attempts = [
		{ status_code: 200, response_body: 'ok' },
		{ status_code: 500, error: null },
	];

	it.each<[string, unknown]>([
		['as itself', attempts],
		['under data', { data: attempts }],
		['under events', { events: attempts }],
		['under deliveries', { success: true, deliveries: attempts }],
		['under attempts', { attempts }],
		['under items', { items: attempts }],
		['under data and events', { data: { total: 2, events: attempts } }],
	])('is read %s, with all its fields', (_what, answer) => {
		expect(readAttemptList(answer)).toEqual(attempts);
	});

	it('may be empty', () => {
		expect(readAttemptList({ data: [] })).toEqual([]);
	});

	it.each<[string, unknown]>([
		['nothing', undefined],
		['null', null],
		['a text', 'ok'],
		['an empty object', {}],
		['an error', { error: 'unauthorized' }],
		['a list of texts', { data: ['ok'] }],
		['a list of numbers', [200, 500]],
	])('is not found in %s', (_what, answer) => {
		expect(readAttemptList(answer)).toBeUndefined();
	});
});

it('an answer with a __proto__ key changes no prototype', () => {
	const answer: unknown = JSON.parse(
		'{"data":{"id":"wh_1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
	);
	expect(readEndpoint(answer)?.id).toBe('wh_1');
	expect({}).not.toHaveProperty('polluted');
	expect(readEndpoint(JSON.parse('{"__proto__":{"id":"wh_1"}}'))).toBeUndefined();
});
