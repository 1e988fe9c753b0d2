import { expect, jest } from '@jest/globals';

import type { ContextHost } from '../../testkit/contextHost';

/**
 * The forgeries that have to be refused of every delivery that is accepted.
 *
 * Upper-case hex is not accepted: every document writes its signatures in lower case. White space
 * is accepted around a header's value only, where HTTP does not carry it anyway, and never inside a
 * signature. (Between the elements of `t=…, v1=…` it is accepted, as Metigan's SDK does.)
 */

/** How a scheme looks on the wire, as its document describes it. Header names are lower case. */
export interface WireScheme {
	/** What the proof is computed over; a shared secret in a header covers nothing. */
	readonly covers: 'body' | 'timestamp.body' | 'nothing';
	/** The header that holds the proof. */
	readonly header: string;
	/** The header with the Unix seconds, where they do not stand beside the signature. */
	readonly timestampHeader?: string;
	/** Headers of its deliveries that repeat the name of the event. */
	readonly eventHeaders: readonly string[];
	/** The one of them that has to agree with the body. */
	readonly comparedEventHeader?: string;
	/** Without an event header a delivery is refused. */
	readonly eventHeaderRequired?: true;
	/** Value of `options.signatureScheme` without which the scheme is not tried. */
	readonly pin?: string;
	/** The headers that carry a signature. */
	present(hex: string, timestamp: string): Record<string, string>;
}

export interface Delivery {
	readonly headers: Readonly<Record<string, string | string[]>>;
	readonly body: Buffer;
	/** A header whose value reaches the context as a list, as another HTTP server might hand it on. */
	readonly asArray?: string;
	/** Replaces the scheme's own `pin`; undefined means automatic. */
	readonly pin?: string | undefined;
}

/** A kind of accepted delivery, from which forgeries are made. */
export interface Specimen {
	readonly scheme: WireScheme;
	/** The provider's other schemes. */
	readonly siblings: readonly WireScheme[];
	/** A fresh delivery, never the same twice. `ageSeconds` below 0 = signed in the future. */
	sign(changes?: { secret?: string; ageSeconds?: number }): Delivery;
}

interface Forgery {
	readonly title: string;
	/** Why it is refused. */
	readonly reason: RegExp;
	make(specimen: Specimen): Delivery[];
}

const HEX = /[0-9a-f]{64}/;
const UNIX_SECONDS = /(?<!\d)\d{10}(?!\d)/;
const MISMATCH = /^signature does not match$/;
const MALFORMED =
	/^(header \S+ is not in the documented format|signature header (needs|has no) .*|signature does not match)$/;
const OTHER_EVENT = /^the event header differs from the event in the body$/;
const TOLERANCE_SECONDS = 300;

const OUT_OF_TIME = new RegExp(`^timestamp is more than ${TOLERANCE_SECONDS} seconds away`);
const REPLAY = 'its signature replayed under another scheme';
const NO_EVENT_HEADER = 'without its event header';
const SWAPPED_EVENT = 'the event header swapped that has to be compared';
const SWAPPED_UNCOMPARED = 'another event header swapped';

