import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox, SandboxEndpoint } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * One workflow that listens to two products: its triggers share one static data column, which n8n
 * reads and writes whole, and one address.
 */

const ORIGIN = 'https://n8n.example.com';

let sandbox: Sandbox;
let mail: ContextHost;
let reach: ContextHost;

const open = useSandbox((started) => (sandbox = started));
beforeEach(async () => {
	mail = open({ ...optionsOf(misarMail, 'Mail'), webhookId: 'mail-id' });
	reach = open({ ...optionsOf(misarReach, 'Reach'), webhookId: 'reach-id' }, mail);
	sandbox.setBehaviour('misar.reach', { deleteOffered: true });
	sandbox.setRoute(ORIGIN, await mail.listen());
	await publishAll();
});

function optionsOf(trigger: TriggerUnderTest, nodeName: string) {
	return {
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		credential: { baseUrl: sandbox.url, apiKey: sandbox.keys[trigger.provider] },
		webhookOrigin: ORIGIN,
		parameters: {
			...trigger.parameters,
			registration: 'automatic',
			events: [...trigger.events],
		},
		nodeName,
		workflowId: `two triggers: ${expect.getState().currentTestName}`,
	};
}

/** As n8n publishes a workflow: every trigger in one process, the static data saved after each. */
async function publishAll(): Promise<void> {
	for (const host of [mail, reach]) await host.publish();
}

/** What a node remembers in the shared column, but for the number of its changes. */
function memoryOf(nodeName: string): unknown {
	return { ...(nodeName === 'Mail' ? mail : reach).remembered, revision: 0 };
}

function endpointOf({ provider }: TriggerUnderTest): SandboxEndpoint {
	const [endpoint, ...others] = sandbox.endpoints(provider);
	if (endpoint === undefined || others.length > 0) {
		throw new Error(`${provider} has ${others.length} endpoints too many, or none`);
	}
	return { ...endpoint, consecutiveFailures: 0 };
}

/** Fires one event of each product. @returns which node ran for it */
async function runsOfEach(): Promise<{ mail: string[]; reach: string[] }> {
	const before = [mail.runs.length, reach.runs.length] as const;
	for (const { provider, events } of [misarMail, misarReach]) {
		await sandbox.fire({ provider, event: events[0], retry: false });
	}
	const since = (host: ContextHost, count: number) =>
		host.runs.slice(count).map(([item]) => String(item?.json['event']));
	return { mail: since(mail, before[0]), reach: since(reach, before[1]) };
}

const BOTH = { mail: [misarMail.events[0]], reach: [misarReach.events[0]] };

describe('two triggers in one workflow', () => {
	it('have separate endpoints, states and runs', async () => {
		expect(mail.webhookUrl).not.toBe(reach.webhookUrl);
		expect(endpointOf(misarMail).url).toBe(mail.webhookUrl);
		expect(endpointOf(misarReach).url).toBe(reach.webhookUrl);
		expect(reach.savedStaticData).toBe(mail.savedStaticData);
		expect(JSON.stringify(memoryOf('Mail'))).toContain(endpointOf(misarMail).id);
		expect(JSON.stringify(memoryOf('Reach'))).toContain(endpointOf(misarReach).id);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it('do not change their state when a delivery comes', async () => {
		const saved = structuredClone(mail.savedStaticData);
		await Promise.all([runsOfEach(), runsOfEach()]);
		mail.save();
		expect(mail.savedStaticData).toEqual(saved);
	});

	it('go on after a restart, without a change at either provider', async () => {
		const before = [endpointOf(misarMail), endpointOf(misarReach)];
		mail.restart();
		await publishAll();
		expect([endpointOf(misarMail), endpointOf(misarReach)]).toEqual(before);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it('are created at once without mixing up their endpoints', async () => {
		await Promise.all([mail.delete(), reach.delete()]);
		await Promise.all([mail.create(), reach.create(), mail.create(), reach.create()]);
		mail.save();
		mail.restart();
		expect(endpointOf(misarMail).url).toBe(mail.webhookUrl);
		expect(endpointOf(misarReach).url).toBe(reach.webhookUrl);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it.each([
		['Mail', misarMail, 'Reach', misarReach],
		['Reach', misarReach, 'Mail', misarMail],
	])('have %s repaired, and the other left unchanged', async (_name, trigger, otherName, other) => {
		const [memory, endpoint] = [memoryOf(otherName), endpointOf(other)];
		sandbox.changeEndpoint(trigger.provider, endpointOf(trigger).id, {
			events: [trigger.events[1]],
			active: false,
		});
		mail.restart();
		await publishAll();
		expect(endpointOf(trigger)).toMatchObject({ active: true, events: [...trigger.events] });
		expect(memoryOf(otherName)).toEqual(memory);
		expect(endpointOf(other)).toEqual(endpoint);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it.each([
		['Mail', misarMail, 'Reach', misarReach],
		['Reach', misarReach, 'Mail', misarMail],
	])('have %s unpublished, the other left unchanged', async (name, trigger, otherName, other) => {
		const [memory, endpoint] = [memoryOf(otherName), endpointOf(other)];
		await (name === 'Mail' ? mail : reach).unpublish();
		mail.restart();

		expect(sandbox.endpoints(trigger.provider)).toEqual([]);
		expect(memoryOf(name)).not.toHaveProperty('registration');
		expect(memoryOf(otherName)).toEqual(memory);
		expect(endpointOf(other)).toEqual(endpoint);
		const left = name === 'Mail' ? { ...BOTH, mail: [] } : { ...BOTH, reach: [] };
		expect(await runsOfEach()).toEqual(left);

		await publishAll();
		expect(endpointOf(other)).toEqual(endpoint);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it('keep the other’s state if one cannot be deleted', async () => {
		const memory = memoryOf('Reach');
		sandbox.fault({ provider: 'misar.mail', method: 'DELETE', kind: 'status', status: 500 });
		await expect(mail.unpublish()).rejects.toThrow('HTTP 500');
		mail.save();
		expect(JSON.stringify(memoryOf('Mail'))).toContain(endpointOf(misarMail).id);
		expect(memoryOf('Reach')).toEqual(memory);
		expect(await runsOfEach()).toEqual(BOTH);
	});

	it('do not answer for each other', async () => {
		const { secret } = endpointOf(misarMail);
		expect(secret).toBeDefined();
		await sandbox.fire({
			provider: 'misar.mail',
			event: misarMail.events[0],
			url: reach.webhookUrl,
			secret: secret ?? '',
			retry: false,
		});
		expect(reach.runs).toEqual([]);
		expect(sandbox.deliveries()).toMatchObject([{ attempts: [{ status: 401 }] }]);
	});
});
