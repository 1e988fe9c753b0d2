import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type ProviderId, type Sandbox } from '../../sandbox';
import {
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	runAction,
	runForData,
	webhookItem,
	type ActionCase,
	type ActionResult,
} from './actionHost';
import { useSandbox } from './useSandbox';

/** The resource Signature as n8n-core runs it: what the sandbox signs verifies, and the other way round. */

const SECRET = 'whsec_of_the_signature_suite';
const PREVIOUS = 'whsec_before_it_was_changed';

interface SchemeCase {
	readonly action: ActionCase;
	readonly provider: ProviderId;
	/** Of the sandbox. */
	readonly scheme: string;
	/** Of the node, to pin it. */
	readonly pin: string;
	/** Weak legacy schemes have to be pinned. */
	readonly auto: boolean;
	readonly timestamped: boolean;
}

const of = (
	action: ActionCase,
	scheme: string,
	more: Partial<SchemeCase> = {},
): readonly [string, SchemeCase] => {
	const { provider } = action;
	const row = { action, provider, scheme, pin: scheme, auto: true, timestamped: false, ...more };
	return [`${row.provider} ${scheme}`, row];
};
const deliveriesOnly = (product: string, provider: ProviderId) =>
	of({ ...misarMail, provider, parameters: { product } }, 'platform');

const schemes = [
	of(misarMail, 'timestamped', { timestamped: true }),
	of(misarMail, 'platform'),
	of(misarMail, 'mailHeader'),
	of(misarReach, 'reach', { timestamped: true }),
	of(misarPost, 'platform'),
	of(misarPost, 'platformBare', { pin: 'platform' }),
	deliveriesOnly('dev', 'misar.dev'),
	deliveriesOnly('ai', 'misar.ai'),
	deliveriesOnly('ink', 'misar.ink'),
	of(mailPanda, 'bare'),
	of(metigan, 'timestamped', { timestamped: true }),
	of(metigan, 'timestampHeader', { timestamped: true }),
	of(metigan, 'legacy', { auto: false }),
] as const;

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));
async function verify(
	action: ActionCase,
	items: INodeExecutionData[],
	parameters: INodeParameters = {},
	signing: { signingSecret?: string; previousSigningSecret?: string } = { signingSecret: SECRET },
): Promise<ActionResult> {
	const result = await runAction(sandbox, action, {
		parameters: { resource: 'signature', operation: 'verify', ...parameters },
		credential: { apiKey: '', ...signing },
		items,
	});
	expect(result.stored).not.toContain(SECRET);
	return result;
}

const asText = { payloadSource: 'text', payload: '={{ $json.payload }}' };

function signed(row: SchemeCase, more: Partial<Parameters<typeof buildDelivery>[0]> = {}) {
	const { provider, scheme } = row;
	return buildDelivery({ provider, scheme, event: 'some.event', secret: SECRET, ...more });
}

