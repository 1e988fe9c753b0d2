import path from 'node:path';

import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INodeParameters } from 'n8n-workflow';

import type * as withinModule from '../../nodes/shared/state/within';
import { buildDelivery, type Sandbox } from '../../sandbox';
import {
	ContextHost,
	DecryptedCredentials,
	type ContextHostOptions,
} from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { selfRegistering, type Differences } from './hosts';
import { recordWarnings } from './logs';
import { endProcess, useProcess } from './process';
import {
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	withApi,
	type TriggerUnderTest,
} from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';

/** What happens to a trigger and its endpoint besides publishing: renamed, copied, imported, restarted in between. */

const within = jest.requireActual<typeof withinModule>(
	path.join(__dirname, '../../dist/nodes/shared/state/within.js'),
);

let sandbox: Sandbox;
let workflows = 0;
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started));

beforeEach(() => {
	sandbox.setBehaviour('misar.reach', { deleteOffered: true });
	sandbox.setBehaviour('misar.post', { pingOnCreate: false });
});

function openHost(
	trigger: TriggerUnderTest,
	{ credential, nodeParameters, ...options }: Partial<ContextHostOptions> & Differences = {},
): ContextHost {
	return open({
		workflowId: `accident ${workflows++}`,
		...selfRegistering(trigger, sandbox, {
			credential,
			nodeParameters: { options: { checkInterval: 1 }, ...nodeParameters },
		}),
		...options,
	});
}

async function publish(
	trigger: TriggerUnderTest,
	options: Parameters<typeof openHost>[1] = {},
): Promise<ContextHost> {
	const host = openHost(trigger, options);
	await host.publish();
	return host;
}

const endpointsAt = ({ provider }: TriggerUnderTest) => sandbox.endpoints(provider);
const idsAt = (trigger: TriggerUnderTest) => endpointsAt(trigger).map(({ id }) => id);
const secretAt = (trigger: TriggerUnderTest) => endpointsAt(trigger)[0]?.secret ?? '';
const fail = (changes: Partial<Parameters<Sandbox['fault']>[0]> = {}) =>
	sandbox.fault({ kind: 'status', status: 500, times: Number.POSITIVE_INFINITY, ...changes });

async function statusOf(host: ContextHost, trigger: TriggerUnderTest, secret = secretAt(trigger)) {
	const { provider, events, scheme } = trigger;
	return (await host.deliver(buildDelivery({ provider, event: events[0], scheme, secret }))).status;
}

describe.each(withApi)(
	'a copied workflow with the webhook ID of its original at %s',
	(_name, trigger) => {
		const copyOf = (original: ContextHost) =>
			openHost(trigger, { staticData: structuredClone(original.savedStaticData) });

		it('leaves the original’s endpoint when n8n refuses it and calls delete', async () => {
			const original = await publish(trigger);
			const ids = idsAt(trigger);
			await expect(copyOf(original).delete()).resolves.toBe(true);
			expect(idsAt(trigger)).toEqual(ids);
			expect(await statusOf(original, trigger)).toBe(200);
		});

		it('leaves it after a restart of n8n as well, before the first check', async () => {
			const original = await publish(trigger);
			const ids = idsAt(trigger);
			endProcess();
			original.restart({ activation: 'init' });
			await original.publish();
			await copyOf(original).delete();
			expect(idsAt(trigger)).toEqual(ids);
		});

		it('is told at a publish that the original has the address, and gets it once the original is gone', async () => {
			const original = await publish(trigger);
			const ids = idsAt(trigger);
			const copy = copyOf(original);
			await expect(copy.publish()).rejects.toThrow('Another trigger of this n8n has the same');
			expect(idsAt(trigger)).toEqual(ids);
			expect(await statusOf(original, trigger)).toBe(200);
			await original.unpublish();
			await copy.publish();
			expect(endpointsAt(trigger)).toHaveLength(1);
			expect(await statusOf(copy, trigger)).toBe(200);
		});
	},
);

it('a copied workflow gets the address of an unpublished original whose endpoint could not be deleted', async () => {
	recordWarnings();
	const original = await publish(misarReach);
	const copy = openHost(misarReach, { staticData: structuredClone(original.savedStaticData) });
	fail({ method: 'DELETE', status: 405 });
	await original.unpublish();
	expect(idsAt(misarReach)).toHaveLength(1);
	await copy.publish();
	expect(await statusOf(copy, misarReach, endpointsAt(misarReach).at(-1)?.secret)).toBe(200);
});

