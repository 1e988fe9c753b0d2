import { describe, expect, it } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import { OPERATORS, readConditions, unmetCondition } from '../../nodes/shared/conditions';

/** The option Conditions: what each operator does with each type of value, and which rows cannot be used. */

const item: IDataObject = {
	event: 'email.bounced',
	recipient: 'Ada@Example.com',
	occurredAt: '2026-01-15T09:30:00.000Z',
	data: {
		reason: '550 User unknown',
		code: 550,
		share: 0.5,
		size: '12.5',
		isBot: false,
		nothing: null,
		empty: '',
		padded: '  Zoë ',
		decomposed: 'Zoe\u0308 Meyer',
		at: '2026-01-15T10:30:00+01:00',
		seconds: 1_768_469_400,
		tags: ['Customer', 7, true],
		links: [{ url: 'https://example.com/a' }],
		campaign: { id: 'cmp_1' },
		'a.b': 'dotted',
	},
};

function row(field: string, operator: string, value: unknown = '') {
	return { field: 'other', path: field, operator, value };
}

function reasonFor(...rows: object[]): string | undefined {
	const conditions = readConditions({ rows });
	if (typeof conditions === 'string') throw new Error(conditions);
	return unmetCondition(conditions, item);
}

describe('a condition', () => {
	it.each<[field: string, operator: string, value: unknown, isMet: boolean]>([
		['data.reason', 'equals', '550 user UNKNOWN', true],
		['data.reason', 'equals', ' 550 User unknown ', true],
		['data.reason', 'equals', '550', false],
		['data.padded', 'equals', 'zoë', true],
		['data.padded', 'equals', 'zoe\u0308', true],
		['data.padded', 'isOneOf', 'ada, zoe\u0308', true],
		['data.padded', 'beginsWith', ' zo', true],
		['data.padded', 'contains', 'oë', true],
		['data.decomposed', 'equals', 'Zo\u00EB Meyer', true],
		['data.decomposed', 'beginsWith', 'Zo\u00EB', true],
		['data.decomposed', 'contains', 'o\u00EB', true],
		['data.decomposed', 'notContains', 'o\u00EB', false],
		['data.code', 'equals', '550', true],
		['data.code', 'equals', 550, true],
		['data.code', 'equals', '550.0', true],
		['data.code', 'equals', '551', false],
		['data.code', 'equals', 'many', false],
		['data.size', 'equals', '12.50', false],
		['data.isBot', 'equals', 'False', true],
		['data.isBot', 'equals', false, true],
		['data.isBot', 'equals', '0', false],
		['data.tags', 'equals', 'Customer', false],
		['data.campaign', 'equals', '[object Object]', false],
		['data.reason', 'notEquals', '550', true],
		['data.code', 'notEquals', '550', false],
		['data.tags', 'notEquals', 'Customer', true],

		['data.reason', 'contains', 'user', true],
		['data.reason', 'contains', ' user ', true],
		['data.reason', 'contains', 'full', false],
		['data.code', 'contains', '5', true],
		['data.tags', 'contains', 'customer', true],
		['data.tags', 'contains', 'custom', false],
		['data.tags', 'contains', '7', true],
		['data.tags', 'contains', 'true', true],
		['data.campaign', 'contains', 'cmp', false],
		['data.reason', 'notContains', 'full', true],
		['data.reason', 'notContains', 'user', false],
		['data.tags', 'notContains', 'customer', false],

		['data.reason', 'beginsWith', '550 u', true],
		['data.reason', 'beginsWith', 'user', false],
		['data.code', 'beginsWith', '55', true],
		['data.tags', 'beginsWith', 'Customer', false],
		['data.reason', 'notBeginsWith', 'user', true],
		['data.reason', 'notBeginsWith', '550', false],

		['event', 'isOneOf', 'email.opened, EMAIL.bounced', true],
		['event', 'isOneOf', 'email.opened', false],
		['data.code', 'isOneOf', '421, 550', true],
		['data.empty', 'isOneOf', 'a,,b', false],
		['event', 'notOneOf', 'email.opened,email.sent', true],
		['event', 'notOneOf', 'email.opened,email.bounced', false],

		['data.code', 'greater', '549.5', true],
		['data.code', 'greater', '550', false],
		['data.share', 'greater', '-1', true],
		['data.size', 'greater', '9', true],
		['occurredAt', 'greater', '2026-01-15T09:29:59Z', true],
		['data.at', 'greater', '2026-01-15T09:30:00Z', false],
		['data.seconds', 'greater', '2026-01-15', true],
		['occurredAt', 'less', '2028-02-29', true],
		['data.reason', 'greater', '1', false],
		['data.isBot', 'greater', '-1', false],
		['data.tags', 'greater', '0', false],
		['data.code', 'less', '550.5', true],
		['data.code', 'less', '550', false],
		['data.at', 'less', '2026-01-15T10:30:00Z', true],
		['data.reason', 'less', '1000', false],

		['data.isBot', 'exists', '', true],
		['data.empty', 'exists', '', true],
		['data.nothing', 'exists', '', false],
		['data.campaign', 'exists', '', true],
		['data.nothing', 'notExists', '', true],
		['data.other', 'notExists', '', true],
		['data.code', 'notExists', '', false],
	])('on %s: %s %j, is met: %s', (field, operator, value, isMet) => {
		const reason = reasonFor(row(field, operator, value));
		expect(reason).toEqual(isMet ? undefined : expect.stringMatching(/^condition 1 is not met: /));
	});

	it.each(Object.keys(OPERATORS).filter((operator) => operator !== 'notExists'))(
		'%s is not met by an event that lacks the field',
		(operator) => {
			for (const field of ['data.other', 'data.nothing', 'data.code.more', 'data.tags[9]']) {
				expect(reasonFor(row(field, operator, '5'))).toBe(
					`condition 1 is not met: the event has no ${field.replace('[9]', '.9')}`,
				);
			}
		},
	);

	it.each([
		['recipient', 'ada@example.com'],
		['data.campaign.id', 'cmp_1'],
		['$json.data.campaign.id', 'cmp_1'],
		['={{ $json.data.campaign.id }}', 'cmp_1'],
		['{{ $json["data"]["campaign"]["id"] }}', 'cmp_1'],
		[' data.campaign.id ', 'cmp_1'],
		['data["a.b"]', 'dotted'],
		['data.tags[1]', '7'],
		['data.tags.1', '7'],
		['data.links[0].url', 'https://example.com/a'],
	])('finds the field %s', (field, value) => {
		expect(reasonFor(row(field, 'equals', value))).toBeUndefined();
	});

	it.each(['data.__proto__', 'data.constructor.name', 'data.reason.length', 'data.toString'])(
		'does not find %s, which is not a field of the event',
		(field) => {
			expect(reasonFor(row(field, 'exists'))).toMatch(/the event has no/);
		},
	);

	it('is combined with the others by AND', () => {
		const met = row('data.code', 'equals', '550');
		expect(reasonFor(met, met)).toBeUndefined();
		expect(reasonFor(met, row('data.code', 'less', '5'), row('data.x', 'exists'))).toBe(
			'condition 2 is not met: data.code',
		);
	});

	it('takes a field from the list or a typed path', () => {
		const [condition] = readConditions({
			rows: [{ field: 'data.code', path: 'left from before', operator: 'exists' }],
		});
		expect(condition).toEqual({ path: ['data', 'code'], operator: 'exists', value: '' });
	});
});

