import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { NodeHelpers } from 'n8n-workflow';
import { z } from 'zod';

import { outputOf } from '../../testkit/n8n-host/schemas';
import { ORIGIN, PACKAGE } from '../../testkit/publishTrigger';
import { RedisStandIn } from './redisStandIn';
import {
	EDITED,
	links,
	listedTemplates,
	readTemplate,
	SETTINGS,
	STICKY,
	templateNames,
	templateText,
	type Settings,
	type Template,
} from './templateFiles';
import { Collector, TemplateHost, type Imported } from './templateHost';

/** Every file in `templates/`: clean, described, and accepted by the editor. */

let host: TemplateHost;
const redis = new RedisStandIn();
const collector = new Collector();
/** The address of another system, and the port of Redis. */
let address: string;
let port: number;

beforeAll(async () => {
	address = await collector.open();
	port = await redis.open();
	host = await TemplateHost.start();
}, 600_000);

afterAll(async () => {
	await host?.stop();
	await collector.close();
	await redis.close();
}, 60_000);

afterEach(() => {
	for (const { provider, id } of host.sandbox.endpoints()) {
		host.sandbox.removeEndpoint(provider, id);
	}
});

/** How a template is set up for a run from its samples, and how far that run gets. */
interface SetUp {
	readonly settings?: Settings;
	/** A node that the run from each trigger reaches. */
	readonly reached: Readonly<Record<string, string>>;
	/** The error of the run, if the system that the sample is about does not exist. */
	readonly error?: string;
}

function setUps(): Record<string, SetUp> {
	const chat = { chatWebhookUrl: `${address}/hook` };
	const crm = { crmUrl: `${address}/api` };
	return {
		'bounces-and-complaints': { reached: { 'Misar Trigger': 'Suppress' } },
		'cross-post-articles': {
			settings: { siteUrl: `${address}/api/posts` },
			reached: { 'Misar.Blog Trigger': 'Remember Post' },
		},
		'endpoint-audit': { settings: chat, reached: { 'Every Monday': 'Send Report' } },
		'engagement-scoring': {
			reached: { 'Misar Trigger': 'Log', 'Every Night': 'Forget Older Ones' },
		},
		'exactly-once-intake': { reached: { 'Misar Mail': 'Mark Done' } },
		'failed-deliveries': { settings: chat, reached: { 'Every Morning': 'Failed Attempts' } },
		'nothing-missed-blog': { settings: chat, reached: { 'Every Hour': 'List Articles' } },
		'opt-outs-to-metigan': {
			settings: { ...chat, ...crm },
			reached: { 'Every Hour': 'Any Opt-outs?' },
		},
		'rotate-signing-secret': {
			reached: { Ask: 'Not Found' },
			error: 'Nothing was changed: no endpoint has this webhook URL',
		},
		'run-crashed-executions-again': {
			settings: { ...chat, n8nUrl: host.n8n.url },
			reached: { 'Every 5 Minutes': 'Crashed' },
		},
		'suppressions-metigan': {
			settings: { ...chat, ...crm },
			reached: { 'Every Hour': 'Any Removed?' },
		},
		'unsubscribe-sync': {
			settings: crm,
			reached: {
				'Misar Trigger': 'Mark as Sent',
				'Metigan Trigger': 'Mark as Sent',
				'Every Hour': 'Not Sent Yet',
			},
		},
		'webhook-intake': {
			settings: { webhookUrl: `${ORIGIN}/webhook/of-this-test` },
			reached: { 'On Publish': 'Register Endpoint', Webhook: 'Your Work' },
		},
		'webhook-problems': {
			settings: { url: `${address}/hook` },
			reached: { 'Misar Mail': 'Misar Mail' },
		},
	};
}

/** Credentials that the host does not give the nodes of a template by itself. */
function credentials({ nodes }: Template): Record<string, { type: string; data: object }> {
	const chosen: Record<string, { type: string; data: object }> = {
		Ask: { type: 'httpBasicAuth', data: { user: 'ada', password: 'not used here' } },
	};
	for (const { name, type } of nodes) {
		if (type !== 'n8n-nodes-base.redis') continue;
		chosen[name] = { type: 'redis', data: { host: '127.0.0.1', port } };
	}
	return chosen;
}

it('the overview lists every template, and nothing else', () => {
	expect(templateNames.length).toBeGreaterThan(0);
	expect(listedTemplates().sort()).toEqual(templateNames);
});

it('no two templates share an ID', () => {
	const all = templateNames.flatMap((name) => {
		const { nodes } = readTemplate(name);
		return nodes.map(({ id }) => id);
	});
	expect(new Set(all).size).toBe(all.length);
});

/** A run with an example address in the settings ends at once, and says why. */
async function expectStopped(imported: Imported): Promise<void> {
	const { template } = imported;
	if (!template.nodes.some(({ name }) => name === EDITED)) return;
	const before = links(template).find(({ to }) => to === SETTINGS);
	const run = await host.run(imported, before?.from ?? '');
	const { resultData } = (await host.n8n.execution(run)).data;
	expect(resultData.error?.message).toMatch(/"Your settings" is still the example/);
	expect(Object.keys(resultData.runData)).toEqual([before?.from, SETTINGS, EDITED, 'Edit First']);
}

