import { createHmac } from 'node:crypto';

import { jest } from '@jest/globals';
import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

import { metigan } from '../../nodes/Metigan/provider';
import { misarMail } from '../../nodes/Misar/mail';
import type { SignatureScheme } from '../../nodes/shared/provider';
import type { SignedRequest, VerifyOptions } from '../../nodes/shared/signature';
import {
	asText,
	bodies,
	carriers,
	carry,
	hmac,
	makeBody,
	secrets,
	spoilings,
	times,
	tolerances,
	writeSignature,
	type HeaderValue,
} from './differentialCases';

/** `cannotTell`: the library takes text only, so it was not asked about the bytes that came. */
export type Opinion = 'accepts' | 'refuses' | 'cannotTell';

/** One delivery as our verifier gets it, and a reference that judges the same delivery. */
export interface Trial {
	readonly request: SignedRequest;
	readonly scheme: SignatureScheme;
	readonly options: VerifyOptions;
	readonly signature: HeaderValue;
	/** The header of its own that a time comes in, where the scheme has one. */
	readonly timestamp?: HeaderValue;
	/** @param tidy rewrites the signature header that the reference sees */
	readonly ask: (tidy?: (value: string) => string) => Promise<Opinion>;
}

export interface Reference {
	readonly name: string;
	readonly trials: (seed: number) => Iterable<{ readonly plan: unknown; readonly trial: Trial }>;
}

function reference<P>(
	name: string,
	cases: number,
	plans: fc.Arbitrary<P>,
	trialOf: (plan: P) => Trial,
): Reference {
	return {
		name,
		*trials(seed) {
			for (const plan of fc.sample(plans, { seed, numRuns: cases })) {
				yield { plan, trial: trialOf(plan) };
			}
		},
	};
}

function schemeOf(schemes: readonly SignatureScheme[], id: string): SignatureScheme {
	const scheme = schemes.find((candidate) => candidate.id === id);
	if (scheme === undefined) throw new Error(`no scheme ${id}`);
	return scheme;
}

const elements = schemeOf(metigan[0].schemes, 'timestamped');
const twoHeaders = schemeOf(misarMail.schemes, 'timestamped');
const prefixed = schemeOf(misarMail.schemes, 'platform');

/** Elements beside the one that counts. */
const extras = fc.array(
	fc.record({ key: fc.constantFrom('v1', 'v1', 'v0', 'v2', 'V1', 'xv1', ''), spoiling: spoilings }),
	{ maxLength: 2 },
);

function tidied(value: HeaderValue, tidy: (value: string) => string): HeaderValue {
	return typeof value === 'string' ? tidy(value) : value;
}

/** Libraries say no by throwing. */
function succeeds(work: () => unknown): boolean {
	try {
		work();
		return true;
	} catch {
		return false;
	}
}

/** Stripe's library decodes a body before it signs; with this it signs bytes handed over as Latin-1. */
const bytesProvider = {
	computeHMACSignature: (payload: string, secret: string) =>
		createHmac('sha256', secret).update(payload, 'latin1').digest('hex'),
	computeHMACSignatureAsync: async () => await Promise.reject(new Error('not used')),
	computeSHA256Async: async () => await Promise.reject(new Error('not used')),
};