describe.each(withApi)('a former endpoint that %s could not delete', (_name, trigger) => {
	/** n8n stops in the middle of a replacement. */
	async function interrupted(): Promise<ContextHost> {
		recordWarnings();
		const host = await publish(trigger);
		const [former] = idsAt(trigger);
		sandbox.changeEndpoint(trigger.provider, former ?? '', { active: false });
		for (const method of ['PATCH', 'PUT']) fail({ method, status: 404 });
		fail({ method: 'DELETE' });
		await (await ticks.start(host)).tick();
		expect(endpointsAt(trigger)).toHaveLength(2);
		sandbox.clearFaults();
		endProcess();
		host.restart({ activation: 'init' });
		return host;
	}

	it.each<[string, (host: ContextHost) => Promise<void>, number]>([
		[
			'the first check after a restart',
			async (host) => {
				await host.publish();
				await (await ticks.start(host)).tick();
			},
			1,
		],
		[
			'a publish',
			async (host) => {
				host.restart({ activation: 'activate' });
				await host.publish();
			},
			1,
		],
		['an unpublish', async (host) => await host.unpublish(), 0],
	])('is removed by %s', async (_what, work, left) => {
		const host = await interrupted();
		await work(host);
		expect(endpointsAt(trigger)).toHaveLength(left);
		host.save();
		expect(host.remembered['leftovers'] ?? []).toEqual([]);
		if (left > 0) expect(await statusOf(host, trigger)).toBe(200);
	});
});

describe.each(withApi)('a trigger of %s that was renamed', (_name, trigger) => {
	it.each([
		['in the same process', () => {}],
		['before a restart', endProcess],
	])('keeps its endpoint, its secret and its state %s', async (_when, restart) => {
		const nodeId = 'renamed';
		const host = await publish(trigger, { nodeId, nodeName: 'Before' });
		const [endpoints, remembered] = [endpointsAt(trigger), host.remembered];
		restart();
		host.restart({ nodeName: 'After' });
		expect(await statusOf(host, trigger)).toBe(200);
		await host.publish();
		expect(endpointsAt(trigger)).toEqual(endpoints);
		expect(host.remembered).toEqual(remembered);
		expect(host.savedStaticData['node:Before']).toEqual({});
		await host.unpublish();
		expect(endpointsAt(trigger)).toEqual([]);
	});
});

describe.each(withApi)('an unpublish at %s after the credential was deleted', (_name, trigger) => {
	const deleteCredential = () =>
		jest
			.spyOn(DecryptedCredentials.prototype, 'getDecrypted')
			.mockRejectedValue(new Error('Credential with ID "cred1" does not exist'));

	it('names the endpoint that remains, and keeps its record', async () => {
		const host = await publish(trigger);
		const [endpoint] = endpointsAt(trigger);
		deleteCredential();
		const warnings = recordWarnings();
		await expect(host.delete()).rejects.toThrow();
		expect(warnings).toEqual([expect.stringContaining(`Endpoint ${endpoint?.id} of`)]);
		expect(warnings[0]).toContain(endpoint?.url);
		expect(warnings[0]).toContain('Remove it in the dashboard');
		host.save();
		expect(host.remembered).toMatchObject({ registration: { endpointId: endpoint?.id } });
	});

	it('ends with a warning where nothing was registered', async () => {
		const host = openHost(trigger);
		deleteCredential();
		const warnings = recordWarnings();
		await expect(host.delete()).resolves.toBe(true);
		expect(warnings).toHaveLength(1);
	});
});

describe.each<[string, INodeParameters]>([
	['automatic', {}],
	['manual', { registration: 'manual' }],
])('a trigger that was imported without a webhook ID, with %s registration', (_name, changes) => {
	const signingSecret = 'whsec_that_the_user_typed';
	const imported = (nodeName: string, options: Partial<ContextHostOptions> = {}) =>
		openHost(misarMail, {
			webhookId: null,
			nodeName,
			nodeParameters: changes,
			credential: { signingSecret },
			...options,
		});

	it.each(['Misar Trigger', 'Größe', 'a/b', 'a%b'])(
		'is refused if n8n would not find %j, with what to do',
		async (nodeName) => {
			const host = imported(nodeName);
			await expect(host.publish()).rejects.toThrow(
				`(${host.webhookUrl}). The workflow was imported without a webhook ID`,
			);
			expect(sandbox.requests()).toEqual([]);
		},
	);

	it('is published if its address has no encoded character', async () => {
		await imported('misartrigger', { workflowId: 'imported' }).publish();
		expect(endpointsAt(misarMail)).toHaveLength(changes['registration'] === 'manual' ? 0 : 1);
	});
});

describe.each<[string, TriggerUnderTest]>([
	['Misar Mail', misarMail],
	['Mail Panda', mailPanda],
	['Metigan', metigan],
])('a signing secret that was typed for %s', (_name, trigger) => {
	const LEAKED = 'whsec_leaked_0123456789abcdef';
	const echo = { secret: LEAKED, signatureKey: LEAKED };

	it('is not stored, and verifies no longer once its field is changed', async () => {
		sandbox.setBehaviour('metigan', { secretMode: 'accept' });
		// Some answers repeat what was sent.
		sandbox.fault({
			provider: trigger.provider,
			method: 'POST',
			kind: 'rewrite',
			rewrite: (answer) => ({ ...Object(answer), ...echo }),
		});
		const host = await publish(trigger, { credential: { signingSecret: LEAKED } });
		expect(host.remembered['registration']).not.toHaveProperty('sealedSecret');
		host.credential = { ...host.credential, signingSecret: 'whsec_new_one' };
		host.restart();
		await host.publish();
		host.restart();
		expect(await statusOf(host, trigger, 'whsec_new_one')).toBe(200);
		expect(await statusOf(host, trigger, LEAKED)).toBe(401);
	});
});

