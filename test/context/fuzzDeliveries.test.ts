import { createHmac } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterAll, afterEach, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';

import { buildDelivery } from '../../sandbox';
import { providers } from '../../sandbox/providers';
import { printFigures } from '../figures';
import {
	CASES,
	check,
	hold,
	hostileBody,
	hostileText,
	noSecret,
	prototypeNames,
	realSecret,
	runs,
} from '../fuzz';
import { SEED } from '../seed';
import { ContextHost } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { registeredByHand } from './hosts';
import { metigan, triggersUnderTest, type TriggerUnderTest } from './providers';
import { headersOf, signBody } from './signBody';
import { useHosts } from './useHosts';

/** Whatever bytes and headers reach a webhook URL, `webhook()` answers and runs nothing unsigned. */

const SECRET = 'whsec_of_the_fuzzer';
/** Growth of the heap that thousands of refused deliveries may leave behind. */
const MAX_GROWTH_MB = 32;

/** For a slow machine. */
jest.setTimeout(600_000);
process.env['N8N_LOG_LEVEL'] = 'silent';

const prototypes = prototypeNames();
const open = useHosts();

afterEach(() => {
	expect(prototypeNames()).toBe(prototypes);
});
afterAll(() => {
	printFigures(`Fuzzing of deliveries (TEST_SEED=${SEED})`, runs);
});

function startHost(
	trigger: TriggerUnderTest,
	registration: 'manual' | 'automatic' = 'manual',
): ContextHost {
	return open(
		registeredByHand(trigger, SECRET, {
			registration,
			events: ['*'],
			simplify: false,
			options: { skipDuplicates: false },
		}),
	);
}

const HEX = 'ab'.repeat(32);
const NOTHING = { body: Buffer.alloc(0), event: 'ping', secret: SECRET };
const HEADERS = [
	...new Set(
		Object.values(providers)
			.flatMap(({ schemes }) => schemes)
			.flatMap((scheme) => Object.keys(headersOf(scheme, NOTHING))),
	),
	'content-type',
];

const text = fc.oneof(
	fc
		.array(
			fc.constantFrom('t=', 'v1=', 'sha256=', HEX, '1767323045', ',', ' ', '=', '.5', '+', '-'),
			{
				maxLength: 12,
			},
		)
		.map((parts) => parts.join('')),
	hostileText,
	fc.constantFrom(
		'application/json',
		'text/plain',
		'multipart/form-data; boundary=x',
		'ping',
		'__proto__',
	),
);
const headers = fc.dictionary(fc.constantFrom(...HEADERS, '__proto__x'), text, {
	maxKeys: 6,
	noNullPrototype: true,
});
/** By its title, which the report of a failure shows in full. */
const anyTrigger = fc.constantFrom(...triggersUnderTest.map(({ title }) => title));
const triggerOf = (title: string): TriggerUnderTest =>
	triggersUnderTest.find((trigger) => trigger.title === title) ?? metigan;

/** Any bytes with the provider's own valid signature: what the provider itself may get wrong. */
const sign = (trigger: TriggerUnderTest, body: Buffer) =>
	signBody(trigger, { body, event: trigger.events[0], secret: SECRET });

it('a trigger answers any request, and runs nothing unsigned', async () => {
	const registrations = ['manual', 'automatic'] as const;
	const hostsOf = new Map(
		triggersUnderTest.map((trigger) => [
			trigger.title,
			registrations.map((registration) => startHost(trigger, registration)),
		]),
	);
	await check(
		'unsigned deliveries to any trigger are refused',
		CASES,
		fc.record({
			title: anyTrigger,
			registration: fc.constantFrom(0, 1),
			delivery: fc.record({ headers, body: hostileBody }),
		}),
		async ({ title, registration, delivery }) => {
			const result = await hostsOf.get(title)?.[registration]?.hand(delivery);
			expect(result).toMatchObject({ run: undefined, ended: true });
			// Post answers a ping that nobody signed, because its API sends one before it tells the secret. Without an
			// endpoint there may be a secret in a moment.
			const refusals = [
				401,
				...(triggerOf(title).provider === 'misar.post' ? [200] : []),
				...(registration === 1 ? [503] : []),
			];
			expect(refusals).toContain(result?.status);
		},
	);

	// The same hosts accept signed deliveries, so they did not refuse because they were broken.
	for (const trigger of triggersUnderTest) {
		const signed = buildDelivery({
			provider: trigger.provider,
			event: trigger.events[0],
			secret: SECRET,
			scheme: trigger.scheme,
		});
		const [host] = hostsOf.get(trigger.title) ?? [];
		expect(await host?.deliver(signed)).toMatchObject({ status: 200, run: [expect.anything()] });
	}
});

