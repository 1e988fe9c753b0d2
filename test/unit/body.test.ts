import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { findLosses, parseBody } from '../../nodes/shared/delivery/body';
import { SEED } from '../seed';

/** What is lost when a body is parsed. */

const LIMIT = 20;
const INEXACT = 'a number too large to be exact, its last digits may be wrong';
const lossesOf = (body: string | Buffer, limit = LIMIT) => {
	const bytes = Buffer.from(body);
	return findLosses(bytes, parseBody(bytes) ?? {}, limit);
};

describe('a whole number', () => {
	it.each(['9007199254740993', '-9007199254740993', '12345678901234567890', '9'.repeat(400)])(
		'that JavaScript cannot represent exactly is reported by its field: %s',
		(number) => {
			for (const before of ['', ' ', '   ', '       ', 'x'.repeat(11)]) {
				const body = `{"a${before}":1,"data":{"ids":[1,${number}],"id":${number}},"id":${number}}`;
				expect(lossesOf(body)).toEqual([
					`data.ids.1: ${INEXACT}`,
					`data.id: ${INEXACT}`,
					`id: ${INEXACT}`,
				]);
			}
		},
	);

	it.each([
		'9007199254740991',
		'0',
		'1767323045123456',
		'0.1234567890123456',
		'"9007199254740993"',
	])('that is exact, or is text, is not reported: %s', (value) => {
		expect(lossesOf(`{"data":{"id":${value}}}`)).toEqual([]);
	});

	it('is found at any offset in the body', () => {
		for (let before = 0; before < 40; before++) {
			expect(lossesOf(`{"${'x'.repeat(before)}":9007199254740993}`)).toHaveLength(1);
		}
	});
});

describe('bytes that are not UTF-8', () => {
	const latin1 = (text: string) => Buffer.from(text, 'latin1');
	const WHOLE = 'the body has bytes that are not UTF-8, each replaced by \ufffd';

	it('are reported by the field that has them', () => {
		expect(lossesOf(latin1('{"data":{"name":"Zo\u00eb","city":"Bonn"}}'))).toEqual([
			WHOLE,
			'data.name: has bytes that are not UTF-8',
		]);
	});

	it('are reported when only the name of a field has them', () => {
		expect(lossesOf(latin1('{"data":{"Stra\u00dfe":"Bonn"}}'))).toEqual([WHOLE]);
	});

	it('are not confused with other scripts, emoji, or a replacement character that was sent', () => {
		expect(lossesOf('\ufeff{"a":"Zoë 🐼 \ufffd \\ud83d"}')).toEqual([]);
	});
});

describe('the report of what was lost', () => {
	it('is limited in number and length, even for a body nested deeper than the stack', () => {
		const depth = 20_000;
		const deep = `{"deep":${'{"a":'.repeat(depth)}9007199254740993${'}'.repeat(depth)}}`;
		const [told = ''] = lossesOf(deep);
		expect(told).toContain(INEXACT);
		expect(told.length).toBeLessThan(400);
		expect(lossesOf(`{"data":[${Array(100).fill('9007199254740993').join()}]}`)).toHaveLength(
			LIMIT,
		);
		expect(lossesOf('{"id":9007199254740993}', 0)).toEqual([]);
	});

	it('names each number that changed, whatever the numbers (fast-check)', () => {
		const number = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
		const name = fc.constantFrom('', 'id', '1234567890123456', ':9007199254740993', '"', '\\');
		fc.assert(
			fc.property(fc.array(fc.tuple(name, number), { maxLength: 5 }), (entries) => {
				const members = entries.map(
					([key, value], at) => `${JSON.stringify(`n${at}${key}`)}: ${value}`,
				);
				const expected = entries.flatMap(([key, value], at) =>
					Number.isSafeInteger(Number(value)) ? [] : [`n${at}${key}: ${INEXACT}`],
				);
				expect(lossesOf(`{${members.join()}}`)).toEqual(expected);
			}),
			{ seed: SEED, numRuns: 10_000 },
		);
	});
});

it.each([
	['text', 'lorem ipsum dolor '.repeat(65_536)],
	['numbers of 15 digits', '123456789012345 '.repeat(65_536)],
	['one long number', '1'.repeat(1_000_000)],
])('a megabyte of %s is searched in under a second', (_what, text) => {
	const body = Buffer.from(JSON.stringify({ text }));
	const started = performance.now();
	expect(findLosses(body, { text }, LIMIT)).toEqual([]);
	// Takes a millisecond or two; in quadratic time it would take hours.
	expect(performance.now() - started).toBeLessThan(1_000);
});
