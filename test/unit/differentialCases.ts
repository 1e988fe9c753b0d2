import { createHash, createHmac } from 'node:crypto';

import * as fc from 'fast-check';

/**
 * What the generated deliveries are made of: bodies, secrets, times, and ways to write a signature.
 * More than half of each is valid, so that deliveries which everybody accepts are frequent.
 */

/** Seconds around which all generated times lie. */
const AT = 1_767_323_045;

/** A body in the order it is printed for a reproduction: a large one is a unit many times over. */
export interface BodyPlan {
	/** Bytes as Latin-1. */
	readonly unit: string;
	readonly times: number;
	/** What the sender signed, measured by what was delivered. */
	readonly signed: 'asDelivered' | 'replaced' | 'flipped' | 'longer' | 'shorter';
}

const text = (content: string) => Buffer.from(content).toString('latin1');
const jsonBody = fc
	.record({ type: fc.string(), data: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })) })
	.map((body) => text(JSON.stringify(body)));
const anyText = fc.string({ unit: 'binary', maxLength: 60 }).map(text);
const oddBody = fc.oneof(
	fc
		.constantFrom('', '\0', '{"a":"\0"}', '\ufeff{"a":1}', '{"a":"\u2028é🐼"}', '{}\r\n', '[]')
		.map(text),
	fc.tuple(fc.nat(AT * 2), jsonBody).map(([digits, rest]) => `${digits}.${rest}`),
	fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const signedPart = fc.oneof(
	{ weight: 24, arbitrary: fc.constant('asDelivered' as const) },
	{ weight: 2, arbitrary: fc.constantFrom('flipped', 'longer', 'shorter') },
	{ weight: 1, arbitrary: fc.constant('replaced' as const) },
);
const smallBody = fc.record({
	unit: fc.oneof(
		{ weight: 5, arbitrary: jsonBody },
		{ weight: 2, arbitrary: anyText },
		{ weight: 2, arbitrary: oddBody },
	),
	times: fc.constant(1),
	signed: signedPart,
});
/** One to three megabytes. */
const hugeBody = fc.record({
	unit: fc.constantFrom('{"a":"é🐼"}', 'xxxxxxxxxx', '\0\0\0\0\0\0\0\0', '[[[[[[[[').map(text),
	times: fc.integer({ min: 100_000, max: 300_000 }),
	signed: signedPart,
});
export const bodies: fc.Arbitrary<BodyPlan> = fc.oneof(
	{ weight: 1_500, arbitrary: smallBody },
	{ weight: 1, arbitrary: hugeBody },
);

/** The bytes that are delivered, and those that were signed. */
export function makeBody({ unit, times, signed }: BodyPlan): { body: Buffer; content: Buffer } {
	const body = Buffer.from(unit.repeat(times), 'latin1');
	switch (signed) {
		case 'asDelivered':
			return { body, content: body };
		case 'replaced':
			return { body, content: Buffer.from(asText(body)) };
		case 'flipped': {
			const content = Buffer.from(body);
			if (content.length > 0) content.writeUInt8(content.readUInt8(0) ^ 1, 0);
			return { body, content };
		}
		case 'longer':
			return { body, content: Buffer.concat([body, Buffer.from('\n')]) };
		case 'shorter':
			return { body, content: body.subarray(0, -1) };
	}
}

/** A body as a library sees it that works on text: bytes that are no UTF-8 are replaced, a BOM is lost. */
export function asText(body: Buffer): string {
	return new TextDecoder().decode(body);
}

/** The secrets that are live, and the one that the sender has. */
export interface SecretPlan {
	readonly live: readonly string[];
	readonly senders: string;
}

const secret = fc.oneof(
	{ weight: 5, arbitrary: fc.string({ minLength: 8, maxLength: 40 }).map((end) => `whsec_${end}`) },
	{ weight: 3, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }) },
	{
		weight: 2,
		arbitrary: fc.constantFrom(
			...[
				'whsec_',
				'x',
				'0',
				' x ',
				'a\tb\n',
				'пароль ✓',
				'\0',
				'a\0b',
				'__proto__',
				'\ud800',
				'***',
			],
			'k'.repeat(1_000),
		),
	},
);
const blank = fc.constantFrom('', '', ' ', '\t\n', '\u00a0', '\u2003');
export const secrets: fc.Arbitrary<SecretPlan> = fc
	.record({
		live: fc.oneof(
			{ weight: 20, arbitrary: fc.array(secret, { minLength: 1, maxLength: 3 }) },
			{ weight: 1, arbitrary: fc.tuple(blank, secret) },
			{ weight: 1, arbitrary: fc.array(blank, { maxLength: 2 }) },
		),
		which: fc.nat(2),
		stranger: fc.oneof(
			{ weight: 15, arbitrary: fc.constant(undefined) },
			{ weight: 1, arbitrary: fc.constantFrom('stranger', '', 'undefined') },
		),
	})
	.map(({ live, which, stranger }) => ({
		live,
		senders: stranger ?? live[which % Math.max(live.length, 1)] ?? '',
	}));

/** When a delivery was signed, when it is checked, and how its time is written. */
export interface TimePlan {
	/** Epoch milliseconds. */
	readonly now: number;
	readonly written: string;
	/** The time as the sender put it into what it signed. */
	readonly signed: string;
}

