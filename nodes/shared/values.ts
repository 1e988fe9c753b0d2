/**
 * Reads single values of a body: times, addresses, types of bounces. Providers do not always write them as they
 * document them, so every form that has only one meaning is read.
 */

/** The unit of a Unix time, told by its size: a value below `below` is multiplied by `toMs` to get milliseconds. */
const UNIX_UNITS = [
	{ below: 1e11, toMs: 1e3 },
	{ below: 1e14, toMs: 1 },
	{ below: 1e17, toMs: 1e-3 },
	{ below: 1e20, toMs: 1e-6 },
] as const;
/** A present-day time in seconds, milliseconds, microseconds or nanoseconds; fewer digits may be a date. */
const UNIX_TEXT = /^(?:\d{9,13}|\d{16}|\d{19})(?:\.\d+)?$/;
/** ISO 8601 with the liberties of RFC 3339: lower case, a blank for the `T`, a zone without a colon. */
const ISO_TEXT =
	/^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?$/i;
/** As in the header `Date` and in emails (RFC 2822); `Date` reads these, in its own zone where none is given. */
const RFC_2822_TEXT =
	/^(?:[a-z]{3}, ?)?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)?( ?(?:[+-]\d{4}|UTC?|GMT|Z|[ECMP][SD]T))?$/i;

/**
 * Reads a time: Unix time in any of these units, ISO 8601 or RFC 2822; UTC where it names no zone.
 * @returns epoch milliseconds; undefined for anything else
 */
export function timeOf(value: unknown): number | undefined {
	const time = typeof value === 'number' ? unixTime(value) : textTime(value);
	return Number.isNaN(new Date(time).getTime()) ? undefined : time;
}

function unixTime(value: number): number {
	const unit = UNIX_UNITS.find(({ below }) => value >= 0 && value < below);
	return unit === undefined ? Number.NaN : Math.round(value * unit.toMs);
}

function textTime(value: unknown): number {
	const text = typeof value === 'string' ? value.trim() : '';
	if (UNIX_TEXT.test(text)) return unixTime(Number(text));
	const [, day, clock, zone = 'Z'] = ISO_TEXT.exec(text) ?? [];
	if (day !== undefined) {
		return Date.parse(
			clock === undefined ? day : `${day}T${clock.replace(',', '.')}${isoZone(zone)}`,
		);
	}
	const match = RFC_2822_TEXT.exec(text);
	if (match === null) return Number.NaN;
	return Date.parse(match[1] === undefined ? `${text} UTC` : text);
}

function isoZone(zone: string): string {
	const offset = /^([+-]\d\d):?(\d\d)?$/.exec(zone);
	return offset === null ? 'Z' : `${offset[1]}:${offset[2] ?? '00'}`;
}

/**
 * An address after a name, which may be quoted. An unquoted name with a comma and an `@` would hold another address.
 */
const NAMED_ADDRESS = /^(?:"[^"]*"\s*|[^<>,;]*|[^<>@]*)<([^<>]*)>$/;
/** One address (RFC 5321): a local part, quoted or not, and a domain or an address literal. */
const ADDRESS =
	/^(?:"[^"\\\p{C}]+"|[^\s\p{C}@<>()[\]\\,;:"]+)@(?:\[[^\s\p{C}@<>[\]\\,;]+\]|[^\s\p{C}@<>()[\]\\,;:"]+)$/u;
/** Longer than any name with its address; an address alone has 320 characters at most (RFC 5321). */
const MAX_LENGTH = 1_000;

/**
 * Reads one email address, also the only one in a list, or one after a name.
 * @returns the address alone; undefined for none, several or a malformed one
 */
export function addressOf(value: unknown): string | undefined {
	const [text, ...others]: unknown[] = Array.isArray(value) ? value : [value];
	if (typeof text !== 'string' || text.length > MAX_LENGTH || others.length > 0) return undefined;
	const written = text.trim();
	const address = (NAMED_ADDRESS.exec(written)?.[1] ?? written).trim();
	return ADDRESS.test(address) ? address : undefined;
}

export type BounceType = 'hard' | 'soft';

/** What providers call the two types, without white space and punctuation, with or without "bounce". */
const BOUNCE_WORDS: ReadonlyArray<readonly [BounceType, RegExp]> = [
	['hard', /^(?:hard|perm(?:anent)?)(?:bounced?|fail(?:ed|ure)?|error)?$/],
	['soft', /^(?:soft|transient|temp(?:orary)?)(?:bounced?|fail(?:ed|ure)?|error)?$/],
];

/** @returns undefined where a value does not say by itself whether a bounce is hard or soft */
export function bounceTypeOf(value: unknown): BounceType | undefined {
	const word = typeof value === 'string' ? value.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '') : '';
	return BOUNCE_WORDS.find(([, words]) => words.test(word))?.[0];
}
