import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { HmacScheme, SharedSecretScheme, SignatureScheme } from './provider';

/** The parts of a request that a signature covers or travels in. Header names are lower case. */
export interface SignedRequest {
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly rawBody: Buffer;
}

export interface VerifyOptions {
	/** Secrets that are live at the moment; empty ones are ignored. Without one nothing is valid. */
	readonly secrets: readonly string[];
	/** Largest distance in seconds between a signed timestamp and now, past or future; 0 = any. */
	readonly toleranceSeconds: number;
	/** Now, in epoch milliseconds. */
	readonly now: number;
}

export type Verdict =
	| {
			readonly valid: true;
			readonly scheme: string;
			/** Epoch milliseconds of the signed timestamp, where the scheme signs one. */
			readonly signedAt?: number;
	  }
	| { readonly valid: false; readonly reason: string };

/** What a header says: the signatures that may match, and the timestamp they cover. */
type Claim =
	| { readonly signatures: readonly Buffer[]; readonly timestamp?: string }
	| { readonly reason: string };

const HEX_SHA256 = /^[0-9a-f]{64}$/;
/** Unix seconds; MisarMail SDK 5 reads them as a decimal number. */
const UNIX_SECONDS = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?$/;

/**
 * Checks a request against schemes in order; the first that verifies wins.
 *
 * Never throws. Strict on purpose: signatures are lower-case hex (all providers document that),
 * surrounding white space is ignored because HTTP does not carry it, a repeated header or a
 * repeated `t=` is refused, and timestamps outside the tolerance fail in both directions.
 */
export function verifySignature(
	request: SignedRequest,
	schemes: readonly SignatureScheme[],
	options: VerifyOptions,
): Verdict {
	const secrets = options.secrets.filter((secret) => secret !== '');
	if (secrets.length === 0) return { valid: false, reason: 'no signing secret is configured' };

	let reason: string | undefined;
	for (const scheme of schemes) {
		const value = request.headers[scheme.header];
		if (value === undefined) continue;
		const verdict =
			typeof value !== 'string'
				? refused(`header ${scheme.header} is repeated`)
				: scheme.kind === 'hmac'
					? verifyHmac(request, scheme, value.trim(), secrets, options)
					: verifySharedSecret(scheme, value, secrets);
		if (verdict.valid) return verdict;
		reason ??= verdict.reason;
	}
	const expected = [...new Set(schemes.map((scheme) => scheme.header))].join(' or ');
	return refused(reason ?? `signature header is missing (expected ${expected})`);
}

function verifyHmac(
	request: SignedRequest,
	scheme: HmacScheme,
	value: string,
	secrets: readonly string[],
	{ toleranceSeconds, now }: VerifyOptions,
): Verdict {
	const claim = readClaim(request, scheme, value);
	if ('reason' in claim) return refused(claim.reason);

	const { signatures, timestamp } = claim;
	if (timestamp === undefined) {
		// A body that starts with a digit could be `<timestamp>.<body>` of another scheme, replayed
		// without its timestamp. No documented body starts so: all are JSON objects.
		const first = request.rawBody[0] ?? 0;
		if (first >= 0x30 && first <= 0x39) return refused('body is not a JSON object');
	} else if (toleranceSeconds > 0 && Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) {
		return refused(`timestamp is more than ${toleranceSeconds} seconds away from now`);
	}

	const matches = secrets.some((secret) => {
		const hmac = createHmac('sha256', secret);
		if (timestamp !== undefined) hmac.update(`${timestamp}.`);
		const expected = hmac.update(request.rawBody).digest();
		return signatures.some((signature) => timingSafeEqual(signature, expected));
	});
	if (!matches) return refused('signature does not match');
	return timestamp === undefined
		? { valid: true, scheme: scheme.id }
		: { valid: true, scheme: scheme.id, signedAt: Math.round(Number(timestamp) * 1000) };
}

function readClaim(request: SignedRequest, scheme: HmacScheme, value: string): Claim {
	const { layout } = scheme;
	if (layout.type === 'elements') return readElements(value, layout.timestamp, layout.signature);

	const prefix = layout.prefixes.find(
		(candidate) => value.startsWith(candidate) && HEX_SHA256.test(value.slice(candidate.length)),
	);
	if (prefix === undefined)
		return { reason: `header ${scheme.header} is not a signature of this scheme` };
	const signatures = [Buffer.from(value.slice(prefix.length), 'hex')];
	if (scheme.timestampHeader === undefined) return { signatures };

	const timestamp = request.headers[scheme.timestampHeader];
	if (typeof timestamp !== 'string' || !UNIX_SECONDS.test(timestamp.trim())) {
		return { reason: `header ${scheme.timestampHeader} holds no Unix timestamp` };
	}
	return { signatures, timestamp: timestamp.trim() };
}

/** Reads `t=…,v1=…`; the Metigan SDK also splits on white space and allows several `v1=`. */
function readElements(value: string, timestampKey: string, signatureKey: string): Claim {
	const timestamps: string[] = [];
	const signatures: Buffer[] = [];
	for (const element of value.split(/[\s,]+/)) {
		const [key, ...rest] = element.split('=');
		const content = rest.join('=');
		if (key === timestampKey) timestamps.push(content);
		else if (key === signatureKey && HEX_SHA256.test(content)) {
			signatures.push(Buffer.from(content, 'hex'));
		}
	}
	const [timestamp] = timestamps;
	if (timestamp === undefined || timestamps.length > 1 || !UNIX_SECONDS.test(timestamp)) {
		return { reason: `signature header needs exactly one ${timestampKey}=<Unix seconds>` };
	}
	if (signatures.length === 0) return { reason: `signature header has no ${signatureKey}=<hex>` };
	return { signatures, timestamp };
}

function verifySharedSecret(
	scheme: SharedSecretScheme,
	value: string,
	secrets: readonly string[],
): Verdict {
	// Digests have one length, so the comparison does not tell how long the secret is.
	const digest = (text: string) => createHash('sha256').update(text).digest();
	const given = digest(value);
	return secrets.some((secret) => timingSafeEqual(given, digest(secret)))
		? { valid: true, scheme: scheme.id }
		: refused('shared secret does not match');
}

function refused(reason: string): Verdict {
	return { valid: false, reason };
}