const stripe = reference(
	'stripe',
	8_000,
	fc.record({
		body: bodies,
		secret: secrets,
		time: times,
		tolerance: tolerances,
		spoiling: spoilings,
		extras,
		turn: fc.nat(5),
		times: fc.oneof(
			{ weight: 12, arbitrary: fc.constant(1) },
			{ weight: 1, arbitrary: fc.constantFrom(0, 2) },
		),
		separator: fc.oneof(
			{ weight: 10, arbitrary: fc.constant(',') },
			{ weight: 2, arbitrary: fc.constantFrom(', ', ' ', '\t', ',,', ' ,', '\u00a0', ';') },
		),
		carrier: carriers,
	}),
	(plan) => {
		const { body, content } = makeBody(plan.body);
		const { live, senders } = plan.secret;
		const digest = hmac(senders, `${plan.time.signed}.`, content);
		const parts = [
			...Array.from({ length: plan.times }, () => `t=${plan.time.written}`),
			`v1=${writeSignature(digest, 'hex', plan.spoiling, '=')}`,
			...plan.extras.map(
				({ key, spoiling }) => `${key}=${writeSignature(digest, 'hex', spoiling, '=')}`,
			),
		];
		const turn = plan.turn % parts.length;
		const value = [...parts.slice(turn), ...parts.slice(0, turn)].join(plan.separator);
		const signature = carry(value, plan.carrier);
		const { now } = plan.time;
		const accepts = (
			header: string | string[],
			...[payload, provider]: [Buffer] | [string, typeof bytesProvider]
		) =>
			live.some((secret) =>
				succeeds(() =>
					Stripe.webhooks.signature?.verifyHeader(
						payload,
						header,
						secret,
						plan.tolerance,
						provider,
						now,
					),
				),
			);
		return {
			request: { headers: { [elements.header]: signature }, rawBody: body },
			scheme: elements,
			options: { secrets: live, toleranceSeconds: plan.tolerance, now },
			signature,
			async ask(tidy = String) {
				const header = tidied(signature, tidy) ?? '';
				const bytes = () => accepts(header, body.toString('latin1'), bytesProvider);
				return accepts(header, body) || (!isText(body) && bytes()) ? 'accepts' : 'refuses';
			},
		};
	},
);

// By file: the package exports itself to `import` only, which jest's resolver does not ask for.
const { verifyWithFallback } = jest.requireActual<{
	verifyWithFallback(
		secret: string,
		payload: string,
		signature: HeaderValue,
		additionalSecrets: readonly string[],
	): Promise<boolean>;
}>('../../node_modules/@octokit/webhooks-methods/dist-node/index.js');

const octokit = reference(
	'@octokit/webhooks-methods',
	7_000,
	fc.record({
		body: bodies,
		secret: secrets,
		spoiling: spoilings,
		prefix: fc.oneof(
			{ weight: 12, arbitrary: fc.constant('sha256=') },
			{ weight: 1, arbitrary: fc.constantFrom('', 'sha1=', 'SHA256=', 'sha256= ', 'sha256==') },
		),
		carrier: carriers,
	}),
	(plan) => {
		const { body, content } = makeBody(plan.body);
		const { live, senders } = plan.secret;
		const hex = writeSignature(hmac(senders, content), 'hex', plan.spoiling, '=');
		const signature = carry(`${plan.prefix}${hex}`, plan.carrier);
		return {
			request: { headers: { [prefixed.header]: signature }, rawBody: body },
			scheme: prefixed,
			options: { secrets: live, toleranceSeconds: 300, now: 0 },
			signature,
			async ask(tidy = String) {
				// It treats an empty body or secret as a missing argument.
				if (body.length === 0) return 'cannotTell';
				const [first = '', ...rest] = live.filter((secret) => secret !== '');
				const header = tidied(signature, tidy);
				const accepted = await verifyWithFallback(first, body.toString(), header, rest).catch(
					() => false,
				);
				return opinion(accepted, body);
			},
		};
	},
);

/** The part of the library's class that is used, with headers as Node hands them over. */
interface StandardVerifier {
	verify(
		payload: string,
		headers: Record<`webhook-${'id' | 'timestamp' | 'signature'}`, HeaderValue>,
		options: { jsonParse: boolean },
	): unknown;
}

function askStandardWebhooks(
	body: Buffer,
	live: readonly string[],
	now: number,
	timestamp: HeaderValue,
	signature: HeaderValue,
): Opinion {
	const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
	const headers = {
		'webhook-id': 'msg_1',
		'webhook-timestamp': timestamp,
		'webhook-signature': signature,
	};
	const accepted = live.some((secret) =>
		succeeds(() => {
			const verifier: StandardVerifier = new Webhook(Buffer.from(secret), { format: 'raw' });
			verifier.verify(body.toString(), headers, { jsonParse: false });
		}),
	);
	clock.mockRestore();
	return opinion(accepted, body);
}