const forgeries: readonly Forgery[] = [
	{
		title: 'signed with another secret',
		reason: MISMATCH,
		make: ({ sign }) => [sign({ secret: 'another secret' })],
	},
	{
		title: 'one byte of the body flipped',
		reason: MISMATCH,
		make: ({ sign }) => [flipDigitOfBody(sign())],
	},
	{
		title: 'one digit of the signature flipped',
		reason: MISMATCH,
		make: (specimen) => [changeProof(specimen, flipLast)],
	},
	{
		title: 'the signature header missing',
		reason: /^signature header is missing/,
		make: ({ sign, scheme }) => [without(sign(), [scheme.header])],
	},
	{
		title: 'the signature header empty',
		reason: MALFORMED,
		make: (specimen) => [changeProof(specimen, () => '')],
	},
	{
		title: 'the signature header on two lines',
		reason: /^header \S+ is repeated$/,
		make: (specimen) => [changeProof(specimen, (value) => [value, value])],
	},
	{
		title: 'another signature header on a line before it',
		// A shared secret may contain a comma, so two of them cannot be recognised.
		reason: /^(header \S+ is repeated|signature does not match)$/,
		make: (specimen) => [changeProof(specimen, (value) => [flipLast(value), value])],
	},
	{
		title: 'the signature header as a list',
		reason: /^header \S+ is repeated$/,
		make: ({ sign, scheme }) => [{ ...sign(), asArray: scheme.header }],
	},
	{
		title: 'upper-case hex',
		reason: MALFORMED,
		make: (specimen) => [changeProof(specimen, upperCase)],
	},
	{
		title: 'white space inside the signature',
		reason: MALFORMED,
		make: (specimen) =>
			[' ', '\t'].map((space) =>
				changeProof(specimen, (value) => `${value.slice(0, -8)}${space}${value.slice(-8)}`),
			),
	},
	{
		title: 'signed a second too long ago',
		reason: OUT_OF_TIME,
		make: ({ sign }) => [sign({ ageSeconds: TOLERANCE_SECONDS + 1 })],
	},
	{
		title: 'signed a second too far in the future',
		reason: OUT_OF_TIME,
		make: ({ sign }) => [sign({ ageSeconds: -TOLERANCE_SECONDS - 1 })],
	},
	{
		title: 'the timestamp changed by a second',
		reason: MISMATCH,
		make: ({ sign, scheme }) =>
			signsTime(scheme) ? [change(sign(), scheme.timestampHeader ?? scheme.header, tick)] : [],
	},
	{
		title: SWAPPED_EVENT,
		reason: OTHER_EVENT,
		make: ({ sign, scheme: { comparedEventHeader: name } }) =>
			name === undefined ? [] : [swapEvent(sign(), name)],
	},
	{
		title: SWAPPED_UNCOMPARED,
		reason: OTHER_EVENT,
		make: ({ sign, scheme }) => uncompared(scheme).map((name) => swapEvent(sign(), name)),
	},
	{
		title: NO_EVENT_HEADER,
		reason: OTHER_EVENT,
		make: ({ sign, scheme }) =>
			scheme.eventHeaders.length === 0 ? [] : [without(sign(), scheme.eventHeaders)],
	},
	{
		title: REPLAY,
		reason:
			/^(body is not a JSON object|header \S+ holds no Unix timestamp|signature header is missing.*|signature does not match|header \S+ is not in the documented format)$/,
		make: (specimen) => (signsTime(specimen.scheme) ? replayGlued(specimen) : backdate(specimen)),
	},
];

/**
 * Forgeries that a scheme does not allow, and what becomes of them instead: `impossible` = there is
 * nothing to forge.
 */