describe.each(schemes)('%s', (_, row) => {
	const { action, pin, auto, timestamped } = row;
	const pinned = { signatureScheme: pin };
	const verdict = (more: object = {}) => ({
		valid: true,
		scheme: pin,
		...(timestamped ? { signedAt: expect.stringMatching(/^\d{4}-.*Z$/) } : {}),
		...more,
	});

	it('verifies the raw body of a binary field, pinned or not', async () => {
		const delivery = signed(row);
		const input = webhookItem(delivery.headers, delivery.body);
		for (const parameters of [pinned, ...(auto ? [{}, { signatureScheme: 'auto' }] : [])]) {
			const { outputs } = await verify(action, [input], parameters);
			expect(outputs).toEqual([
				[
					{
						json: { ...input.json, verification: verdict() },
						binary: input.binary,
						pairedItem: { item: 0 },
					},
				],
				[],
			]);
		}
		if (auto) return;
		const { outputs } = await verify(action, [input]);
		expect(outputs).toMatchObject([[], [{ json: { verification: { valid: false } } }]]);
	});

	it('sends each verdict to an output of its own, with the reason', async () => {
		const fine = signed(row);
		const forged = {
			body: signed(row, { tamper: 'body' }),
			signature: signed(row, { tamper: 'signature' }),
			secret: signed(row, { tamper: 'wrongSecret' }),
			unsigned: signed(row, { tamper: 'unsigned' }),
			...(timestamped
				? { stale: signed(row, { tamper: 'stale' }), future: signed(row, { tamper: 'future' }) }
				: {}),
		};
		const deliveries = [fine, ...Object.values(forged), fine];
		const { outputs } = await verify(
			action,
			deliveries.map(({ headers, body }) => webhookItem(headers, body)),
			pinned,
		);
		const last = deliveries.length - 1;
		expect(outputs[0]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: last }]);
		expect(outputs[1]).toEqual(
			Object.keys(forged).map((_forgery, index) => ({
				json: expect.objectContaining({
					verification: { valid: false, reason: expect.stringMatching(/\w{3}/) },
				}),
				binary: expect.anything(),
				pairedItem: { item: index + 1 },
			})),
		);
	});

	it('takes the payload as text, unchanged', async () => {
		const payload =
			'{ "type":"some.event",\r\n\t"big": 12345678901234567890, "é":"\\u00e9 😀" }\n ';
		const [made] = await runForData(sandbox, action, {
			parameters: { resource: 'signature', operation: 'sign', ...asText, ...pinned },
			credential: { apiKey: '', signingSecret: SECRET },
			items: [{ json: { payload } }],
		});
		const headers = made?.['headers'] as Record<string, string>;
		const texts = [payload, JSON.stringify(JSON.parse(payload)), payload.trim()];
		const { outputs } = await verify(
			action,
			texts.map((text) => ({ json: { headers, payload: text } })),
			{ ...asText, ...pinned },
		);
		expect(outputs).toMatchObject([
			[{ json: { verification: verdict() }, pairedItem: { item: 0 } }],
			[{ pairedItem: { item: 1 } }, { pairedItem: { item: 2 } }],
		]);
		// The same bytes as a file.
		const file = await verify(action, [webhookItem(headers, payload)], pinned);
		expect(file.outputs).toMatchObject([[{ json: { verification: verdict() } }], []]);
	});

	it('signs as the provider does', async () => {
		const timestampMs = Date.parse('2026-01-02T03:04:05Z');
		const { headers, body } = signed(row, { timestampMs });
		const { outputs, stored } = await runAction(sandbox, action, {
			parameters: {
				resource: 'signature',
				operation: 'sign',
				...pinned,
				timestamp: timestampMs / 1000,
			},
			credential: { apiKey: '', signingSecret: SECRET },
			items: [webhookItem({}, body)],
		});
		expect(stored).not.toContain(SECRET);
		expect(outputs).toMatchObject([
			[
				{
					json: { scheme: pin, ...(timestamped ? { timestamp: timestampMs / 1000 } : {}) },
					binary: { data: {} },
					pairedItem: { item: 0 },
				},
			],
		]);
		const made = outputs[0]?.[0]?.json['headers'] as Record<string, string>;
		// The bare variant of Misar Post is read; what is signed has the documented prefix.
		const expected = row.scheme === 'platformBare' ? 'sha256=' : '';
		for (const [name, value] of Object.entries(made)) {
			expect(value).toBe(`${expected}${headers[name.toLowerCase()]}`);
		}
		expect(Object.keys(made)).not.toHaveLength(0);
	});

	it('accepts the previous secret, and nothing if neither secret matches', async () => {
		const { headers, body } = signed(row);
		const changed = { signingSecret: PREVIOUS, previousSigningSecret: SECRET };
		const input = [webhookItem(headers, body)];
		expect((await verify(action, input, pinned, changed)).outputs[0]).toHaveLength(1);
		const others = { signingSecret: PREVIOUS, previousSigningSecret: `${SECRET}x` };
		expect(
			(
				await runAction(sandbox, action, {
					parameters: { resource: 'signature', operation: 'verify', ...pinned },
					credential: others,
					items: input,
				})
			).outputs,
		).toMatchObject([[], [{}]]);
	});
});

