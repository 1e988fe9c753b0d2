import { isNestedDeeper } from '../jsonObject';
import type { Provider, ProviderFamily } from '../provider';
import type { TriggerSettings } from '../settings';
import {
	schemesToTry,
	verifySignature,
	type SignedRequest,
	type Verdict,
	type VerifyOptions,
} from '../signature';
import { parseBody } from './body';
import { productNamedIn } from './event';

/**
 * Why a delivery was refused, for the person who sent it as a test or looks into n8n's log. Found by verifying it
 * again in other ways, which costs too much to do for every forgery.
 */

/** Bytes of a body that is tried in other spellings; no documented delivery has a tenth of them. */
const MAX_RESPELT = 1_000_000;
/** Of a body that is serialised again: the characters for indents grow with the square of it. */
const MAX_LEVELS = 50;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
/** Characters beyond ASCII, which several languages write as escapes. */
const NOT_ASCII = /[\u0080-\uffff]/g;
/** A string of JSON, or a character between two of its values. */
const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|[:,]/g;

/** A delivery that did not verify, and what it was verified with. */
export interface RefusedDelivery {
	readonly request: SignedRequest;
	readonly provider: Provider;
	readonly settings: Pick<TriggerSettings, 'signatureScheme' | 'registration'>;
	readonly options: VerifyOptions;
	readonly verdict: Extract<Verdict, { valid: false }>;
}

/** Whether a request carries a header that one of the family's products sends. */
export function carriesHeaderOf(
	family: ProviderFamily,
	headers: SignedRequest['headers'],
): boolean {
	return family.some((provider) =>
		[...signatureHeaders(provider), ...provider.envelope.eventHeaders].some(
			(header) => headers[header] !== undefined,
		),
	);
}

/** The cause in sentences, or what to compare where none is found. Holds no secret, no signature and no body. */
export function explainRefusal(refused: RefusedDelivery, family: ProviderFamily): string {
	return (
		wrongTime(refused) ??
		otherScheme(refused) ??
		changedBody(refused) ??
		otherProduct(refused, family) ??
		whatToCompare(refused)
	);
}

/** Verifies it once more, whenever it was signed. */
function verifyAgain(
	{ request, options }: RefusedDelivery,
	schemes: Provider['schemes'],
	rawBody = request.rawBody,
): Verdict {
	return verifySignature({ ...request, rawBody }, schemes, { ...options, toleranceSeconds: 0 });
}

function wrongTime(refused: RefusedDelivery): string | undefined {
	const { provider, settings, options } = refused;
	const verdict = verifyAgain(refused, schemesToTry(provider, settings));
	if (!verdict.valid || verdict.signedAt === undefined) return undefined;
	const seconds = Math.round((options.now - verdict.signedAt) / 1000);
	const when = seconds > 0 ? `${spanOf(seconds)} ago` : `${spanOf(-seconds)} in the future`;
	return `Its signature is valid, but according to this n8n’s clock it was signed ${when}. Correct that clock; if it is right, an old delivery was sent again, or the clock of ${provider.displayName} is wrong. How far they may differ is set by Options → Timestamp Tolerance`;
}

function spanOf(seconds: number): string {
	if (seconds < 2 * HOUR_S) return `${Math.round(seconds / MINUTE_S)} minutes`;
	if (seconds < 2 * DAY_S) return `${Math.round(seconds / HOUR_S)} hours`;
	return `${Math.round(seconds / DAY_S)} days`;
}

function otherScheme(refused: RefusedDelivery): string | undefined {
	const { provider, settings } = refused;
	const tried = schemesToTry(provider, settings);
	const scheme = provider.schemes.find(
		(other) => !tried.includes(other) && verifyAgain(refused, [other]).valid,
	);
	if (scheme === undefined) return undefined;
	return `It is signed with a different scheme from the one that is accepted. Choose “${scheme.name}” under Options → Signature Scheme`;
}

function changedBody(refused: RefusedDelivery): string | undefined {
	const { provider, request } = refused;
	if (request.rawBody.length > MAX_RESPELT) return undefined;
	for (const body of respellingsOf(request.rawBody)) {
		if (!verifyAgain(refused, provider.schemes, Buffer.from(body)).valid) continue;
		return 'The signing secret is right, but the body was changed on its way: the signature fits the same body with other white space or escapes. Whatever forwards the delivery, such as a proxy, a tunnel or another workflow, has to pass its body on byte for byte';
	}
	return undefined;
}

/** The forms in which the sender may have written the body, before something on the way serialised it again. */
function* respellingsOf(rawBody: Buffer): Generator<string> {
	const text = rawBody.toString();
	const trimmed = text.trim();
	yield* [trimmed, `${trimmed}\n`, `${trimmed}\r\n`];
	yield* [text.replaceAll('\r\n', '\n'), text.replaceAll(/\r?\n/g, '\r\n')];
	const body = parseBody(rawBody);
	if (body === undefined || isNestedDeeper(body, MAX_LEVELS)) return;
	const compact = JSON.stringify(body);
	const spaced = compact.replaceAll(JSON_TOKEN, (token) =>
		token.startsWith('"') ? token : `${token} `,
	);
	const indented = [2, 4, '\t'].map((indent) => JSON.stringify(body, null, indent));
	for (const json of [compact, spaced, ...indented]) {
		const ascii = json.replaceAll(NOT_ASCII, escapeOf);
		const slashed = ascii.replaceAll('/', '\\/');
		yield* [json, ascii, slashed, `${json}\n`, `${ascii}\n`];
	}
}

function escapeOf(character: string): string {
	return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function otherProduct(
	{ request, provider }: RefusedDelivery,
	family: ProviderFamily,
): string | undefined {
	const own = signatureHeaders(provider);
	const isSignedFor = (other: Provider) =>
		signatureHeaders(other).some(
			(header) => request.headers[header] !== undefined && !own.includes(header),
		);
	const other =
		family.find(isSignedFor) ?? productNamedIn(provider, family, parseBody(request.rawBody) ?? {});
	if (other === undefined) return undefined;
	return `It looks like a delivery of ${other.displayName}, and this trigger is for ${provider.displayName}. Choose the other product, or remove this URL from the webhooks of ${other.displayName}`;
}

function signatureHeaders({ schemes }: Provider): string[] {
	return schemes.flatMap((scheme) => [
		scheme.header,
		...(scheme.kind === 'hmac' && scheme.timestampHeader !== undefined
			? [scheme.timestampHeader]
			: []),
	]);
}

function whatToCompare({ request, provider, settings, options, verdict }: RefusedDelivery): string {
	const { displayName } = provider;
	if (options.secrets.length === 0) {
		return `Enter the signing secret that ${displayName} shows for this webhook in the credential`;
	}
	if (provider.schemes.every(({ header }) => request.headers[header] === undefined)) {
		return `It is not signed. If ${displayName} sent it, its webhook there has no signing secret yet`;
	}
	if (verdict.unmatched !== true) {
		return `Either something other than ${displayName} sent it, or ${displayName} signs in a way that it does not document`;
	}
	return settings.registration === 'automatic'
		? `The trigger knows the signing secret of the endpoint that it registered. Another endpoint or another sender uses this URL: look for it in the dashboard of ${displayName}`
		: `Compare the Signing Secret in the credential with the one that ${displayName} shows for this webhook. If it no longer shows one, add the webhook there again and enter its new secret`;
}