const exceptions: ReadonlyArray<{
	readonly forgery: string;
	readonly when: (specimen: Specimen) => boolean;
	readonly why: string;
	readonly instead: 'runs' | 'refused' | 'impossible';
}> = [
	{
		forgery: 'one byte of the body flipped',
		when: ({ scheme }) => scheme.covers === 'nothing',
		why: 'a shared secret covers no body: "not a cryptographic HMAC signature" (docs.misar.io/blog)',
		instead: 'runs',
	},
	{
		forgery: 'upper-case hex',
		when: ({ scheme }) => scheme.covers === 'nothing',
		why: 'a shared secret is no hex: in upper case it is another secret',
		instead: 'refused',
	},
	...['signed a second too long ago', 'signed a second too far in the future'].map(
		(forgery) =>
			({
				forgery,
				when: ({ scheme }: Specimen) => !signsTime(scheme),
				why: 'the scheme signs no time',
				instead: 'runs',
			}) as const,
	),
	{
		forgery: 'the timestamp changed by a second',
		when: ({ scheme }) => !signsTime(scheme),
		why: 'the scheme has no timestamp',
		instead: 'impossible',
	},
	{
		forgery: SWAPPED_EVENT,
		when: ({ scheme }) => scheme.comparedEventHeader === undefined,
		why: 'only the reference of Misar.Blog has a header compared',
		instead: 'impossible',
	},
	{
		forgery: SWAPPED_UNCOMPARED,
		when: ({ scheme }) => uncompared(scheme).length === 0,
		why: 'no other header of such a delivery names the event',
		instead: 'impossible',
	},
	{
		forgery: SWAPPED_UNCOMPARED,
		when: ({ scheme }) => uncompared(scheme).length > 0,
		why: 'the header is not signed and names no event: it is reported as a warning',
		instead: 'runs',
	},
	{
		forgery: NO_EVENT_HEADER,
		when: ({ scheme }) => scheme.eventHeaders.length === 0,
		why: 'no header of such a delivery names the event',
		instead: 'impossible',
	},
	{
		forgery: NO_EVENT_HEADER,
		when: ({ scheme }) => scheme.eventHeaders.length > 0 && scheme.eventHeaderRequired !== true,
		why: 'only Misar.Blog asks for its event header to be checked, the body is signed elsewhere',
		instead: 'runs',
	},
	{
		forgery: REPLAY,
		when: ({ scheme, siblings }) => !signsTime(scheme) && !siblings.some(signsTime),
		why: 'no scheme of the provider signs a timestamp',
		instead: 'impossible',
	},
	{
		forgery: REPLAY,
		when: ({ scheme, siblings }) => scheme.covers === 'nothing' && siblings.some(signsTime),
		why: 'a shared secret is no signature',
		instead: 'impossible',
	},
];

/**
 * Delivers every forgery of a specimen, and checks what becomes of each.
 *
 * @param hostOf the trigger with a signature scheme pinned, or with the automatic choice
 * @returns how many deliveries were forged
 */
export async function checkForgeries(
	specimen: Specimen,
	hostOf: (pin: string | undefined) => ContextHost,
): Promise<number> {
	let sent = 0;
	for (const { title, reason, make } of forgeries) {
		const found = exceptions.find(({ forgery, when }) => forgery === title && when(specimen));
		const outcome = found?.instead ?? 'refused';
		const forged = make(specimen);
		expect({ title, possible: forged.length > 0 }).toEqual({
			title,
			possible: outcome !== 'impossible',
		});
		for (const delivery of forged) {
			const pin = 'pin' in delivery ? delivery.pin : specimen.scheme.pin;
			const { status, run, ended, body } = await deliverTo(hostOf(pin), delivery);
			expect({ title, status, ran: run !== undefined, ended, body }).toEqual({
				title,
				...(outcome === 'runs'
					? { status: 200, ran: true, body: { received: true } }
					: { status: 401, ran: false, body: { error: expect.stringMatching(reason) } }),
				ended: true,
			});
		}
		sent += forged.length;
	}
	return sent;
}

/** Sends a delivery, lists of header values included. */
export async function deliverTo(host: ContextHost, delivery: Delivery) {
	const { asArray } = delivery;
	host.alterRequest = ({ headers }) => {
		const value = asArray === undefined ? undefined : headers[asArray];
		if (asArray !== undefined && typeof value === 'string') headers[asArray] = [value];
	};
	try {
		return await host.deliver(delivery);
	} finally {
		host.alterRequest = () => {};
	}
}

/**
 * Stops the clock until `jest.useRealTimers()`, so that one second too old is exact.
 * Timers go on, because HTTP needs them.
 */