it('a trigger answers a signed body of any shape', async () => {
	const hostOf = new Map(triggersUnderTest.map((trigger) => [trigger.title, startHost(trigger)]));
	let ran = 0;
	await check(
		'signed bodies of any shape are answered',
		CASES,
		fc.record({ title: anyTrigger, body: hostileBody }),
		async ({ title, body }) => {
			const signed = { headers: sign(triggerOf(title), body), body };
			const answer = await hostOf.get(title)?.hand(signed);
			expect(answer?.ended).toBe(true);
			expect([200, 400, 401]).toContain(answer?.status);
			if (answer?.run === undefined) return;
			ran += 1;
			expect(answer.status).toBe(200);
			const shown = JSON.stringify(
				answer.run.map(({ json }) => ({ ...json, payload: undefined, data: undefined })),
			);
			expect(shown).not.toContain(SECRET);
		},
	);
	expect(ran).toBeGreaterThan(0);
});

/** The secret as an HMAC key: zeros at its end make no difference. */
const asKey = (secret: string) => Buffer.from(secret.replace(/\0{1,99}$/, '')).toString('hex');

it('a trigger takes any text as a secret, and runs only what is signed with one', async () => {
	const hostsOf = new Map(
		triggersUnderTest.map((trigger) => [
			trigger.title,
			{ manual: startHost(trigger, 'manual'), automatic: startHost(trigger, 'automatic') },
		]),
	);
	const anyField = fc.oneof(
		fc.record({ kind: fc.constant('secret'), is: realSecret }),
		fc.record({ kind: fc.constant('none'), is: noSecret }),
		fc.record({
			kind: fc.constant('any'),
			is: hostileText.map((text) => ({ text, bare: text.trim() })),
		}),
	);
	let count = 0;
	let ran = 0;
	await check(
		'deliveries with any texts in the credential run if signed with a secret of it',
		CASES,
		fc.record({
			title: anyTrigger,
			registration: fc.constantFrom('manual' as const, 'automatic' as const),
			signing: anyField,
			previous: anyField,
			apiKey: fc.oneof(fc.constant(''), hostileText),
			signedWith: fc.record({
				field: fc.constantFrom('signing' as const, 'previous' as const, 'neither' as const),
				part: fc.constantFrom('text' as const, 'bare' as const),
			}),
			other: fc.oneof(realSecret, noSecret),
		}),
		async ({ title, registration, signing, previous, apiKey, signedWith, other }) => {
			const host = hostsOf.get(title)?.[registration];
			if (host === undefined) throw new Error(`${title} has no host`);
			host.credential = {
				signingSecret: signing.is.text,
				previousSigningSecret: previous.is.text,
				apiKey,
			};
			// Credentials are remembered for a moment.
			host.restart({ credentialId: `credential ${count++}` });
			const fields = { signing, previous, neither: { kind: 'none', is: other } };
			const { kind, is } = fields[signedWith.field];
			const secret = is[signedWith.part];
			const trigger = triggerOf(title);
			const event = trigger.events[0];
			const body = Buffer.from(JSON.stringify({ event, type: event, data: {} }));
			const { run, status, ended } = await host.hand({
				headers: signBody(trigger, { body, event, secret }),
				body,
			});
			const live = [signing, previous]
				.filter((field) => field.kind !== 'none')
				.flatMap((field) => [asKey(field.is.text), asKey(field.is.bare)]);
			const isLive = asKey(secret) !== '' && live.includes(asKey(secret));
			hold({
				'each delivery is answered': ended && [200, 401, 503].includes(status),
				'only what is signed with a live secret runs': run === undefined || isLive,
				'what is signed with a secret runs': run !== undefined || kind !== 'secret',
			});
			ran += run === undefined ? 0 : 1;
		},
	);
	expect(ran).toBeGreaterThan(CASES / 10);
});

it('a trigger keeps nothing of the deliveries that it refused', async () => {
	setFlagsFromString('--expose-gc');
	const collect: () => void = runInNewContext('gc');
	const host = startHost(metigan);
	const body = Buffer.alloc(50_000, '{"a":"x"}');
	const forged = 2_000;
	let sent = 0;
	const forge = async () => {
		for (const end = sent + forged; sent < end; sent++) {
			const hex = createHmac('sha256', 'forger').update(String(sent)).digest('hex');
			const value = `t=${Math.floor(Date.now() / 1000)},v1=${hex}`;
			const { status } = await host.deliver({ headers: { 'x-webhook-signature': value }, body });
			expect(status).toBe(401);
		}
	};
	const usedMb = () => {
		collect();
		const { heapUsed, external } = process.memoryUsage();
		return (heapUsed + external) / 1e6;
	};
	// The first ones warm up: what they leave behind may be code and buffers of the process.
	await forge();
	const warm = usedMb();
	await forge();
	let growth = Number.POSITIVE_INFINITY;
	// V8 frees buffers in the background, later on a busy machine.
	await until(
		() => `memory to grow by less than ${MAX_GROWTH_MB} MB, not by ${growth.toFixed(1)} MB`,
		10_000,
		async () => {
			growth = usedMb() - warm;
			return growth < MAX_GROWTH_MB ? true : undefined;
		},
	);
	runs.push([
		`memory after ${forged} more forged deliveries of ${body.length} bytes: ${growth.toFixed(1)} MB (bound ${MAX_GROWTH_MB} MB)`,
		String(sent),
	]);
});
