import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, INodeParameters } from 'n8n-workflow';

import type { Fault, Sandbox } from '../../sandbox';
import type { ContextHost, ContextHostOptions } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { mailPanda, misarMail, misarReach, withApi, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** The trigger's `delete`, above all when it must not throw. */

let sandbox: Sandbox;
const open = useSandbox((started) => (sandbox = started));
afterEach(() => void jest.restoreAllMocks());
function startHost(
	trigger: TriggerUnderTest,
	credential: ICredentialDataDecryptedObject = {},
	options: Partial<ContextHostOptions> = {},
	nodeParameters: INodeParameters = {},
): ContextHost {
	return open({
		...selfRegistering(trigger, sandbox, { nodeParameters, credential }),
		...options,
	});
}

const everyCall = (trigger: TriggerUnderTest, fault: Omit<Fault, 'provider' | 'times'>): Fault => ({
	provider: trigger.provider,
	times: Number.POSITIVE_INFINITY,
	...fault,
});

const WAIT_MS = 20_000;

async function untilWarned(warnings: readonly string[]): Promise<void> {
	await until('a warning', WAIT_MS, () => warnings.length > 0 || undefined);
}

/** n8n starts each listener with empty static data, and never saves it. */
function listen(trigger: TriggerUnderTest, credential: ICredentialDataDecryptedObject = {}) {
	return startHost(trigger, credential, { mode: 'manual', staticData: {} });
}

describe.each(withApi)('a listener for a test event of %s', (_name, trigger) => {
	it.each<[string, ICredentialDataDecryptedObject, RegExp]>([
		['no API key', { apiKey: '' }, /^The API key is missing/],
		['a wrong API key', { apiKey: 'wrong' }, /did not accept the API key/],
		['a Base URL that is none', { baseUrl: 'nowhere' }, /is not a web address/],
	])('ends without an error if it failed because of %s', async (_what, credential, message) => {
		const host = listen(trigger, credential);
		await expect(host.create()).rejects.toThrow(message);
		const warnings = recordWarnings();
		await expect(host.delete()).resolves.toBe(true);
		await untilWarned(warnings);
		expect(warnings).toHaveLength(1);
	});

	it('calls nobody when there is no API key', async () => {
		const host = listen(trigger, { apiKey: '' });
		await host.delete();
		expect(sandbox.requests()).toEqual([]);
	});

	it.each<[string, Omit<Fault, 'provider' | 'times'>]>([
		['fails', { kind: 'status', status: 500 }],
		['refuses the key', { kind: 'status', status: 401 }],
		['drops the connection', { kind: 'drop' }],
		['answers with a web page', { kind: 'html' }],
	])('ends without an error when the provider %s meanwhile', async (_what, fault) => {
		sandbox.setBehaviour('misar.post', { pingOnCreate: false });
		const host = listen(trigger);
		await host.create();
		sandbox.fault(everyCall(trigger, fault));
		const warnings = recordWarnings();
		await expect(host.delete()).resolves.toBe(true);
		await untilWarned(warnings);
		expect(warnings).toEqual([expect.stringContaining('could not be removed')]);
	});
});

describe.each(
	// Misar Reach has no call to delete an endpoint.
	withApi.filter(([, { provider }]) => provider !== misarReach.provider),
)('the removal of a test endpoint of %s', (_name, trigger) => {
	const endpoints = () => sandbox.endpoints(trigger.provider);
	const untilRemoved = async () =>
		await until('the removal', WAIT_MS, () => endpoints().length === 0 || undefined);

	beforeEach(() => sandbox.setBehaviour('misar.post', { pingOnCreate: false }));

	it('continues after the listener has ended', async () => {
		const host = listen(trigger);
		await host.create();
		sandbox.fault({ provider: trigger.provider, kind: 'delay', delayMs: 1_000 });
		await expect(host.delete()).resolves.toBe(true);
		expect(endpoints()).toHaveLength(1);
		await untilRemoved();
	});

	it('is complete before the next listener registers its endpoint', async () => {
		const first = listen(trigger);
		await first.create();
		const before = endpoints();
		sandbox.fault({ provider: trigger.provider, kind: 'delay', delayMs: 500 });
		await first.delete();
		const second = listen(trigger);
		expect(await second.checkExists()).toBe(false);
		expect(endpoints()).toEqual([]);
		await second.create();
		expect(endpoints()).toHaveLength(1);
		expect(endpoints()).not.toEqual(before);
		await second.delete();
		await untilRemoved();
	});
});

describe.each(withApi)('a published trigger of %s without a record', (_name, trigger) => {
	it.each<[string, ICredentialDataDecryptedObject]>([
		['no API key', { apiKey: '' }],
		['a wrong API key', { apiKey: 'wrong' }],
	])('is unpublished even if the credential holds %s', async (_what, credential) => {
		const warnings = recordWarnings();
		await expect(startHost(trigger, credential).delete()).resolves.toBe(true);
		expect(warnings).toHaveLength(1);
	});

	it.each<[string, Omit<Fault, 'provider' | 'times'>, string]>([
		['fails', { kind: 'status', status: 500 }, 'HTTP 500'],
		['limits its calls', { kind: 'status', status: 429 }, 'HTTP 429'],
		['drops the connection', { kind: 'drop' }, 'the connection was closed'],
	])(
		'is not unpublished while the provider %s, because its endpoint may exist',
		async (_what, fault, message) => {
			sandbox.fault(everyCall(trigger, fault));
			await expect(startHost(trigger).delete()).rejects.toThrow(message);
		},
	);
});

it('a published trigger keeps its record if the API key is missing, and says so', async () => {
	const host = startHost(misarMail);
	await host.publish();
	host.credential = { ...host.credential, apiKey: '' };
	await expect(host.delete()).rejects.toThrow(/^The API key is missing/);
	host.save();
	expect(host.remembered).toHaveProperty('registration');
});

it('the endpoint is deleted after a switch to manual registration', async () => {
	const host = startHost(misarMail, { signingSecret: 'whsec_of_the_dashboard' });
	await host.publish();
	host.restart({
		parameters: {
			...misarMail.parameters,
			registration: 'manual',
			events: [...misarMail.events],
		},
	});
	await host.unpublish();
	expect(sandbox.endpoints('misar.mail')).toEqual([]);
});

it('an endpoint that could not be deleted is deleted by a publish with manual registration', async () => {
	const host = startHost(misarMail, { signingSecret: 'whsec_of_the_dashboard' });
	await host.publish();
	sandbox.fault(everyCall(misarMail, { kind: 'status', status: 500 }));
	await expect(host.unpublish()).rejects.toThrow();
	sandbox.clearFaults();
	const parameters = {
		...misarMail.parameters,
		registration: 'manual',
		events: [...misarMail.events],
	};
	host.restart({ parameters });
	await host.publish();
	expect(sandbox.endpoints('misar.mail')).toEqual([]);
	expect(host.remembered).not.toHaveProperty('registration');
});

it('the endpoint is deleted if the product is no longer known', async () => {
	const host = startHost(misarMail);
	await host.publish();
	const events = [...misarMail.events];
	host.restart({
		parameters: { registration: 'automatic', events, product: { toString: 1 } as never },
	});
	await host.unpublish();
	expect(sandbox.endpoints('misar.mail')).toEqual([]);
});

describe('the options of the node', () => {
	const published = (options: INodeParameters) => ({
		...mailPanda.parameters,
		registration: 'automatic',
		events: [...mailPanda.events],
		options,
	});

	it.each(['query', 'body', 'path'] as const)(
		'say where the ID of an endpoint goes: %s',
		async (itemAddress) => {
			sandbox.setBehaviour('mailPanda', { manageStyle: itemAddress });
			const host = startHost(mailPanda, {}, {}, { options: { itemAddress } });
			await host.publish();
			const before = sandbox.requests().length;
			await host.unpublish();
			const deletes = sandbox
				.requests()
				.slice(before)
				.filter(({ method }) => method === 'DELETE');
			expect(deletes).toMatchObject([{ status: 200 }]);
			expect(sandbox.endpoints('mailPanda')).toEqual([]);
		},
	);

	it('give the path of the API, even if changed after the publish', async () => {
		const host = startHost(misarMail);
		await host.publish();
		sandbox.setBehaviour('misar.mail', { paths: 'unversioned' });
		host.restart({
			parameters: {
				...misarMail.parameters,
				registration: 'automatic',
				events: [...misarMail.events],
				options: { apiPath: 'mail/webhooks' },
			},
		});
		await host.unpublish();
		expect(sandbox.endpoints('misar.mail')).toEqual([]);
	});

	it('do not prevent the delete if they are unusable', async () => {
		const host = startHost(mailPanda);
		await host.publish();
		host.restart({ parameters: published({ itemAddress: 'nowhere', toleranceSeconds: 'x' }) });
		await host.unpublish();
		expect(sandbox.endpoints('mailPanda')).toEqual([]);
	});
});

it('a test listener does not touch the secrets of production', async () => {
	const production = startHost(misarReach);
	await production.publish();
	const saved = structuredClone(production.savedStaticData);
	const listener = listen(misarReach);
	await listener.create();
	const warnings = recordWarnings();
	await listener.delete();
	await untilWarned(warnings);
	expect(production.savedStaticData).toEqual(saved);
	const [endpoint] = sandbox.endpoints('misar.reach');
	expect(endpoint?.url).toBe(production.webhookUrl);
});
