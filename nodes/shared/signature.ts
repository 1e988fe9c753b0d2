import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { Provider, SignatureScheme } from './provider';
import { formsOf, hasFringe } from './secretText';

/** The parts of a request that a signature covers or travels in. Header names are lower case. */
export interface SignedRequest {
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly rawBody: Buffer;
}

export interface VerifyOptions {
	/** Secrets that are valid at the moment; texts that are not secrets are ignored. Without one nothing verifies. */
	readonly secrets: readonly string[];
	/** Largest distance in seconds between a signed timestamp and now, past or future; 0 = any. */
	readonly toleranceSeconds: number;
	/** Now, in epoch milliseconds. */
	readonly now: number;
}

/** The result of a verification. */
export type Verdict =
	| {
			readonly valid: true;
			readonly scheme: string;
			/** Epoch milliseconds of the signed timestamp, where the scheme signs one. */
			readonly signedAt?: number;
	  }
	| {
			readonly valid: false;
			readonly reason: string;
			/** Another secret might match: the request is well-formed, or there was no secret to verify it with. */
			readonly unmatched?: true;
	  };

type Refusal = Extract<Verdict, { valid: false }>;

/** What a header contains: the signatures that may match, and the timestamp they cover. */
interface Signed {
	readonly signatures: readonly Buffer[];
	/** Unix seconds as written, because that is what is signed. */
	readonly timestamp?: string;
}

type Claim = Signed | { readonly reason: string };

const ELEMENT_ENDS = /[\s,]+/;
/** Where Node, or a proxy, joined the lines of a header. */
const LINE_ENDS = /, ?/;
/** How many comma-separated parts of a header are looked at, so that refusing a request stays cheap. */
const MAX_PARTS = 32;
const HEX_SHA256 = /^[0-9a-f]{64}$/;
const UNIX_SECONDS = /^(?:0|[1-9]\d{0,11})$/;
const DECIMAL_SECONDS = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?$/;

/**
 * Checks a request against schemes in order. The first scheme whose header is present picks the
 * header; the first scheme of that header that verifies wins.
 *
 * Never throws. Strict on purpose: signatures are lower-case hex (all providers document that),
 * surrounding white space is ignored because HTTP strips it, a repeated header or a
 * repeated `t=` is refused, and timestamps outside the tolerance fail in both directions.
 */
export function verifySignature(
	request: SignedRequest,
	schemes: readonly SignatureScheme[],
	options: VerifyOptions,
): Verdict {
	const secrets = options.secrets.flatMap(formsOf);
	if (secrets.length === 0) {
		return { valid: false, reason: 'no signing secret is configured', unmatched: true };
	}

	// The first header that is present decides: a delivery that carries the stronger signature is not
	// accepted for a weaker one beside it.
	const header = schemes.find((scheme) => request.headers[scheme.header] !== undefined)?.header;
	const value = header === undefined ? undefined : request.headers[header];
	if (value === undefined) {
		const expected = [...new Set(schemes.map((scheme) => scheme.header))].join(' or ');
		return refused(`signature header is missing (expected ${expected})`);
	}
	if (typeof value !== 'string') return refused(`header ${header} is repeated`);

	let failure: Refusal | undefined;
	const candidates = schemes.filter((candidate) => candidate.header === header);
	for (const scheme of candidates) {
		const claim = readClaim(request, scheme, value.trim());
		if (claim === undefined) continue;
		if ('reason' in claim) {
			failure ??= refused(claim.reason);
			continue;
		}
		const verdict = verifyClaim(request, scheme, claim, secrets, options);
		if (verdict.valid) return verdict;
		// More informative than a mismatch with the format of another scheme.
		if (failure?.unmatched !== true) failure = verdict;
	}
	for (const scheme of candidates) {
		const repeated = repeatedHeader(request, scheme, value.trim());
		// Other reasons follow from it and would hide it.
		if (repeated !== undefined) return { ...failure, ...refused(`header ${repeated} is repeated`) };
	}
	return failure ?? refused(`header ${header} is not in the documented format`);
}

