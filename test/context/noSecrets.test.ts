import { describe, expect, it } from '@jest/globals';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import * as actions from './actionHost';
import { runAction, webhookItem, type ActionNodeCase } from './actionHost';
import { recordWarnings } from './logs';
import {
	mailPanda,
	metigan,
	misarBlog,
	misarMail,
	misarPost,
	type TriggerUnderTest,
} from './providers';
import { useSandbox } from './useSandbox';

/** A text that anybody can know is not a secret: it verifies nothing and signs nothing. */

const GENUINE = 'whsec_of_this_suite_0123456789';
const BLANK_VALUE = '__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6';
const MASKED = 'whsec_••••••••••••••••';
const NO_SECRETS = [
	['no secret', ''],
	['white space', ' \n'],
	['n8n’s text for a blank value', BLANK_VALUE],
	['the same, with a line end', `${BLANK_VALUE}\n`],
	['a mask of stars', '****************'],
	['a mask with a prefix', MASKED],
	['a placeholder of a field', 'e.g. whsec_…'],
	['a placeholder of a document', 'your-webhook-secret'],
] as const;

let sandbox: Sandbox;
const open = useSandbox((started) => (sandbox = started));

let count = 0;
function startHost(
	trigger: TriggerUnderTest,
	registration: 'manual' | 'automatic',
	credential: ICredentialDataDecryptedObject,
	options: Record<string, boolean> = {},
): ContextHost {
	return open({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: { ...trigger.parameters, baseUrl: sandbox.url, ...credential },
		parameters: { ...trigger.parameters, registration, events: [...trigger.events], options },
		webhookOrigin: 'https://n8n.example.com',
		workflowId: `no secrets ${++count}`,
	});
}

/** A delivery without a signature, and one that is signed with the text. */
function deliveries(
	{ provider, events }: Pick<TriggerUnderTest, 'provider' | 'events'>,
	text: string,
) {
	const base = { provider, event: events[0] };
	return [
		buildDelivery({ ...base, secret: GENUINE, tamper: 'unsigned' }),
		buildDelivery({ ...base, secret: text }),
		buildDelivery({ ...base, secret: text.trim() }),
	];
}

async function expectNoRun(host: ContextHost, trigger: TriggerUnderTest, text: string) {
	for (const delivery of deliveries(trigger, text)) {
		const { status, run } = await host.deliver(delivery);
		expect(run).toBeUndefined();
		expect(status).toBeGreaterThanOrEqual(400);
	}
}

describe.each([
	['Misar Mail', misarMail, actions.misarMail],
	['Metigan', metigan, actions.metigan],
	['Mail Panda', mailPanda, actions.mailPanda],
] as const)('at %s', (_title, trigger, action: ActionNodeCase) => {
	describe.each(NO_SECRETS)('%s', (_name, text) => {
		it('starts no run of a trigger that is registered by hand', async () => {
			const host = startHost(trigger, 'manual', { signingSecret: text });
			await expectNoRun(host, trigger, text);
			await expect(host.publish()).rejects.toThrow(
				/^The (signing secret is missing|Signing Secret in the credential is (masked|a placeholder))/,
			);
		});

		it('starts no run where it is the previous secret', async () => {
			const credential = { signingSecret: GENUINE, previousSigningSecret: text };
			await expectNoRun(startHost(trigger, 'manual', credential), trigger, text);
		});

		it('starts no run of a trigger that registers itself, before or after the publish', async () => {
			const credential = { apiKey: sandbox.keys[trigger.provider], signingSecret: text };
			const host = startHost(trigger, 'automatic', credential);
			await expectNoRun(host, trigger, text);
			await host.publish().catch(() => {});
			await expectNoRun(host, trigger, text);
			for (const { secret } of sandbox.endpoints(trigger.provider)) {
				expect([text, text.trim()]).not.toContain(secret);
			}
		});

		it('is refused as an API key', async () => {
			const host = startHost(trigger, 'automatic', { apiKey: text });
			await expect(host.publish()).rejects.toThrow(
				/^The (API key is missing|API Key in the credential is (masked|a placeholder))/,
			);
			expect(sandbox.requests()).toEqual([]);
		});

		it.each(['receive', 'verify'])('verifies nothing: %s', async (operation) => {
			for (const credential of [
				{ signingSecret: text },
				{ signingSecret: '', previousSigningSecret: text },
				{ signingSecret: GENUINE, previousSigningSecret: text },
			]) {
				const { outputs, stored } = await runAction(sandbox, action, {
					credential,
					workflowId: `no secrets ${++count}`,
					parameters: {
						resource: operation === 'receive' ? 'delivery' : 'signature',
						operation,
					},
					items: deliveries(trigger, text).map(({ headers, body }) => webhookItem(headers, body)),
				});
				expect(outputs[0] ?? []).toEqual([]);
				expect(stored).not.toContain(GENUINE);
			}
		});

		it('signs nothing', async () => {
			const { error } = await runAction(sandbox, action, {
				credential: { signingSecret: text },
				parameters: {
					...{ resource: 'signature', operation: 'sign', payloadSource: 'text' },
					payload: '{}',
				},
			});
			expect(error?.message).toMatch(/^The (signing secret is missing|Signing Secret .* is )/);
		});
	});
});

