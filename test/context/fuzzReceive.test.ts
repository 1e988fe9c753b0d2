import { afterAll, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';

import type { Sandbox } from '../../sandbox';
import { printFigures } from '../figures';
import { CASES, check, hostileJson, hostileText, runs } from '../fuzz';
import { SEED } from '../seed';
import {
	mailPanda,
	metigan,
	misarMail,
	runAction,
	webhookItem,
	type ActionCase,
} from './actionHost';
import { triggersUnderTest } from './providers';
import { signBody } from './signBody';
import { useSandbox } from './useSandbox';

/** Whatever bytes and headers reach Delivery → Receive, each item leaves by one output, and none unsigned by Event. */

/** For a slow machine. */
jest.setTimeout(300_000);

const SECRET = 'whsec_of_the_fuzzer';
/** A run takes longer than an item, so many go through in one. */
const BATCH = 100;
const BATCHES = Math.ceil(CASES / BATCH);

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));
afterAll(() => {
	printFigures(`Fuzzing of Receive (TEST_SEED=${SEED})`, runs);
});

/** Not nested deeply, as the unit tests have it: what n8n stores of a run has its limit there. */
const anyBody = fc.oneof(
	{ weight: 6, arbitrary: hostileJson.map((text) => Buffer.from(text)) },
	{ weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
);
const anyAction = fc.constantFrom(misarMail, mailPanda, metigan);
const batchOf = <T>(arbitrary: fc.Arbitrary<T>) =>
	fc.array(arbitrary, { minLength: BATCH, maxLength: BATCH });

interface Delivery {
	readonly headers: Record<string, string>;
	readonly body: Buffer;
}

function sign({ provider }: ActionCase, body: Buffer): Record<string, string> {
	const scheme = triggersUnderTest.find((trigger) => trigger.provider === provider)?.scheme ?? '';
	return signBody({ provider, scheme }, { body, event: 'any', secret: SECRET });
}

/** What leaves by each of the two outputs. */
async function receive(action: ActionCase, deliveries: readonly Delivery[]) {
	const { outputs, error, stored } = await runAction(sandbox, action, {
		credential: { signingSecret: SECRET },
		parameters: { resource: 'delivery', operation: 'receive', options: { skipDuplicates: false } },
		items: deliveries.map(({ headers, body }) => webhookItem(headers, body)),
	});
	expect(error).toBeUndefined();
	expect(stored).not.toContain(SECRET);
	const [event = [], refused = []] = outputs;
	expect(event.length + refused.length).toBe(deliveries.length);
	return { event, refused };
}

it('Receive refuses everything unsigned, with any headers and any body', async () => {
	const names = ['x-misar-signature', 'x-misar-timestamp', 'x-misarmail-signature'];
	const header = fc.constantFrom(...names, 'x-webhook-signature', 'x-webhook-timestamp');
	const headers = fc.dictionary(header, hostileText, { noNullPrototype: true });
	await check(
		'unsigned deliveries are refused',
		BATCHES,
		fc.record({ action: anyAction, deliveries: batchOf(fc.record({ headers, body: anyBody })) }),
		async ({ action, deliveries }) => {
			const { event, refused } = await receive(action, deliveries);
			expect(event).toEqual([]);
			expect(refused.filter(({ json }) => json['status'] !== 401)).toEqual([]);
		},
		BATCH,
	);
});

it('Receive accepts or refuses a signed body of any shape', async () => {
	let accepted = 0;
	await check(
		'signed bodies of any shape leave by one output',
		BATCHES,
		fc.record({ action: anyAction, bodies: batchOf(anyBody) }),
		async ({ action, bodies }) => {
			const deliveries = bodies.map((body) => ({ headers: sign(action, body), body }));
			accepted += (await receive(action, deliveries)).event.length;
		},
		BATCH,
	);
	expect(accepted).toBeGreaterThan(BATCHES);
});