export function stopClock(nowMs: number): void {
	jest.useFakeTimers({
		now: nowMs,
		doNotFake: [
			...(['hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
			...(['requestAnimationFrame', 'cancelAnimationFrame'] as const),
			...(['requestIdleCallback', 'cancelIdleCallback'] as const),
			...(['setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
			...(['setTimeout', 'clearTimeout'] as const),
		],
	});
}

/** Adds white space around every header value, which no HTTP server passes on. */
export function spacedOut(delivery: Delivery): Delivery {
	const spaced = Object.entries(delivery.headers).map(([name, value]) => [
		name,
		` \t${String(value)}  `,
	]);
	return { ...delivery, headers: Object.fromEntries(spaced) };
}

/** The signature of `timestamp.body` presented as one of a body that begins with the timestamp. */
function replayGlued({ sign, scheme, siblings }: Specimen): Delivery[] {
	const original = sign();
	const hex = find(HEX, original, scheme.header);
	const timestamp = find(UNIX_SECONDS, original, scheme.timestampHeader ?? scheme.header);
	const body = Buffer.concat([Buffer.from(`${timestamp}.`), original.body]);
	const bare = without(original, [scheme.header, scheme.timestampHeader ?? '']);
	// As text: n8n refuses to parse such a body as JSON before any node sees it.
	const as = (proof: Record<string, string>): Delivery => ({
		headers: { ...bare.headers, ...proof, 'content-type': 'text/plain' },
		body,
	});
	return [
		as({ [scheme.header]: hex }),
		...siblings
			.filter(({ covers }) => covers === 'body')
			.flatMap((sibling) => {
				const forged = as(sibling.present(hex, timestamp));
				return sibling.pin === undefined ? [forged] : [forged, { ...forged, pin: sibling.pin }];
			}),
	];
}

function swapEvent(delivery: Delivery, header: string): Delivery {
	return change(delivery, header, () => 'another.event');
}

function uncompared({ eventHeaders, comparedEventHeader }: WireScheme): string[] {
	return eventHeaders.filter((name) => name !== comparedEventHeader);
}

/** The signature of a body presented as one of a timestamp and the body. */
function backdate({ sign, scheme, siblings }: Specimen): Delivery[] {
	if (scheme.covers === 'nothing') return [];
	return siblings.filter(signsTime).map((sibling) => {
		const original = sign();
		const timestamp = String(Math.floor(Date.now() / 1000));
		const proof = sibling.present(find(HEX, original, scheme.header), timestamp);
		const bare = without(original, [scheme.header]);
		return { headers: { ...bare.headers, ...proof }, body: original.body, pin: sibling.pin };
	});
}

function signsTime({ covers }: WireScheme): boolean {
	return covers === 'timestamp.body';
}

function changeProof(
	{ sign, scheme }: Specimen,
	by: (value: string) => string | string[],
): Delivery {
	return change(sign(), scheme.header, by);
}

function change(
	delivery: Delivery,
	name: string,
	by: (value: string) => string | string[],
): Delivery {
	const value = delivery.headers[name];
	if (typeof value !== 'string') return delivery;
	return { ...delivery, headers: { ...delivery.headers, [name]: by(value) } };
}

function without(delivery: Delivery, names: readonly string[]): Delivery {
	const kept = Object.entries(delivery.headers).filter(([name]) => !names.includes(name));
	return { ...delivery, headers: Object.fromEntries(kept) };
}

/** Flips one bit of the last digit, which keeps the JSON valid. */
function flipDigitOfBody(delivery: Delivery): Delivery {
	const at = delivery.body.toString('latin1').search(/\d\D*$/);
	const body = Buffer.from(delivery.body);
	body.writeUInt8(body.readUInt8(at) ^ 1, at);
	return { ...delivery, body };
}

function flipLast(value: string): string {
	return `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`;
}

function upperCase(value: string): string {
	const shouted = value.replace(HEX, (hex) => hex.toUpperCase());
	return shouted === value ? value.toUpperCase() : shouted;
}

function tick(value: string): string {
	return value.replace(UNIX_SECONDS, (seconds) => String(Number(seconds) - 1));
}

function find(pattern: RegExp, delivery: Delivery, header: string): string {
	const [found] = pattern.exec(String(delivery.headers[header])) ?? [];
	if (found === undefined) throw new Error(`header ${header} holds nothing like ${pattern}`);
	return found;
}