describe.each([misarMail, mailPanda, metigan])('$title', (action) => {
	const { provider } = action;
	const delivery = () => buildDelivery({ provider, event: action.events[0], secret: SECRET });

	it.each(['sign', 'verify'])('cannot %s without a secret', async (operation) => {
		const { headers, body } = delivery();
		const { error } = await runAction(sandbox, action, {
			parameters: { resource: 'signature', operation },
			items: [webhookItem(headers, body)],
		});
		expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
		expect(error?.message).toBe(
			`The signing secret is missing. Enter the Signing Secret of ${action.title} in the credential.`,
		);
	});

	it.each(['sign', 'verify'])('does not %s with a scheme it does not have', async (operation) => {
		const { headers, body } = delivery();
		const { error, outputs } = await runAction(sandbox, action, {
			parameters: { resource: 'signature', operation, signatureScheme: 'rot13' },
			credential: { signingSecret: SECRET },
			items: [webhookItem(headers, body)],
		});
		expect(outputs[0] ?? []).toEqual([]);
		expect(error?.message).toContain(`${action.title} has no signature scheme "rot13"`);
	});

	it('reads headers as an object or as JSON text, in any case', async () => {
		const { headers, body } = delivery();
		const upper = Object.fromEntries(
			Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
		);
		const input = { ...webhookItem({}, body), json: { upper, text: JSON.stringify(headers) } };
		for (const from of ['={{ $json.upper }}', '={{ $json.text }}']) {
			const { outputs } = await verify(action, [input], { headers: from });
			expect(outputs).toMatchObject([[{ json: { verification: { valid: true } } }], []]);
		}
	});

	it.each([
		[
			'headers that are none',
			{ headers: '={{ $json.missing }}' },
			/^The headers are not a JSON object/,
		],
		['a payload that was parsed', { payloadSource: 'text', payload: '={{ $json }}' }, /"payload"/],
		['a file that is not there', { binaryPropertyName: 'other' }, /other/],
	])('cannot verify %s', async (_, parameters, message) => {
		const { headers, body } = delivery();
		const call = {
			parameters: { resource: 'signature', operation: 'verify', ...parameters },
			credential: { signingSecret: SECRET },
			items: [webhookItem(headers, body)],
		};
		const { error } = await runAction(sandbox, action, call);
		expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
		expect(error?.message).toMatch(message);

		// What could not be verified must never leave by the output Valid.
		const went = await runAction(sandbox, action, { ...call, onError: 'continueRegularOutput' });
		expect(went.outputs).toMatchObject([
			[],
			[{ json: { error: expect.stringMatching(message) }, pairedItem: { item: 0 } }],
		]);
		const apart = await runAction(sandbox, action, { ...call, onError: 'continueErrorOutput' });
		expect(apart.outputs.map((items) => items.length)).toEqual([0, 0, 1]);
	});
});

it('Verify accepts what is as old as the tolerance allows, and any age with a tolerance of 0', async () => {
	const timestampMs = Date.now() - 3600_000;
	const { headers, body } = buildDelivery({
		provider: 'metigan',
		event: 'email.opened',
		secret: SECRET,
		timestampMs,
	});
	const counts = async (toleranceSeconds: number) =>
		(await verify(metigan, [webhookItem(headers, body)], { toleranceSeconds })).outputs.map(
			({ length }) => length,
		);
	expect(await counts(300)).toEqual([0, 1]);
	expect(await counts(7200)).toEqual([1, 0]);
	expect(await counts(0)).toEqual([1, 0]);
});

it('Verify does not read an empty tolerance as unlimited', async () => {
	const { error } = await runAction(sandbox, metigan, {
		parameters: {
			resource: 'signature',
			operation: 'verify',
			toleranceSeconds: '={{ $json.missing ?? "" }}',
		},
		credential: { signingSecret: SECRET },
		items: [webhookItem({}, '{}')],
	});
	expect(error?.message).toMatch(/^The parameter "toleranceSeconds" cannot be used/);
});

it('each item uses its own credential if that is an expression', async () => {
	const { outputs } = await runAction(sandbox, misarMail, {
		parameters: {
			resource: 'signature',
			operation: 'sign',
			signatureScheme: 'platform',
			payloadSource: 'text',
			payload: '{}',
		},
		credential: { signingSecret: '={{ $json.secret }}' },
		items: [SECRET, PREVIOUS].map((secret) => ({ json: { secret } })),
	});
	const made = outputs[0]?.map(({ json }) => Object.values(json['headers'] as object));
	expect(made).toEqual(
		[SECRET, PREVIOUS].map((secret) => [
			`sha256=${createHmac('sha256', secret).update('{}').digest('hex')}`,
		]),
	);
});

it('Sign uses the present time if none is given, and needs only the secret and the payload', async () => {
	const before = Math.floor(Date.now() / 1000);
	const [made] = await runForData(sandbox, metigan, {
		parameters: {
			resource: 'signature',
			operation: 'sign',
			payloadSource: 'text',
			payload: '{"event":"email.opened"}',
		},
		credential: { signingSecret: SECRET },
	});
	const timestamp = Number(made?.['timestamp']);
	expect(timestamp).toBeGreaterThanOrEqual(before);
	expect(timestamp).toBeLessThanOrEqual(Date.now() / 1000);
	const hex = createHmac('sha256', SECRET)
		.update(`${timestamp}.{"event":"email.opened"}`)
		.digest('hex');
	expect(Object.values(made?.['headers'] ?? {})).toEqual([`t=${timestamp},v1=${hex}`]);
});
