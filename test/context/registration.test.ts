import { beforeEach, describe, expect, it } from '@jest/globals';
import { NodeApiError, type INodeParameters } from 'n8n-workflow';

import type { Fault, Sandbox } from '../../sandbox';
import { until } from '../../testkit/n8n-host/poll';
import type { ContextHost, ContextHostOptions } from '../../testkit/contextHost';
import { selfRegistering } from './hosts';
import { endProcess } from './process';
import { metigan, misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

const ORIGIN = 'https://n8n.example.com';
const FOREIGN_URL = 'https://other-app.example.com/hook';

let sandbox: Sandbox;
const open = useSandbox((started) => (sandbox = started));

function startHost(
	trigger: TriggerUnderTest,
	options: Partial<ContextHostOptions> & { nodeParameters?: INodeParameters } = {},
): ContextHost {
	const { nodeParameters, credential, ...rest } = options;
	return open({
		...selfRegistering(trigger, sandbox, { nodeParameters, credential }),
		webhookOrigin: ORIGIN,
		...rest,
	});
}

/** Fires an event at the sandbox. @returns how many runs it started */
async function runsOfOneEvent(trigger: TriggerUnderTest, host: ContextHost): Promise<number> {
	sandbox.setRoute(ORIGIN, await host.listen());
	const before = host.runs.length;
	await sandbox.fire({ provider: trigger.provider, event: trigger.events[0], retry: false });
	return host.runs.length - before;
}

const fault = (trigger: TriggerUnderTest, changes: Fault): Fault => ({
	provider: trigger.provider,
	...changes,
});

describe.each([
	['Misar Mail', misarMail],
	['Metigan', metigan],
])('registration at %s', (_name, trigger) => {
	const endpoints = () => sandbox.endpoints(trigger.provider);

	it('registers URL, events and a secret that verifies, and does not expose the secret', async () => {
		const host = startHost(trigger);
		await host.publish();

		expect(endpoints()).toHaveLength(1);
		const [endpoint] = endpoints();
		expect(endpoint?.url).toBe(host.webhookUrl);
		expect([...(endpoint?.events ?? [])].sort()).toEqual([...trigger.events].sort());
		expect(endpoint?.secret).toMatch(/^whsec_/);
		expect(JSON.stringify(host.savedStaticData)).not.toContain(endpoint?.secret);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('registers every documented event for "all events", without inferred names', async () => {
		await startHost(trigger, { nodeParameters: { events: ['*'] } }).publish();
		const [endpoint] = endpoints();
		expect(endpoint?.events).toContain('email.complained');
		expect(endpoint?.events).not.toContain('*');
		expect(endpoint?.events).not.toContain('automation.triggered');
	});

	it('ends with one endpoint if create is called five times', async () => {
		const host = startHost(trigger);
		for (let call = 0; call < 5; call++) await host.create();
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('ends with one endpoint if create is called five times at once', async () => {
		const host = startHost(trigger);
		await Promise.all(Array.from({ length: 5 }, async () => await host.create()));
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('ends with one endpoint if five creates at once each loaded the workflow for themselves', async () => {
		const several = Array.from({ length: 5 }, () => startHost(trigger));
		await Promise.all(several.map(async (host) => await host.create()));
		expect(endpoints()).toHaveLength(1);
		for (const host of several) expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('does not adopt an endpoint whose secret was lost in a crash before the save', async () => {
		const host = startHost(trigger);
		await host.create();
		const [lost] = endpoints();
		endProcess();
		host.restart();
		await host.publish();

		expect(endpoints()).toHaveLength(1);
		expect(endpoints()[0]?.id).not.toBe(lost?.id);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it.each([
		['events', { events: ['email.opened'] }],
		['URL', { url: 'https://n8n.example.com/webhook/moved' }],
		['active flag', { active: false }],
	])('repairs a changed %s in place', async (_what, drift) => {
		const host = startHost(trigger);
		await host.publish();
		const [before] = endpoints();
		sandbox.changeEndpoint(trigger.provider, before?.id ?? '', drift);
		host.restart();
		await host.publish();

		expect(endpoints()).toHaveLength(1);
		const [after] = endpoints();
		expect(after).toMatchObject({ id: before?.id, url: host.webhookUrl, active: true });
		expect([...(after?.events ?? [])].sort()).toEqual([...trigger.events].sort());
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('changes the events in place when the node changes', async () => {
		const host = startHost(trigger);
		await host.publish();
		const [before] = endpoints();
		host.restart({
			parameters: { ...trigger.parameters, registration: 'automatic', events: ['email.opened'] },
		});
		await host.publish();
		expect(endpoints()).toMatchObject([{ id: before?.id, events: ['email.opened'] }]);
	});

	it('changes nothing when everything is as it should be', async () => {
		const host = startHost(trigger);
		await host.publish();
		host.restart();
		const before = sandbox.requests().length;
		expect(await host.checkExists()).toBe(true);
		expect(
			sandbox
				.requests()
				.slice(before)
				.map(({ method }) => method),
		).toEqual(['GET']);
	});

	it('creates an endpoint again that was deleted at the provider', async () => {
		const host = startHost(trigger);
		await host.publish();
		sandbox.removeEndpoint(trigger.provider, endpoints()[0]?.id ?? '');
		host.restart();
		await host.publish();
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('deletes its endpoint, and accepts that one is already gone', async () => {
		const host = startHost(trigger);
		await host.publish();
		await host.unpublish();
		expect(endpoints()).toEqual([]);

		await host.publish();
		sandbox.removeEndpoint(trigger.provider, endpoints()[0]?.id ?? '');
		await expect(host.delete()).resolves.toBe(true);
		host.save();
		expect(host.remembered).not.toHaveProperty('registration');
	});

	it('finds the endpoint to delete by its URL if the ID was lost', async () => {
		const host = startHost(trigger);
		await host.create();
		host.restart();
		await host.unpublish();
		expect(endpoints()).toEqual([]);
	});

	it('throws if a delete fails, keeps the ID, and deletes the next time', async () => {
		const host = startHost(trigger);
		await host.publish();
		sandbox.fault(fault(trigger, { method: 'DELETE', kind: 'status', status: 500 }));
		await expect(host.delete()).rejects.toThrow(NodeApiError);
		host.save();
		expect(JSON.stringify(host.savedStaticData)).toContain(endpoints()[0]?.id);

		host.restart();
		await host.unpublish();
		expect(endpoints()).toEqual([]);
	});

	it('never touches other endpoints of the account', async () => {
		const foreign = sandbox.addEndpoint(trigger.provider, {
			url: FOREIGN_URL,
			events: ['email.opened'],
			active: false,
		});
		const host = startHost(trigger);
		await host.create();
		host.restart();
		await host.publish();
		sandbox.changeEndpoint(trigger.provider, endpoints()[1]?.id ?? '', { events: [] });
		host.restart();
		await host.publish();
		await host.unpublish();
		expect(endpoints()).toEqual([foreign]);
	});

	it('leaves the endpoint of the original alone when a copied workflow is published', async () => {
		const original = startHost(trigger);
		await original.publish();
		const copy = startHost(trigger, {
			workflowId: 'wf2',
			webhookOrigin: 'https://copy.example.com',
			staticData: original.savedStaticData,
		});
		await copy.publish();
		expect(endpoints().map(({ url }) => url)).toEqual([original.webhookUrl, copy.webhookUrl]);
		await copy.unpublish();
		expect(endpoints().map(({ url }) => url)).toEqual([original.webhookUrl]);
	});

	it.each<[string, Fault]>([
		['the connection drops before the create', { kind: 'drop', when: 'before' }],
		['the connection drops after the create', { kind: 'drop', when: 'after' }],
		['the answer to the create is 503', { kind: 'status', status: 503, when: 'after' }],
		['the answer to the create is cut off', { kind: 'truncate', when: 'after' }],
		['the answer to the create is a web page', { kind: 'html', when: 'after' }],
		['the answer to the create is empty', { kind: 'empty', when: 'after' }],
		['the answer to the create is 500', { kind: 'status', status: 500, when: 'after' }],
	])('ends with one endpoint whose secret is known if %s', async (_what, change) => {
		sandbox.fault(fault(trigger, { ...change, method: 'POST' }));
		const host = startHost(trigger);
		await host.publish();
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('leaves nothing behind when every create loses its answer', async () => {
		sandbox.fault(
			fault(trigger, { method: 'POST', kind: 'status', status: 500, when: 'after', times: 50 }),
		);
		const host = startHost(trigger);
		await expect(host.create()).rejects.toThrow('is not available at the moment (HTTP 500)');
		expect(endpoints()).toEqual([]);
	});

	it.each<[string, Fault]>([
		['a rate limit', { kind: 'rateLimit', headers: { 'retry-after': '1' } }],
		['503', { kind: 'status', status: 503 }],
		['a dropped connection', { kind: 'drop' }],
	])('copes with %s when it lists', async (_what, change) => {
		sandbox.fault(fault(trigger, { ...change, method: 'GET' }));
		await startHost(trigger).publish();
		expect(endpoints()).toHaveLength(1);
	});

	it('gives the endpoint a changed signing secret while the previous one still verifies', async () => {
		const host = startHost(trigger, { credential: { signingSecret: 'first secret' } });
		await host.publish();
		host.credential = {
			...host.credential,
			signingSecret: 'second secret',
			previousSigningSecret: 'first secret',
		};
		host.restart();
		expect(await runsOfOneEvent(trigger, host)).toBe(1);

		await host.publish();
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it('refuses deliveries while its secret cannot be opened, and recovers by publishing again', async () => {
		const host = startHost(trigger);
		await host.publish();
		host.credential = { ...host.credential, apiKey: 'another key' };
		host.restart();
		// The cached credential verifies for a few seconds more.
		await until('the old key to be forgotten', 20_000, async () =>
			(await runsOfOneEvent(trigger, host)) === 0 ? true : undefined,
		);
		// Trimmed, so the same key: the secret opens again.
		host.credential = { ...host.credential, apiKey: `${sandbox.keys[trigger.provider]} ` };
		expect(await runsOfOneEvent(trigger, host)).toBe(1);

		host.credential = { ...host.credential, apiKey: sandbox.keys[trigger.provider] };
		await host.publish();
		expect(endpoints()).toHaveLength(1);
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});
});

describe('Misar Mail in particular', () => {
	it('sends the signing secret of the credential', async () => {
		await startHost(misarMail, { credential: { signingSecret: 'chosen by the user' } }).publish();
		expect(sandbox.endpoints('misar.mail')).toMatchObject([{ secret: 'chosen by the user' }]);
	});

	it.each(['v1', 'unversioned'] as const)(
		'finds the API when it is served %s only',
		async (paths) => {
			sandbox.setBehaviour('misar.mail', { paths });
			const host = startHost(misarMail);
			await host.publish();
			expect(sandbox.endpoints('misar.mail')).toHaveLength(1);
			await host.unpublish();
			expect(sandbox.endpoints('misar.mail')).toEqual([]);
		},
	);

	it('uses Options → API Path instead of the documented ones', async () => {
		const host = startHost(misarMail, {
			nodeParameters: { options: { apiPath: 'mail/webhooks' } },
		});
		await host.publish();
		expect(sandbox.requests().map(({ path }) => path)).not.toContain('/mail/v1/webhooks');
		expect(sandbox.endpoints('misar.mail')).toHaveLength(1);
	});

	it.each([
		{ listShape: 'successData', createShape: 'successData', createStatus: 200, deleteStatus: 200 },
		{ listShape: 'dataTotal', createShape: 'bare', createStatus: 201, deleteStatus: 204 },
	] as const)('reads answers shaped like %j', async (behaviour) => {
		sandbox.setBehaviour('misar.mail', behaviour);
		const host = startHost(misarMail);
		await host.publish();
		expect(await runsOfOneEvent(misarMail, host)).toBe(1);
		await host.unpublish();
		expect(sandbox.endpoints('misar.mail')).toEqual([]);
	});

	it('takes the secret that the API issues in place of the one it was sent', async () => {
		sandbox.setBehaviour('misar.mail', { secretMode: 'issue' });
		const host = startHost(misarMail);
		await host.publish();
		expect(await runsOfOneEvent(misarMail, host)).toBe(1);
	});
});

it('a replacement is saved if n8n repeats an activation that failed after creating it', async () => {
	sandbox.setBehaviour('misar.reach', { deleteOffered: true });
	const host = startHost(misarReach);
	await host.publish();
	const [before] = sandbox.endpoints('misar.reach');
	sandbox.changeEndpoint('misar.reach', before?.id ?? '', { active: false });
	host.restart();
	sandbox.fault(fault(misarReach, { method: 'DELETE', kind: 'status', status: 500 }));
	await expect(host.checkExists()).rejects.toThrow(NodeApiError);
	host.repeat();
	await host.publish();
	// Deliveries load the workflow from the database.
	host.restart();
	expect(sandbox.endpoints('misar.reach')).toHaveLength(1);
	expect(await runsOfOneEvent(misarReach, host)).toBe(1);
});

describe('Metigan in particular', () => {
	it.each(['bare', 'successData', 'secretField'] as const)(
		'seals the signing key of a create answered %s',
		async (createShape) => {
			sandbox.setBehaviour('metigan', { createShape });
			const host = startHost(metigan);
			await host.publish();
			expect(await runsOfOneEvent(metigan, host)).toBe(1);
		},
	);

	it('verifies with the derived secret where the API takes the one it is sent', async () => {
		sandbox.setBehaviour('metigan', { secretMode: 'accept' });
		const host = startHost(metigan);
		await host.publish();
		expect(host.remembered['registration']).not.toHaveProperty('sealedSecret');
		expect(await runsOfOneEvent(metigan, host)).toBe(1);
	});

	it('has its endpoint found beyond the first page of the list', async () => {
		const host = startHost(metigan);
		for (let index = 0; index < 250; index++) {
			sandbox.addEndpoint('metigan', { url: `${FOREIGN_URL}/${index}`, events: ['email.sent'] });
		}
		await host.create();
		host.restart();
		await host.publish();
		expect(sandbox.endpoints('metigan')).toHaveLength(251);
	});

	describe('in an account with a long list', () => {
		let host: ContextHost;

		beforeEach(async () => {
			for (let index = 0; index < 1_000; index++) {
				sandbox.addEndpoint('metigan', { url: `${FOREIGN_URL}/${index}`, events: ['email.sent'] });
			}
			host = startHost(metigan);
			await host.publish();
			host.restart();
		});

		const mine = () =>
			sandbox.endpoints('metigan').filter(({ url }) => !url.startsWith(FOREIGN_URL));
		/** The calls that publishing makes after a restart of n8n, and whether it had to create. */
		const publishAgain = async () => {
			const before = sandbox.requests().length;
			await host.publish();
			const calls = sandbox.requests().slice(before);
			return { calls: calls.length, created: calls.some(({ method }) => method === 'POST') };
		};

		it('has the list read once to publish, and takes one call afterwards', async () => {
			// Ten pages, the create, and a look at what was created.
			expect(sandbox.requests()).toHaveLength(12);
			expect(await publishAgain()).toEqual({ calls: 1, created: false });
			expect(mine()).toHaveLength(1);
		});

		it('has the whole list read if our endpoint was changed, and leftovers removed', async () => {
			const [own] = mine();
			sandbox.changeEndpoint('metigan', own?.id ?? '', { active: false });
			sandbox.addEndpoint('metigan', { url: host.webhookUrl, events: ['email.sent'] });
			expect(await publishAgain()).toMatchObject({ created: false });
			expect(mine()).toMatchObject([{ id: own?.id, active: true }]);
			expect(await runsOfOneEvent(metigan, host)).toBe(1);
		});

		it('has another endpoint created if ours is gone', async () => {
			sandbox.removeEndpoint('metigan', mine()[0]?.id ?? '');
			expect(await publishAgain()).toMatchObject({ created: true });
			expect(mine()).toHaveLength(1);
			expect(await runsOfOneEvent(metigan, host)).toBe(1);
		});

		it('ends with an error if our endpoint cannot be read', async () => {
			sandbox.fault(
				fault(metigan, {
					method: 'GET',
					path: new RegExp(`/${mine()[0]?.id ?? ''}$`),
					kind: 'status',
					status: 500,
				}),
			);
			await expect(host.checkExists()).rejects.toThrow(NodeApiError);
			host.repeat();
			expect(await publishAgain()).toMatchObject({ created: false });
		});
	});

	it('is updated by PUT if PATCH is not served', async () => {
		sandbox.setBehaviour('metigan', { updateMethods: 'PUT' });
		const host = startHost(metigan);
		await host.publish();
		const [before] = sandbox.endpoints('metigan');
		sandbox.changeEndpoint('metigan', before?.id ?? '', { active: false });
		await host.publish();
		expect(sandbox.endpoints('metigan')).toMatchObject([{ id: before?.id, active: true }]);
	});

	it('has an endpoint replaced that cannot be updated', async () => {
		sandbox.setBehaviour('metigan', { updateMethods: 'none' });
		const host = startHost(metigan);
		await host.publish();
		const [before] = sandbox.endpoints('metigan');
		sandbox.changeEndpoint('metigan', before?.id ?? '', { active: false });
		await host.publish();
		expect(sandbox.endpoints('metigan')).toMatchObject([{ active: true, url: host.webhookUrl }]);
		expect(await runsOfOneEvent(metigan, host)).toBe(1);
	});
});