describe('conditions', () => {
	it.each([undefined, {}, { rows: [] }])('are none for the option %j', (option) => {
		expect(readConditions(option)).toEqual([]);
	});

	it.each<[option: unknown, problem: string]>([
		[[], 'Conditions are not a list of rows'],
		['recipient', 'Conditions are not a list of rows'],
		[{ rows: 'recipient' }, 'Conditions are not a list of rows'],
		[{ rows: null }, 'Conditions are not a list of rows'],
		[null, 'Conditions are not a list of rows'],
		[{ rows: [null] }, 'Condition 1 names no field'],
		[{ rows: [row(' ', 'exists')] }, 'Condition 1 names no field'],
		[{ rows: [{ operator: 'exists' }] }, 'Condition 1 names no field'],
		...[
			...['data..id', '.data', 'data.', 'data[', 'data[x]', 'data[]', 'data[""]', ']'],
			...['__proto__', 'constructor', 'headers.host', '$json', 'body.data.a', '/data/a'],
			...['data,a', 'data?.a', 'data[0]x', 'data.[0]', 'dta.x', '$input.item.json.data.a'],
		].map((path): [unknown, string] => [
			{ rows: [row('event', 'exists'), row(path, 'exists')] },
			`Condition 2: "${path}" is not a path such as data.campaign.id or data.tags[0]. A path begins with event, recipient, occurredAt, data, deliveryId, provider, product, payload`,
		]),
		[
			{ rows: [row('event', 'matches', 'x')] },
			`Condition 1 needs an operator, one of: ${Object.keys(OPERATORS).join(', ')}`,
		],
		[{ rows: [row('event', 'equals', ' ')] }, 'Condition 1: "Equals" needs a value'],
		[{ rows: [row('event', 'contains', {})] }, 'Condition 1: "Contains" needs a value'],
		[
			{ rows: [row('event', 'isOneOf', ' , ')] },
			'Condition 1: "Is One Of" needs values, separated by commas',
		],
		[
			{ rows: [row('data.code', 'greater', 'five')] },
			'Condition 1: "Is Greater Than" needs a number or an ISO 8601 time',
		],
		[
			{ rows: [row('data.code', 'less', '1,5')] },
			'Condition 1: "Is Less Than" needs a number or an ISO 8601 time',
		],
		...['2026-02-30', '2026-02-29T10:00:00Z', ' 2026-04-31', '2026-13-01'].map(
			(value): [unknown, string] => [
				{ rows: [row('occurredAt', 'greater', value)] },
				'Condition 1: "Is Greater Than" needs a number or an ISO 8601 time',
			],
		),
	])('are refused for the option %j: %s', (option, problem) => {
		expect(readConditions(option)).toBe(problem);
	});
});
