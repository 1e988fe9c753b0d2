import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { buildDelivery, type Sandbox } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { metigan, misarMail, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * A secret that the provider issued changes with each publish, and a typed one takes the place of the derived one.
 * What was signed with the one before is still on its way then.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

let sandbox: Sandbox;
let host: ContextHost;

const open = useSandbox((started) => (sandbox = started));
afterEach(() => void jest.restoreAllMocks());

describe.each([
	['Misar Mail, which takes our secret', misarMail, { signingSecret: 'whsec_chosen' }],
	['Metigan, which issues another one', metigan, {}],
	['Metigan, where a typed one is added', metigan, { signingSecret: 'whsec_chosen' }],
])('at %s', (_name, trigger: TriggerUnderTest, more: Record<string, string>) => {
	const credential = (more: Record<string, string> = {}) => ({
		baseUrl: sandbox.url,
		apiKey: sandbox.keys[trigger.provider],
		...more,
	});
	function startHost(): void {
		host = open({
			node: trigger.nodeType,
			credentialType: trigger.credentialType,
			webhookOrigin: 'https://n8n.example.com',
			parameters: {
				...trigger.parameters,
				registration: 'automatic',
				events: [...trigger.events],
			},
			credential: credential(),
		});
	}
	/** The answer to an event signed with a secret, and whether it ran. */
	async function deliver(secret: string): Promise<[number, boolean]> {
		const signed = buildDelivery({ provider: trigger.provider, event: trigger.events[0], secret });
		const { status, run } = await host.deliver(signed);
		return [status, run !== undefined];
	}
	const secretNow = () => sandbox.endpoints(trigger.provider)[0]?.secret ?? '';
	/** Publishes, then does what n8n does when a published workflow is published once more. */
	async function publishTwice(): Promise<{ former: string }> {
		startHost();
		await host.publish();
		const former = secretNow();
		host.credential = credential(more);
		host.restart();
		await host.unpublish();
		host.restart();
		await host.publish();
		host.restart();
		expect(secretNow()).not.toBe(former);
		return { former };
	}

	it('the former secret still verifies after it was replaced', async () => {
		const { former } = await publishTwice();
		expect(await deliver(former)).toEqual([200, true]);
		expect(await deliver(secretNow())).toEqual([200, true]);
		expect(await deliver('whsec_of_somebody_else')).toEqual([401, false]);
		expect(JSON.stringify(host.savedStaticData)).not.toContain(former);
	});

	it('the former secret verifies for a day, as long as Misar Mail repeats a delivery, and not longer', async () => {
		const { former } = await publishTwice();
		const now = Date.now();
		const clock = jest.spyOn(Date, 'now').mockReturnValue(now + DAY_MS - 60_000);
		expect(await deliver(former)).toEqual([200, true]);
		clock.mockReturnValue(now + DAY_MS + 1);
		expect(await deliver(former)).toEqual([401, false]);
	});

	it('the former secret still verifies after a replacement without an unpublish', async () => {
		startHost();
		await host.publish();
		const former = secretNow();
		host.credential = credential({ signingSecret: 'whsec_chosen' });
		host.restart();
		await host.publish();
		host.restart();
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(1);
		expect(secretNow()).not.toBe(former);
		expect(await deliver(former)).toEqual([200, true]);
		expect(await deliver(secretNow())).toEqual([200, true]);
	});

	it('a delivery is put off while the endpoint that signed it is not known yet', async () => {
		startHost();
		await host.publish();
		host.credential = credential({ signingSecret: 'whsec_chosen' });
		host.restart();
		await host.unpublish();
		host.restart();
		expect(await deliver('whsec_being_issued')).toEqual([503, false]);
		expect(await deliver('whsec_chosen')).toEqual([200, true]);
	});
});

it('a typed secret that the answer to the create repeats is not stored, and the next one replaces it at once', async () => {
	sandbox.setBehaviour('metigan', { secretMode: 'accept' });
	const [typed, next] = ['whsec_typed_0123456789', 'whsec_typed_afterwards_0123456789'];
	for (const secret of [typed, next]) {
		const rewrite = (body: unknown) => ({ ...Object(body), signatureKey: secret });
		sandbox.fault({ kind: 'rewrite', provider: 'metigan', method: 'POST', rewrite });
	}
	const apiKey = sandbox.keys.metigan;
	host = open({
		node: metigan.nodeType,
		credentialType: metigan.credentialType,
		webhookOrigin: 'https://n8n.example.com',
		parameters: { registration: 'automatic', events: [...metigan.events] },
		credential: { baseUrl: sandbox.url, apiKey, signingSecret: typed },
	});
	const deliver = async (secret: string) =>
		await host.deliver(buildDelivery({ provider: 'metigan', event: metigan.events[0], secret }));
	await host.publish();
	expect(sandbox.endpoints('metigan')).toMatchObject([{ secret: typed }]);
	host.credential = { baseUrl: sandbox.url, apiKey, signingSecret: next };
	host.restart();
	await host.publish();
	host.restart();
	expect(sandbox.endpoints('metigan')).toMatchObject([{ secret: next }]);
	expect((await deliver(typed)).status).toBe(401);
	expect((await deliver(next)).status).toBe(200);
});