/** The header of a scheme that came on several lines. @returns undefined where none did */
function repeatedHeader(
	{ headers }: SignedRequest,
	scheme: SignatureScheme,
	value: string,
): string | undefined {
	if (scheme.kind === 'sharedSecret') {
		return isJoined(value, (line, first) => line === first) ? scheme.header : undefined;
	}
	const { header, layout, timestampHeader, decimalTimestamp } = scheme;
	const seconds = secondsOf(decimalTimestamp);
	const isSignature = (line: string) =>
		layout.type === 'hex'
			? signatureIn(layout.prefixes, line) !== undefined
			: 'signatures' in (readElements(line, layout, seconds) ?? {});
	if (isJoined(value, isSignature)) return header;
	const timestamp = timestampHeader === undefined ? undefined : headers[timestampHeader];
	return isJoined(String(timestamp), (line) => seconds.test(line)) ? timestampHeader : undefined;
}

/**
 * Whether a value consists of several lines of a header, which Node.js and proxies join with commas. A single line may
 * have commas, too: several signatures beside one timestamp are one value.
 */
function isJoined(value: string, isLine: (line: string, first?: string) => boolean): boolean {
	const parts = value.split(LINE_ENDS, MAX_PARTS);
	return parts.slice(1).some((_, index) => {
		const count = index + 2;
		const size = parts.length / count;
		const lines = Array.from({ length: count }, (__, line) =>
			parts.slice(line * size, (line + 1) * size).join(','),
		);
		return Number.isInteger(size) && lines.every((line) => isLine(line, lines[0]));
	});
}

function verifyClaim(
	request: SignedRequest,
	scheme: SignatureScheme,
	{ signatures, timestamp }: Signed,
	secrets: readonly string[],
	{ toleranceSeconds, now }: VerifyOptions,
): Verdict {
	if (timestamp !== undefined) {
		const age = Math.abs(now / 1000 - Number(timestamp));
		if (toleranceSeconds > 0 && age > toleranceSeconds) {
			return refused(`timestamp is more than ${toleranceSeconds} seconds away from now`);
		}
	} else if (scheme.kind === 'hmac' && startsWithDigit(request.rawBody)) {
		return refused('body is not a JSON object');
	}

	const matches = secrets.some((secret) => {
		// HTTP strips white space around a header's value.
		const expected =
			scheme.kind === 'hmac' ? sign(request, secret, timestamp) : sha256(secret.trim());
		return signatures.some((signature) => timingSafeEqual(signature, expected));
	});
	if (!matches) {
		const refusal = refused(
			secrets.some(hasFringe)
				? 'signature does not match; the signing secret has white space or quotes around it'
				: 'signature does not match',
		);
		return { ...refusal, unmatched: true };
	}
	return timestamp === undefined
		? { valid: true, scheme: scheme.id }
		: { valid: true, scheme: scheme.id, signedAt: Math.round(Number(timestamp) * 1000) };
}

/**
 * Signs a body as a provider does: the headers to send with it, names in lower case.
 * @param timestamp Unix seconds; used by the schemes that sign one
 */
export function signRequest(
	rawBody: Buffer,
	scheme: SignatureScheme,
	secret: string,
	timestamp: number,
): Record<string, string> {
	if (scheme.kind === 'sharedSecret') return { [scheme.header]: secret.trim() };
	const { layout, header, timestampHeader } = scheme;
	const seconds = scheme.signed === 'timestamp.body' ? String(timestamp) : undefined;
	const hex = sign({ rawBody }, secret, seconds).toString('hex');
	if (layout.type === 'elements') {
		return { [header]: `${layout.timestamp}=${timestamp},${layout.signature}=${hex}` };
	}
	return {
		[header]: `${layout.prefixes[0] ?? ''}${hex}`,
		...(timestampHeader === undefined ? {} : { [timestampHeader]: String(timestamp) }),
	};
}

