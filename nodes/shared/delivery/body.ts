import type { IDataObject } from 'n8n-workflow';

import { isJsonObject } from '../jsonObject';

const BYTE_ORDER_MARKS = /^\ufeff+/;
/** Stands in a text for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';
/** Digits of the smallest whole number that a JavaScript number may not hold exactly. */
const LONG_NUMBER = 16;
/** Characters of a field's path that a warning shows. */
const MAX_PATH = 200;
/** What may stand before a number in JSON. */
const BEFORE_NUMBERS = Buffer.from(':,[- \t\r\n');
const ZERO = 0x30;
const NINE = 0x39;

/** Parses the raw body. @returns undefined when it is not a JSON object */
export function parseBody(rawBody: Buffer): IDataObject | undefined {
	try {
		const body: unknown = JSON.parse(rawBody.toString().replace(BYTE_ORDER_MARKS, ''));
		return isJsonObject(body) ? body : undefined;
	} catch {
		return undefined;
	}
}

/**
 * The fields of a body that do not hold what was sent: whole numbers above 2^53, whose last digits are lost, and texts
 * with bytes that are not UTF-8. Two quick checks of the bytes spare an ordinary delivery the search.
 * @param limit how many to find at most
 */
export function findLosses(rawBody: Buffer, body: IDataObject, limit: number): string[] {
	const isText = isUtf8(rawBody);
	if (isText && !hasLongNumber(rawBody)) return [];
	const found =
		isText || limit === 0 ? [] : ['the body has bytes that are not UTF-8, each replaced by \ufffd'];
	// No recursion: a body may be nested deeper than the stack allows.
	const open: Array<readonly [path: string, value: unknown]> = [['', body]];
	for (let next = open.pop(); next !== undefined && found.length < limit; next = open.pop()) {
		const [path, value] = next;
		if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
			found.push(`${shorten(path)}: a number too large to be exact, its last digits may be wrong`);
		} else if (!isText && typeof value === 'string' && value.includes(REPLACEMENT)) {
			found.push(`${shorten(path)}: has bytes that are not UTF-8`);
		} else if (typeof value === 'object' && value !== null) {
			for (const [key, member] of Object.entries(value).reverse()) {
				open.push([path === '' ? key : `${path}.${key}`, member]);
			}
		}
	}
	return found;
}

/** A valid text may contain the replacement character, too; encoded again, it gives the same bytes. */
function isUtf8(bytes: Buffer): boolean {
	const text = bytes.toString();
	return !text.includes(REPLACEMENT) || Buffer.from(text).equals(bytes);
}

function shorten(path: string): string {
	return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}

/**
 * Whether a number may have 16 digits. A run of 16 digits has one at a multiple of 16, so few bytes are looked at, and
 * each once.
 */
function hasLongNumber(bytes: Buffer): boolean {
	for (let at = 0; at < bytes.length; at += LONG_NUMBER) {
		if (!isDigit(bytes[at])) continue;
		let [start, end] = [at, at + 1];
		while (isDigit(bytes[start - 1])) start--;
		while (isDigit(bytes[end])) end++;
		// Ids and digests in texts follow quotes and letters.
		const isNumber = BEFORE_NUMBERS.includes(bytes[start - 1] ?? ZERO);
		if (end - start >= LONG_NUMBER && isNumber) return true;
		at = end - (end % LONG_NUMBER);
	}
	return false;
}

function isDigit(byte: number | undefined): boolean {
	return byte !== undefined && byte >= ZERO && byte <= NINE;
}
