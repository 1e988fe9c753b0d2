import * as fc from 'fast-check';

import { SEED } from './seed';

/**
 * What the fuzzing tests share: hostile values as they may come over the network, and the count of
 * runs by property.
 */

/** Cases of each property: 1,000, unless `FUZZ_RUNS` asks for another count. */
export const CASES = readCases(process.env['FUZZ_RUNS']);

function readCases(text: string | undefined): number {
	if (text === undefined || text === '') return 1_000;
	const cases = Number(text);
	if (Number.isSafeInteger(cases) && cases > 0) return cases;
	throw new Error(`FUZZ_RUNS has to be a whole number of 1 or more, not "${text}"`);
}

/** Runs by property, for the table of figures; the first row is its heading. */
export const runs: string[][] = [['property', 'runs']];

/**
 * Checks a property of one generated value; fast-check shrinks what fails and prints the seed.
 * @param size cases that one value holds
 */
export async function check<T>(
	property: string,
	numRuns: number,
	arbitrary: fc.Arbitrary<T>,
	holds: (value: T) => void | Promise<void>,
	size = 1,
): Promise<void> {
	await fc.assert(
		fc.asyncProperty(arbitrary, async (value) => await holds(value)),
		{
			seed: SEED,
			numRuns,
		},
	);
	runs.push([property, String(numRuns * size)]);
}

/** Faster than Jest's `expect`, which matters for thousands of cases. @throws Error that names what does not hold */
export function hold(claims: Readonly<Record<string, boolean>>): void {
	const wrong = Object.keys(claims).filter((claim) => claims[claim] !== true);
	if (wrong.length > 0) throw new Error(`It does not hold that ${wrong.join(', and that ')}`);
}

const HOSTILE_TEXTS = [
	...[
		'',
		' ',
		'\0',
		'\ud800',
		'.',
		'..',
		'../..',
		'%2e%2e',
		'__proto__',
		'constructor',
		'toString',
	],
	...[
		'<script>alert(1)</script>',
		'{{ $env }}',
		'={{ 1 }}',
		'NaN',
		'1e999',
		'-0',
		'null',
		'[object Object]',
	],
	...[
		'2026-99-99T99:99:99Z',
		'+275761-01-01',
		'https://example.com/',
		'javascript:alert(1)',
		'a\r\nb: c',
	],
];
/** Letters as often as all others, lone surrogates included. fast-check's own `binary` takes seconds to prepare. */
const anyCharacter = fc
	.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10ffff))
	.map((code) => String.fromCodePoint(code));
export const hostileText = fc.oneof(
	{ weight: 20, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
	{
		weight: 20,
		arbitrary: fc.array(anyCharacter, { maxLength: 30 }).map((characters) => characters.join('')),
	},
	{ weight: 1, arbitrary: fc.constantFrom('x', '🐼', '\0').map((unit) => unit.repeat(20_000)) },
);

/** A text in the field of a secret, and the secret that was meant. */
export interface SecretText {
	readonly text: string;
	readonly bare: string;
}

const fringe = fc
	.array(
		fc.constantFrom(' ', '\t', '\r\n', '\u00a0', '\u200b', '\ufeff', '"', "'", '`', '“', '”'),
		{ maxLength: 4 },
	)
	.map((parts) => parts.join(''));
const withFringe = (meant: fc.Arbitrary<string>): fc.Arbitrary<SecretText> =>
	fc
		.tuple(fringe, meant, fringe)
		.map(([before, bare, after]) => ({ text: `${before}${bare}${after}`, bare }));
const hex = fc.string({
	unit: fc.constantFrom(...'0123456789abcdef'),
	minLength: 16,
	maxLength: 64,
});
const bullet = fc.constantFrom('•', '●', '…', '＊', '***', '...', '####');
const nameOfOne = fc.constantFrom('Secret', 'api-key', 'webhook_secret', 'KEY');

/** A secret as people copy it. */
export const realSecret = withFringe(
	hex.filter((text) => new Set(text).size > 3).map((text) => `whsec_k${text}`),
);

/** A text that is not a secret: blank, masked, or known to everybody. */
export const noSecret = withFringe(
	fc.oneof(
		fc.constantFrom('', '__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6'),
		fc.tuple(hex, bullet, hex).map((parts) => parts.join('')),
		nameOfOne.map((name) => `your-${name}`),
		nameOfOne.map((name) => `<${name}>`),
		hex.map((text) => `e.g. ${text}`),
		fc.constantFrom('whsec_', 'msk_live_', 'undefined', 'NULL', 'changeme', '[object Object]'),
	),
);

/** Names that the providers use, so that generated objects are not rejected at once. */
const KEYS = [
	...['id', 'url', 'events', 'active', 'secret', 'signatureKey', 'data', 'webhooks', 'webhook'],
	...['endpoint', 'endpoints', 'items', 'created_at', 'event', 'type', 'timestamp', 'messageId'],
	...[
		'article',
		'author',
		'error',
		'message',
		'code',
		'errors',
		'validationErrors',
		'field',
		'upgrade',
	],
	...['urls', 'pricing', 'upgrade_url', 'bounceType', 'api_version', 'createdAt', 'product'],
	...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'then', ''],
];

/** JSON text of any shape: documented names with wrong types, names of `Object.prototype`, lists of anything. */
export const hostileJson: fc.Arbitrary<string> = fc.letrec<{
	value: string;
	list: string;
	object: string;
	leaf: string;
}>((tie) => ({
	value: fc.oneof({ maxDepth: 5, withCrossShrink: true }, tie('leaf'), tie('object'), tie('list')),
	leaf: fc.oneof(
		hostileText.map((text) => JSON.stringify(text)),
		fc.constantFrom(
			'null',
			'true',
			'false',
			'0',
			'-1',
			'1e999',
			'9007199254740993',
			'0.5',
			'{}',
			'[]',
		),
		fc.integer().map(String),
	),
	list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
	object: fc
		.array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), hostileText), tie('value')), {
			maxLength: 6,
		})
		.map(
			(entries) =>
				`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`,
		),
})).value;

/** Nested objects and lists, deeper than the stack allows for recursion. */
export const deepJson: fc.Arbitrary<string> = fc
	.tuple(
		fc.constantFrom('data', 'webhook', 'webhooks', 'error', 'id', ''),
		fc.integer({ min: 10_000, max: 20_000 }),
	)
	.map(([key, depth]) =>
		key === ''
			? `${'['.repeat(depth)}${']'.repeat(depth)}`
			: `${`{${JSON.stringify(key)}:`.repeat(depth)}1${'}'.repeat(depth)}`,
	);

/** What may come where JSON is expected. */
export const hostileBody: fc.Arbitrary<Buffer> = fc.oneof(
	{ weight: 120, arbitrary: hostileJson.map((text) => Buffer.from(text)) },
	{
		weight: 20,
		arbitrary: fc
			.tuple(hostileJson, fc.nat(40))
			.map(([text, cut]) => Buffer.from(text.slice(0, -cut))),
	},
	{ weight: 20, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
	{
		weight: 10,
		arbitrary: fc
			.constantFrom('', '<!doctype html><title>502</title>', '\ufeff{}', 'null', '"text"')
			.map((text) => Buffer.from(text)),
	},
	{ weight: 1, arbitrary: deepJson.map((text) => Buffer.from(text)) },
);

/** Whether anything was added to the prototypes that all values have in common. */
export function prototypeNames(): string {
	return [Object, Array, String, Function, Promise]
		.map(({ prototype }) => Object.getOwnPropertyNames(prototype).join())
		.join(';');
}