/**
 * Standard Webhooks signs `id.time.body` in base64 where the providers sign `time.body` in hex. Each
 * delivery is written in both formats, with the same time, the same defects and the same secrets.
 */
const standardList = reference(
	'standardwebhooks, as t=…,v1=…',
	5_000,
	fc.record({
		body: bodies,
		secret: secrets,
		time: times,
		spoiling: spoilings,
		extras,
		timeCarrier: fc.oneof(
			{ weight: 14, arbitrary: fc.constant('once' as const) },
			{ weight: 1, arbitrary: fc.constantFrom('joined' as const, 'missing' as const) },
		),
		carrier: carriers,
	}),
	(plan) => {
		const { body, content } = makeBody(plan.body);
		const { live, senders } = plan.secret;
		const { now, written } = plan.time;
		const digest = hmac(senders, `${plan.time.signed}.`, content);
		const theirs = hmac(senders, `msg_1.${plan.time.signed}.`, content);
		const parts = [{ key: 'v1', spoiling: plan.spoiling }, ...plan.extras];
		const timesWritten = { once: 1, joined: 2, missing: 0 }[plan.timeCarrier];
		const ours = [
			...Array.from({ length: timesWritten }, () => `t=${written}`),
			...parts.map(({ key, spoiling }) => `${key}=${writeSignature(digest, 'hex', spoiling, '=')}`),
		];
		const list = parts.map(
			({ key, spoiling }) => `${key},${writeSignature(theirs, 'base64', spoiling, ',')}`,
		);
		const signature = carry(ours.join(','), plan.carrier);
		return {
			request: { headers: { [elements.header]: signature }, rawBody: body },
			scheme: elements,
			options: { secrets: live, toleranceSeconds: 300, now },
			signature,
			async ask(tidy = String) {
				const header = tidied(carry(list.join(' '), plan.carrier), tidy);
				return askStandardWebhooks(body, live, now, carry(written, plan.timeCarrier), header);
			},
		};
	},
);

const standardHeaders = reference(
	'standardwebhooks, as two headers',
	5_000,
	fc.record({
		body: bodies,
		secret: secrets,
		time: times,
		spoiling: spoilings,
		timeCarrier: carriers,
		carrier: carriers,
	}),
	(plan) => {
		const { body, content } = makeBody(plan.body);
		const { live, senders } = plan.secret;
		const { now, written, signed } = plan.time;
		const write = (encoding: 'hex' | 'base64', ...signedContent: Array<string | Buffer>) =>
			writeSignature(hmac(senders, ...signedContent), encoding, plan.spoiling, ',');
		const timestamp = carry(written, plan.timeCarrier);
		const signature = carry(write('hex', `${signed}.`, content), plan.carrier);
		return {
			request: {
				headers: { [twoHeaders.header]: signature, 'x-misar-timestamp': timestamp },
				rawBody: body,
			},
			scheme: twoHeaders,
			options: { secrets: live, toleranceSeconds: 300, now },
			signature,
			timestamp,
			async ask(tidy = String) {
				const theirs = carry(`v1,${write('base64', `msg_1.${signed}.`, content)}`, plan.carrier);
				return askStandardWebhooks(body, live, now, timestamp, tidied(theirs, tidy));
			},
		};
	},
);

/** If a library had to read text with replacements, its refusal says nothing about the bytes. */
function opinion(accepted: boolean, body: Buffer): Opinion {
	if (accepted) return 'accepts';
	return isText(body) ? 'refuses' : 'cannotTell';
}

/** Whether a body comes through a library that works on text as it was. */
export function isText(body: Buffer): boolean {
	return Buffer.from(asText(body)).equals(body);
}

export const references: readonly Reference[] = [stripe, octokit, standardList, standardHeaders];
