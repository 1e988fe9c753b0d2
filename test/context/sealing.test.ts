import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, IDataObject } from 'n8n-workflow';

import { seal } from '../../nodes/shared/state/secretVault';
import { buildDelivery, type Sandbox } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { endProcess } from './process';
import { mailPanda, metigan, misarMail, misarPost, misarReach } from './providers';
import type { TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** Secrets that are not in the credential are sealed with its keys, which change. */

let sandbox: Sandbox;
let host: ContextHost;
let workflows = 0;

const open = useSandbox((started) => (sandbox = started));
afterEach(() => void jest.restoreAllMocks());

async function startHost(
	trigger: TriggerUnderTest,
	more: ICredentialDataDecryptedObject = {},
): Promise<void> {
	host = open({
		...selfRegistering(trigger, sandbox, { credential: more }),
		// A credential is cached for a few seconds, so each test has its own workflow.
		workflowId: `sealing ${workflows++}`,
	});
	// Misar Post pings the URL before it accepts an endpoint.
	sandbox.setRoute('https://n8n.example.com', await host.listen());
}

/** Changes the credential, and starts n8n anew. */
function change(fields: ICredentialDataDecryptedObject): void {
	host.credential = { ...host.credential, ...fields };
	host.restart();
}

/** Starts n8n with this in its database. */
function startAnew(staticData: IDataObject): void {
	endProcess();
	host.savedStaticData = staticData;
	host.restart();
}

const recordOf = (): IDataObject => {
	const { registration = {} }: { registration?: IDataObject } = JSON.parse(
		JSON.stringify(host.remembered),
	);
	return registration;
};

async function deliver(trigger: TriggerUnderTest, secret: string) {
	const signed = buildDelivery({ provider: trigger.provider, event: trigger.events[0], secret });
	const { status, run, headers, body } = await host.deliver(signed);
	return { status, ran: run !== undefined, retryAfter: headers.get('retry-after'), body };
}

const endpointsAt = ({ provider }: TriggerUnderTest) => sandbox.endpoints(provider);

/** As version 0.1 wrote it: the key not stretched, and the signing secrets tried before the API key. */
function sealAsVersion01(trigger: TriggerUnderTest, key: string): void {
	const { workflowId, nodeId, endpointId } = recordOf();
	const binding = {
		workflowId: String(workflowId),
		nodeId: String(nodeId),
		endpointId: String(endpointId),
	};
	const secret = endpointsAt(trigger)[0]?.secret ?? '';
	const sealedSecret = seal(secret, { text: key, typed: false }, binding);
	const { product, apiPath, url, events } = recordOf();
	const registration = { ...binding, product, apiPath, url, events, sealedSecret };
	startAnew({ 'node:Trigger': { registration: JSON.parse(JSON.stringify(registration)) } });
}

describe.each([
	['Misar Reach', misarReach],
	['Misar Post', misarPost],
	['Metigan', metigan],
])('a secret issued by %s', (_name, trigger) => {
	it('is sealed with the API key, whatever signing secret the credential has', async () => {
		await startHost(trigger, { signingSecret: 'whsec_that_the_user_typed' });
		await host.publish();
		const issued = endpointsAt(trigger)[0]?.secret ?? '';
		if (trigger === metigan) {
			// Metigan is sent the typed secret and issues another one.
			expect(issued).not.toBe('whsec_that_the_user_typed');
		}
		change({ signingSecret: '', previousSigningSecret: '' });
		expect(await deliver(trigger, issued)).toMatchObject({ status: 200, ran: true });
	});

	it('is sealed anew if a publish finds that Previous Signing Secret opened it', async () => {
		await startHost(trigger);
		await host.publish();
		const [before] = endpointsAt(trigger);
		sealAsVersion01(trigger, 'whsec_former_secret');
		change({ previousSigningSecret: 'whsec_former_secret' });
		const sealed = recordOf()['sealedSecret'];
		await host.publish();
		expect(recordOf()['sealedSecret']).not.toBe(sealed);

		change({ previousSigningSecret: '' });
		expect(await deliver(trigger, before?.secret ?? '')).toMatchObject({ status: 200, ran: true });
		expect(endpointsAt(trigger)).toMatchObject([{ id: before?.id }]);
	});

	it('is not sealed anew while the first key opens it', async () => {
		await startHost(trigger);
		await host.publish();
		const sealed = recordOf()['sealedSecret'];
		host.restart();
		await host.publish();
		expect(recordOf()['sealedSecret']).toBe(sealed);
	});
});

describe('a seal that no key opens', () => {
	it.each<[string, ICredentialDataDecryptedObject]>([
		['the credential holds no other secret', {}],
		['the credential holds a signing secret', { signingSecret: 'whsec_that_the_user_typed' }],
	])('puts deliveries off while %s, and is reported once', async (_what, more) => {
		await startHost(misarReach, more);
		await host.publish();
		const issued = endpointsAt(misarReach)[0]?.secret ?? '';
		change({ apiKey: 'mrk_another_key' });
		const warnings = recordWarnings();
		for (let n = 0; n < 5; n++) {
			expect(await deliver(misarReach, issued)).toEqual({
				status: 503,
				ran: false,
				retryAfter: '5',
				body: { error: 'the signing secret cannot be read at the moment' },
			});
		}
		expect(warnings).toEqual([expect.stringMatching(/^The signing secret .* cannot be opened/)]);
		expect(warnings[0]).not.toContain(issued);
	});

	it('does not put off an unsigned delivery', async () => {
		await startHost(misarReach);
		await host.publish();
		change({ apiKey: 'mrk_another_key', signingSecret: 'whsec_that_the_user_typed' });
		expect((await host.deliver({ headers: {}, body: '{}' })).status).toBe(401);
	});

	it('is replaced by the next publish, even if the credential’s own secret is unchanged', async () => {
		await startHost(misarMail, { signingSecret: 'whsec_that_the_user_typed' });
		sandbox.setBehaviour('misar.mail', { secretMode: 'issue' });
		await host.publish();
		const [before] = endpointsAt(misarMail);
		const record = recordOf();
		startAnew({
			'node:Trigger': { registration: { ...record, sealedSecret: `v1.${'A'.repeat(120)}` } },
		});
		await host.publish();
		const [after] = endpointsAt(misarMail);
		expect(endpointsAt(misarMail)).toHaveLength(1);
		expect(after?.id).not.toBe(before?.id);
		expect(await deliver(misarMail, after?.secret ?? '')).toMatchObject({ status: 200, ran: true });
	});
});

describe.each([
	['Misar Reach', misarReach],
	['Misar Post', misarPost],
])('%s, which issues the secret', (_name, trigger) => {
	it('keeps its endpoint when the signing secret of the credential changes', async () => {
		await startHost(trigger);
		await host.publish();
		const [before] = endpointsAt(trigger);
		for (const signingSecret of ['whsec_that_the_user_typed', 'whsec_another_one', '']) {
			change({ signingSecret });
			await host.publish();
			expect(endpointsAt(trigger)).toEqual([before]);
		}
	});
});

it('an endpoint gets the present signing secret of the credential', async () => {
	await startHost(misarMail, { signingSecret: 'whsec_first_secret_0' });
	await host.publish();
	change({
		signingSecret: 'whsec_second_secret',
		previousSigningSecret: 'whsec_first_secret_0',
	});
	await host.publish();
	expect(endpointsAt(misarMail)).toMatchObject([{ secret: 'whsec_second_secret' }]);
	change({ previousSigningSecret: '' });
	expect(await deliver(misarMail, 'whsec_second_secret')).toMatchObject({ status: 200, ran: true });
});

describe('a Mail Panda trigger that signs in with a password', () => {
	const login = () => ({ ...sandbox.login, authentication: 'session', apiKey: '' });

	it('seals its secret with a stretched key, and verifies with it', async () => {
		await startHost(mailPanda, login());
		await host.publish();
		expect(recordOf()['sealedSecret']).toMatch(/^v2\./);
		const [endpoint] = endpointsAt(mailPanda);
		host.restart();
		expect(await deliver(mailPanda, endpoint?.secret ?? '')).toMatchObject({ ran: true });
	});

	it('stretches the key of a fingerprint too', async () => {
		await startHost(mailPanda, { ...login(), signingSecret: 'whsec_that_the_user_typed' });
		await host.publish();
		const [before] = endpointsAt(mailPanda);
		expect(recordOf()['secretFingerprint']).toMatch(/^v2\./);
		host.restart();
		await host.publish();
		expect(endpointsAt(mailPanda)).toEqual([before]);
	});

	it('seals anew what version 0.1 sealed without stretching', async () => {
		await startHost(mailPanda, login());
		await host.publish();
		const [before] = endpointsAt(mailPanda);
		sealAsVersion01(mailPanda, sandbox.login.password);
		await host.publish();
		expect(recordOf()['sealedSecret']).toMatch(/^v2\./);
		expect(endpointsAt(mailPanda)).toEqual([before]);
	});
});