function sign(
	{ rawBody }: Pick<SignedRequest, 'rawBody'>,
	secret: string,
	timestamp: string | undefined,
): Buffer {
	const hmac = createHmac('sha256', secret);
	if (timestamp !== undefined) hmac.update(`${timestamp}.`);
	return hmac.update(rawBody).digest();
}

/** All digests have the same length, so comparing them does not reveal how long a shared secret is. */
function sha256(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}

/**
 * A body that starts with a digit could be `<timestamp>.<body>` of another scheme, replayed without
 * its timestamp. No documented body starts with a digit: all are JSON objects.
 */
function startsWithDigit(body: Buffer): boolean {
	const first = body[0] ?? 0;
	return first >= 0x30 && first <= 0x39;
}

/** @returns undefined when the value does not have the scheme's layout */
function readClaim(
	request: SignedRequest,
	scheme: SignatureScheme,
	value: string,
): Claim | undefined {
	if (scheme.kind === 'sharedSecret') return { signatures: [sha256(value)] };
	const { layout, timestampHeader } = scheme;
	const seconds = secondsOf(scheme.decimalTimestamp);
	if (layout.type === 'elements') return readElements(value, layout, seconds);

	const signature = signatureIn(layout.prefixes, value);
	if (signature === undefined) return undefined;
	const signatures = [signature];
	if (timestampHeader === undefined) return { signatures };

	const timestamp = request.headers[timestampHeader];
	if (typeof timestamp !== 'string' || !seconds.test(timestamp.trim())) {
		return { reason: `header ${timestampHeader} holds no Unix timestamp` };
	}
	return { signatures, timestamp: timestamp.trim() };
}

function secondsOf(decimalTimestamp: true | undefined): RegExp {
	return decimalTimestamp === true ? DECIMAL_SECONDS : UNIX_SECONDS;
}

/** The signature behind one of the prefixes. */
function signatureIn(prefixes: readonly string[], value: string): Buffer | undefined {
	const prefix = prefixes.find(
		(candidate) => value.startsWith(candidate) && HEX_SHA256.test(value.slice(candidate.length)),
	);
	return prefix === undefined ? undefined : Buffer.from(value.slice(prefix.length), 'hex');
}

/** Reads `t=…,v1=…`, also with white space for the comma and with several `v1=`, as an SDK does. */
function readElements(
	value: string,
	{ timestamp: timestampKey, signature: signatureKey }: { timestamp: string; signature: string },
	seconds: RegExp,
): Claim | undefined {
	const timestamps: string[] = [];
	const signatures: Buffer[] = [];
	for (const element of value.split(ELEMENT_ENDS)) {
		const equals = element.indexOf('=');
		const key = equals === -1 ? element : element.slice(0, equals);
		const content = equals === -1 ? '' : element.slice(equals + 1);
		if (key === timestampKey) timestamps.push(content);
		else if (key === signatureKey && HEX_SHA256.test(content)) {
			signatures.push(Buffer.from(content, 'hex'));
		}
	}
	const [timestamp] = timestamps;
	if (timestamp === undefined && signatures.length === 0) return undefined;
	if (timestamp === undefined || timestamps.length > 1 || !seconds.test(timestamp)) {
		return { reason: `signature header needs exactly one ${timestampKey}=<Unix seconds>` };
	}
	if (signatures.length === 0) return { reason: `signature header has no ${signatureKey}=<hex>` };
	return { signatures, timestamp };
}

function refused(reason: string): Refusal {
	return { valid: false, reason };
}

/** The schemes to try, in order: the pinned one, or every scheme that `auto` covers. */
export function schemesToTry(
	provider: Provider,
	{ signatureScheme }: { readonly signatureScheme: string },
): readonly SignatureScheme[] {
	return provider.schemes.filter((scheme) =>
		signatureScheme === 'auto' ? scheme.auto : scheme.id === signatureScheme,
	);
}
