import { createHmac } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';

import { buildDelivery } from '../../sandbox';
import { providers } from '../../sandbox/providers';
import { printFigures } from '../figures';
import { check, hostileBody, prototypeNames, runs } from '../fuzz';
import { SEED } from '../seed';
import { ContextHost } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { metigan, triggersUnderTest, type TriggerUnderTest } from './providers';
import { headersOf, signBody } from './signBody';

/** Whatever bytes and headers reach a webhook URL, `webhook()` answers and runs nothing unsigned. */

const SECRET = 'whsec_of_the_fuzzer';
/** Growth of the heap that thousands of refused deliveries may leave behind. */
const MAX_GROWTH_MB = 32;

/** For a slow machine. */
jest.setTimeout(300_000);

const prototypes = prototypeNames();
const hosts: ContextHost[] = [];

afterEach(async () => {
	await Promise.all(hosts.splice(0).map((host) => host.close()));
	expect(prototypeNames()).toBe(prototypes);
});
afterAll(() => {
	printFigures(`Fuzzing of deliveries (TEST_SEED=${SEED})`, runs);
});

function startHost(trigger: TriggerUnderTest): ContextHost {
	const host = new ContextHost({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: { signingSecret: SECRET },
		parameters: {
			...trigger.parameters,
			registration: 'manual',
			events: ['*'],
			simplify: false,
			options: { skipDuplicates: false },
		},
	});
	hosts.push(host);
	return host;
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

/** What HTTP lets through: anything of Latin-1 but control characters. */
const headerText = fc.oneof(
	fc
		.array(
			fc.constantFrom('t=', 'v1=', 'sha256=', HEX, '1767323045', ',', ' ', '=', '.5', '+', '-'),
			{
				maxLength: 12,
			},
		)
		.map((parts) => parts.join('')),
	fc
		.array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 40 })
		.map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f))),
	fc.constantFrom(
		'application/json',
		'text/plain',
		'multipart/form-data; boundary=x',
		'ping',
		'__proto__',
	),
);
const headers = fc.dictionary(
	fc.constantFrom(...HEADERS, '__proto__x'),
	fc.oneof(
		{ weight: 6, arbitrary: headerText },
		{ weight: 1, arbitrary: fc.array(headerText, { minLength: 2, maxLength: 3 }) },
	),
	{ maxKeys: 6, noNullPrototype: true },
);

/** Any bytes with the provider's own valid signature: what the provider itself may get wrong. */
const sign = (trigger: TriggerUnderTest, body: Buffer) =>
	signBody(trigger, { body, event: trigger.events[0], secret: SECRET });

describe.each(triggersUnderTest)('$title', (trigger) => {
	it('answers any request, and runs nothing that is not signed', async () => {
		const host = startHost(trigger);
		// Post answers a ping that nobody signed, because its API sends one before it tells the secret.
		const refusals = trigger.provider === 'misar.post' ? [200, 401] : [401];
		await check(
			`${trigger.title}: unsigned deliveries are refused`,
			200,
			fc.record({ headers, body: hostileBody }),
			async (delivery) => {
				const result = await host.deliver(delivery);
				expect(result).toMatchObject({ run: undefined, ended: true });
				expect(refusals).toContain(result.status);
			},
		);
		expect(host.runs).toEqual([]);

		// The same host takes what is signed: it did not refuse because it was broken.
		const signed = buildDelivery({
			provider: trigger.provider,
			event: trigger.events[0],
			secret: SECRET,
			scheme: trigger.scheme,
		});
		expect(await host.deliver(signed)).toMatchObject({ status: 200, run: [expect.anything()] });
	});

	it('answers a signed body of any shape', async () => {
		const host = startHost(trigger);
		let ran = 0;
		await check(
			`${trigger.title}: signed bodies of any shape are answered`,
			200,
			hostileBody,
			async (body) => {
				const { status, run, ended } = await host.deliver({ headers: sign(trigger, body), body });
				expect(ended).toBe(true);
				expect([200, 400, 401]).toContain(status);
				if (run === undefined) return;
				ran++;
				expect(status).toBe(200);
				const text = JSON.stringify(
					run.map(({ json }) => ({ ...json, payload: undefined, data: undefined })),
				);
				expect(text).not.toContain(SECRET);
			},
		);
		expect(ran).toBeGreaterThan(10);
	});
});

it('keeps nothing of the deliveries that it refused', async () => {
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