it.each([
	['Signing Secret', { signingSecret: MASKED }],
	['Previous Signing Secret', { signingSecret: GENUINE, previousSigningSecret: MASKED }],
])('a publish names a masked %s, and how to copy it', async (field, credential) => {
	for (const registration of ['manual', 'automatic'] as const) {
		const more = { apiKey: sandbox.keys.metigan, ...credential };
		await expect(startHost(metigan, registration, more).publish()).rejects.toThrow(
			`The ${field} in the credential is masked. This is what a dashboard shows in place of the secret. Copy the secret itself`,
		);
	}
	expect(sandbox.endpoints()).toEqual([]);
});

it('a masked secret does not count as none where that would accept unverified deliveries', async () => {
	const stars = '****************';
	const options = { acceptUnverified: true };
	const host = startHost(misarBlog, 'manual', { signingSecret: stars }, options);
	await expectNoRun(host, misarBlog, stars);
});

it.each([BLANK_VALUE, MASKED])('Create sends no blank or masked secret: %s', async (text) => {
	const run = async (parameters: Record<string, string>, signingSecret: string) =>
		await runAction(sandbox, actions.misarMail, {
			credential: { signingSecret },
			parameters: {
				...{ resource: 'endpoint', operation: 'create', url: 'https://app.example.com/hooks' },
				...{ events: ['*'], options: { includeSecret: true, ...parameters } },
			},
		});
	const results = [await run({ signingSecret: text }, ''), await run({}, text)];
	for (const { error, stored } of results) {
		if (text === MASKED) expect(error?.message).toMatch(/Signing Secret .*is masked/);
		expect(stored).not.toContain(`"signingSecret":${JSON.stringify(text)}`);
	}
	expect(sandbox.endpoints('misar.mail').map(({ secret }) => secret)).not.toContain(text);
});

it('a mask in an answer is not taken as the issued secret', async () => {
	for (const text of [BLANK_VALUE, MASKED, '################']) {
		const rewrite = (body: unknown) =>
			JSON.parse(JSON.stringify(body), (name, value: unknown) =>
				name === 'secret' ? text : value,
			);
		sandbox.setBehaviour('misar.post', { pingOnCreate: false });
		sandbox.fault({ kind: 'rewrite', provider: 'misar.post', method: 'POST', rewrite });
		const apiKey = sandbox.keys['misar.post'];
		const host = startHost(misarPost, 'automatic', { apiKey });
		await expect(host.publish()).rejects.toThrow(/without returning its signing secret/);
		await expectNoRun(host, misarPost, text);
	}
});

describe('white space or quotes around a secret', () => {
	const fringes = [' ', '\n', '\r\n', '\t', '"', '\u200b', '\ufeff'];

	it.each(fringes)(
		'lose no event, whether the provider signs with or without them: %j',
		async (fringe) => {
			for (const typed of [`${fringe}${GENUINE}`, `${GENUINE}${fringe}`]) {
				for (const field of ['signingSecret', 'previousSigningSecret']) {
					recordWarnings();
					const credential = { signingSecret: 'whsec_another', [field]: typed };
					const host = startHost(metigan, 'manual', credential);
					for (const secret of [GENUINE, typed]) {
						const delivery = { provider: 'metigan', event: metigan.events[0], secret } as const;
						const { status, run } = await host.deliver(
							buildDelivery({ ...delivery, data: { marker: ++count } }),
						);
						expect([status, run?.length]).toEqual([200, 1]);
					}
				}
			}
		},
	);

	it('are reported at the publish, in the answer and by a Problem', async () => {
		const warnings = recordWarnings();
		const credential = { signingSecret: `${GENUINE}\n` };
		const host = startHost(metigan, 'manual', credential, { reportProblems: true });
		await host.publish();
		expect(warnings).toEqual([
			expect.stringMatching(
				/^The Signing Secret in the credential begins or ends with white space/,
			),
		]);
		const reason =
			'signature does not match; the signing secret has white space or quotes around it';
		const forged = { provider: 'metigan', event: metigan.events[0], secret: 'forger' } as const;
		const { status, body, run } = await host.deliver(buildDelivery(forged));
		expect([status, body]).toEqual([401, { error: reason }]);
		expect(run?.[0]?.json).toMatchObject({
			problem: 'deliveriesRefused',
			reasons: { [reason]: 1 },
		});
		expect(JSON.stringify([warnings, body, run])).not.toContain(GENUINE);
	});

	it.each(['receive', 'verify'])('are ignored by the operation %s', async (operation) => {
		const { headers, body } = buildDelivery({
			...{ provider: 'metigan', event: metigan.events[0], secret: GENUINE },
		});
		const { outputs } = await runAction(sandbox, actions.metigan, {
			credential: { signingSecret: ` ${GENUINE}\n` },
			workflowId: `no secrets ${++count}`,
			parameters: { resource: operation === 'receive' ? 'delivery' : 'signature', operation },
			items: [webhookItem(headers, body)],
		});
		expect(outputs[0]).toHaveLength(1);
	});
});