describe.each(templateNames)('%s', (name) => {
	const template = () => readTemplate(name);
	const working = () => template().nodes.filter(({ type }) => type !== STICKY);

	it('connects all of its nodes, whose names are unique', () => {
		const names = template().nodes.map((node) => node.name);
		expect(new Set(names).size).toBe(names.length);
		const connected = new Set(links(template()).flatMap(({ from, to }) => [from, to]));
		expect([...connected].sort()).toEqual(
			working()
				.map((node) => node.name)
				.sort(),
		);
	});

	it('reads from left to right, then downwards, like the lines of a text', () => {
		const at = (wanted: string) => {
			const [x, y] = working().find((node) => node.name === wanted)?.position ?? [NaN, NaN];
			return { x, y };
		};
		for (const { from, to } of links(template())) {
			const forwards = at(to).x >= at(from).x || at(to).y > at(from).y;
			expect([from, to, forwards]).toEqual([from, to, true]);
		}
	});

	it('contains no secret and no personal address', () => {
		const text = templateText(name);
		expect(text).not.toMatch(/whsec_|m[a-z]k_[A-Za-z0-9]|mtg_live_|Bearer |instanceId/);
		const addresses = text.match(/[\w.+-]+@[\w-]+\.[\w.]+/g) ?? [];
		expect(addresses.filter((address) => !address.endsWith('@example.com'))).toEqual([]);
		expect(text).not.toMatch(/"credentials"/);
	});

	it('selects events with each trigger of the package', () => {
		const triggers = working().filter(
			({ type }) => type.startsWith(`${PACKAGE}.`) && type.endsWith('Trigger'),
		);
		for (const { parameters } of triggers) {
			const { events } = z.object({ events: z.array(z.string()).nonempty() }).parse(parameters);
			expect(events).not.toContain('*');
		}
	});

	it('tries again if another system may not answer, but never what starts a run', () => {
		for (const node of working().filter(({ type }) => type === 'n8n-nodes-base.httpRequest')) {
			const startsRun = String(node.parameters['url']).endsWith('/retry');
			if (startsRun) expect(node).toMatchObject({ onError: 'continueErrorOutput' });
			expect([node.name, node.retryOnFail === true]).toEqual([node.name, !startsRun]);
			expect([node.name, node.maxTries !== undefined]).toEqual([node.name, !startsRun]);
		}
	});

	it('has parameters that the editor knows and accepts', async () => {
		for (const node of template().nodes) {
			const description = await host.nodeType(node.type, node.typeVersion);
			const versions = [description.version].flat();
			expect([node.name, Math.max(...versions)]).toEqual([node.name, node.typeVersion]);
			const known = new Map(
				description.properties.map((property) => [property.name, property.options ?? []]),
			);
			expect([node.name, Object.keys(node.parameters).filter((key) => !known.has(key))]).toEqual([
				node.name,
				[],
			]);
			const issues = NodeHelpers.getNodeParametersIssues(description.properties, node, description);
			expect([node.name, issues]).toEqual([node.name, null]);
		}
	});

	it('is imported and published', async () => {
		const imported = await host.publish(name, {}, credentials(template()));
		const { id } = imported;
		expect(await host.n8n.getWorkflow(id)).toMatchObject({ active: true });
		await expectStopped(imported);
		await host.n8n.unpublish(id);
		expect(host.sandbox.endpoints()).toEqual([]);
	});

	it('runs from the sample that is pinned at each trigger', async () => {
		const { settings, reached, error } = setUps()[name] ?? { reached: {} };
		const file = readTemplate(name, settings);
		// One template has n8n store no run.
		const stored = { ...file, settings: { executionOrder: 'v1' } };
		const imported = await host.import(stored, credentials(file));
		const url = 'https://elsewhere.example.org/hook';
		host.sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'] });
		const triggers = working().filter(({ type }) => /(Trigger|\.webhook)$/.test(type));
		expect(Object.keys(reached).sort()).toEqual(triggers.map((node) => node.name).sort());
		for (const [trigger, last] of Object.entries(reached)) {
			const run = await host.n8n.execution(await host.run(imported, trigger));
			expect(run.data.resultData.error?.message).toBe(error);
			expect(outputOf(run, trigger)).toEqual(file.pinData[trigger]?.map(({ json }) => json));
			expect(Object.keys(run.data.resultData.runData)).toContain(last);
		}
	}, 120_000);
});

it.each([
	['endpoint-audit', 'Every Monday'],
	['webhook-intake', 'On Publish'],
])('%s has the output of n8n’s own trigger pinned', async (name, trigger) => {
	const file = readTemplate(name);
	const imported = await host.import({ ...file, pinData: {} });
	const run = await host.n8n.execution(await host.run(imported, trigger));
	const fields = outputOf(run, trigger).map((item) => Object.keys(item));
	expect(fields).toEqual(file.pinData[trigger]?.map(({ json }) => Object.keys(json)));
});