describe.each(withApi)('a start of n8n without a record at %s', (_name, trigger) => {
	it.each(['init', 'leadershipChange', 'update'] as const)(
		'of kind %s fails if the provider fails, so that n8n tries again',
		async (activation) => {
			const host = openHost(trigger, { activation });
			fail();
			await expect(host.publish()).rejects.toThrow('HTTP 500');
			sandbox.clearFaults();
			host.repeat();
			await host.publish();
			expect(endpointsAt(trigger)).toHaveLength(1);
			expect(await statusOf(host, trigger)).toBe(200);
		},
	);

	it('calls nobody once there is a record, even if the settings cannot be used', async () => {
		const host = await publish(trigger);
		const calls = sandbox.requests().length;
		recordWarnings();
		host.restart({
			activation: 'init',
			parameters: { ...trigger.parameters, options: { toleranceSeconds: 'none' } },
		});
		await expect(host.checkExists()).resolves.toBe(true);
		expect(sandbox.requests()).toHaveLength(calls);
	});
});

describe.each<[string, TriggerUnderTest]>([
	['Misar Reach', misarReach],
	['Misar Post', misarPost],
])('an endpoint that the list of %s leaves out', (_name, trigger) => {
	beforeEach(() => {
		const withoutEntries = (answer: unknown): unknown => {
			if (Array.isArray(answer)) return [];
			if (typeof answer !== 'object' || answer === null) return answer;
			return Object.fromEntries(
				Object.entries(answer).map(([key, value]) => [key, Array.isArray(value) ? [] : value]),
			);
		};
		sandbox.fault({
			provider: trigger.provider,
			method: 'GET',
			kind: 'rewrite',
			rewrite: withoutEntries,
			times: Number.POSITIVE_INFINITY,
		});
	});

	it('is deleted by an unpublish', async () => {
		const host = await publish(trigger);
		expect(endpointsAt(trigger)).toHaveLength(1);
		await host.unpublish();
		expect(endpointsAt(trigger)).toEqual([]);
	});

	it('is deleted by the next unpublish if the provider fails at the first one', async () => {
		const host = await publish(trigger);
		fail({ method: 'DELETE', times: 1 });
		await expect(host.unpublish()).rejects.toThrow('HTTP 500');
		await host.unpublish();
		expect(endpointsAt(trigger)).toEqual([]);
	});

	it('is registered again by a publish after every answer to its delete was lost', async () => {
		const host = await publish(trigger);
		const { provider } = trigger;
		sandbox.fault({ provider, method: 'DELETE', kind: 'drop', when: 'after', times: 4 });
		await expect(host.unpublish()).rejects.toThrow('the connection was closed');
		expect(endpointsAt(trigger)).toEqual([]);
		host.restart();
		await host.publish();
		expect(endpointsAt(trigger)).toHaveLength(1);
		expect(await statusOf(host, trigger)).toBe(200);
	});
});

it('at most one orphaned endpoint is left if nothing can be deleted and answers are lost', async () => {
	recordWarnings();
	sandbox.setBehaviour('misar.reach', { deleteOffered: false });
	fail({ method: 'POST', when: 'after' });
	await expect(openHost(misarReach).create()).rejects.toThrow('HTTP 500');
	expect(endpointsAt(misarReach)).toHaveLength(1);
});

it('a publish that has waited long enough creates an endpoint, and the check removes the one it created', async () => {
	recordWarnings();
	jest.spyOn(within, 'within').mockResolvedValue();
	const host = await publish(metigan);
	sandbox.removeEndpoint('metigan', idsAt(metigan)[0] ?? '');
	const { begin, ended, tick } = await ticks.start(host);
	sandbox.fault({ provider: 'metigan', method: 'POST', kind: 'delay', delayMs: 3_000 });
	const posts = () => sandbox.requests().filter(({ method }) => method === 'POST').length;
	const before = posts();
	begin();
	await until('the check to create', 10_000, async () => posts() > before || undefined);
	host.restart();
	await host.publish();
	await ended();
	expect(endpointsAt(metigan)).toHaveLength(1);
	expect(await statusOf(host, metigan)).toBe(200);
	await tick();
	expect(endpointsAt(metigan)).toHaveLength(1);
	useProcess('another');
	host.restart();
	expect(await statusOf(host, metigan)).toBe(200);
});