/** Ways to write whole seconds that a lenient number parser takes for the same number, and others. */
const WRITINGS: ReadonlyArray<(seconds: number) => string> = [
	(seconds) => `0${seconds}`,
	(seconds) => `+${seconds}`,
	(seconds) => `-${seconds}`,
	(seconds) => `${seconds}.5`,
	(seconds) => `${seconds}.`,
	(seconds) => `${seconds}e0`,
	(seconds) => `${seconds}abc`,
	(seconds) => `${seconds}=1`,
	(seconds) => `${seconds}000`,
	(seconds) => `0x${seconds.toString(16)}`,
	(seconds) =>
		String(seconds).replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit))),
	() => '1e9',
	() => 'NaN',
	() => 'Infinity',
	() => '',
	() => '-1',
];
export const times: fc.Arbitrary<TimePlan> = fc
	.record({
		age: fc.oneof(
			{ weight: 12, arbitrary: fc.integer({ min: -299, max: 299 }) },
			{ weight: 3, arbitrary: fc.constantFrom(-302, -301, -300, 299, 300, 301, 302) },
			{ weight: 1, arbitrary: fc.integer({ min: -1e9, max: 1e9 }) },
		),
		millisecond: fc.oneof(fc.constantFrom(0, 1, 999), fc.integer({ min: 0, max: 999 })),
		writing: fc.oneof(
			{ weight: 8, arbitrary: fc.constant(String) },
			{ weight: 1, arbitrary: fc.constantFrom(...WRITINGS) },
		),
		signed: fc.oneof(
			{ weight: 12, arbitrary: fc.constant('asWritten') },
			{ weight: 3, arbitrary: fc.constant('asNumber') },
			{ weight: 1, arbitrary: fc.constant('another') },
		),
	})
	.map(({ age, millisecond, writing, signed }) => {
		const written = writing(AT - age);
		const asSigned: Readonly<Record<string, string>> = {
			asNumber: String(Number.parseInt(written, 10)),
			another: `${AT - age + 1}`,
		};
		return { now: AT * 1_000 + millisecond, written, signed: asSigned[signed] ?? written };
	});

/** Seconds; 0 = any age. */
export const tolerances = fc.oneof(
	{ weight: 6, arbitrary: fc.constant(300) },
	{ weight: 1, arbitrary: fc.constantFrom(0, 1, 60, 86_400) },
);

/** How a signature is corrupted, or not. */
export const spoilings = fc.oneof(
	{ weight: 18, arbitrary: fc.constant('good' as const) },
	{
		weight: 3,
		arbitrary: fc.constantFrom(
			...(['flipped', 'otherCase', 'truncated', 'extended', 'random', 'empty'] as const),
			...(['trailing', 'quoted', 'inner', 'nul'] as const),
		),
	},
);
export type Spoiling = typeof spoilings extends fc.Arbitrary<infer T> ? T : never;

export function hmac(senders: string, ...content: ReadonlyArray<string | Buffer>): Buffer {
	const digest = createHmac('sha256', senders);
	for (const part of content) digest.update(part);
	return digest.digest();
}

/** @param separator what ends a field in the format around the signature */
export function writeSignature(
	digest: Buffer,
	encoding: 'hex' | 'base64',
	spoiling: Spoiling,
	separator: '=' | ',',
): string {
	const written = digest.toString(encoding);
	switch (spoiling) {
		case 'good':
			return written;
		case 'flipped':
			return Buffer.from(digest.map((byte, at) => (at === 7 ? byte ^ 0x10 : byte))).toString(
				encoding,
			);
		case 'otherCase':
			return written.replace(/[a-z]/gi, (letter) =>
				letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
			);
		case 'truncated':
			return written.slice(0, -1);
		case 'extended':
			return `${written}0`;
		case 'random':
			return createHash('sha256').update(digest).digest(encoding);
		case 'empty':
			return '';
		case 'trailing':
			return `${written}${separator}x`;
		case 'quoted':
			return `"${written}"`;
		case 'inner':
			return `${written.slice(0, 9)} ${written.slice(9)}`;
		case 'nul':
			return `${written}\0`;
	}
}

/** How a header's value reaches n8n: Node joins a repeated header, and hands some over as a list. */
export const carriers = fc.oneof(
	{ weight: 24, arbitrary: fc.constant('once' as const) },
	{ weight: 2, arbitrary: fc.constantFrom(' ', '\t', '  ').map((space) => ({ space })) },
	{ weight: 1, arbitrary: fc.constantFrom('joined', 'listOfOne', 'listOfTwo', 'missing') },
);
export type Carrier = typeof carriers extends fc.Arbitrary<infer T> ? T : never;
export type HeaderValue = string | string[] | undefined;

export function carry(value: string, carrier: Carrier): HeaderValue {
	if (typeof carrier === 'object') return `${carrier.space}${value}${carrier.space}`;
	switch (carrier) {
		case 'once':
			return value;
		case 'joined':
			return `${value}, ${value}`;
		case 'listOfOne':
			return [value];
		case 'listOfTwo':
			return [value, value];
		case 'missing':
			return undefined;
	}
}
