import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { NodeHelpers } from 'n8n-workflow';
import { z } from 'zod';

import { PACKAGE } from '../../testkit/publishTrigger';
import {
	EDITED,
	links,
	listedTemplates,
	readTemplate,
	SETTINGS,
	STICKY,
	templateNames,
	templateText,
} from './templateFiles';
import { TemplateHost, type Imported } from './templateHost';

/** Every file in `templates/`: clean, described, and without a complaint of the editor. */

let host: TemplateHost;

beforeAll(async () => {
	host = await TemplateHost.start();
}, 600_000);

afterAll(async () => {
	await host?.stop();
}, 60_000);

it('are all listed in the overview, and nothing else is', () => {
	expect(templateNames.length).toBeGreaterThan(0);
	expect(listedTemplates().sort()).toEqual(templateNames);
});

it('share no id', () => {
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
	const run = await host.run(imported, before?.from ?? '', { event: 'of a test' });
	const { resultData } = (await host.n8n.execution(run)).data;
	expect(resultData.error?.message).toMatch(/"Your settings" is still the example/);
	expect(Object.keys(resultData.runData)).toEqual([before?.from, SETTINGS, EDITED, 'Edit First']);
}

describe.each(templateNames)('%s', (name) => {
	const template = () => readTemplate(name);
	const working = () => template().nodes.filter(({ type }) => type !== STICKY);

	it('connects the nodes it has, each of them and each named once', () => {
		const names = template().nodes.map((node) => node.name);
		expect(new Set(names).size).toBe(names.length);
		const connected = new Set(links(template()).flatMap(({ from, to }) => [from, to]));
		expect([...connected].sort()).toEqual(
			working()
				.map((node) => node.name)
				.sort(),
		);
	});

	it('is read from left to right, and further down like the lines of a text', () => {
		const at = (wanted: string) => {
			const [x, y] = working().find((node) => node.name === wanted)?.position ?? [NaN, NaN];
			return { x, y };
		};
		for (const { from, to } of links(template())) {
			const forwards = at(to).x >= at(from).x || at(to).y > at(from).y;
			expect([from, to, forwards]).toEqual([from, to, true]);
		}
	});

	it('holds no secret and no address of a person', () => {
		const text = templateText(name);
		expect(text).not.toMatch(/whsec_|m[a-z]k_[A-Za-z0-9]|mtg_live_|Bearer |instanceId/);
		expect(text.match(/[\w.+-]+@[\w-]+\.[\w.]+/g) ?? []).toEqual([]);
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

	it('tries again where another system may not answer, and never twice what starts a run', () => {
		for (const node of working().filter(({ type }) => type === 'n8n-nodes-base.httpRequest')) {
			const startsRun = String(node.parameters['url']).endsWith('/retry');
			if (startsRun) expect(node).toMatchObject({ onError: 'continueErrorOutput' });
			expect([node.name, node.retryOnFail === true]).toEqual([node.name, !startsRun]);
			expect([node.name, node.maxTries !== undefined]).toEqual([node.name, !startsRun]);
		}
	});

	it('has parameters that the editor knows and does not complain about', async () => {
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
		// Never called while nothing is delivered.
		const redis = { type: 'redis', data: { host: '127.0.0.1', port: 1 } };
		const redisNodes = working().filter(({ type }) => type === 'n8n-nodes-base.redis');
		const imported = await host.publish(
			name,
			{},
			{
				...Object.fromEntries(redisNodes.map((node) => [node.name, redis])),
				Ask: { type: 'httpBasicAuth', data: { user: 'ada', password: 'not used here' } },
			},
		);
		const { id } = imported;
		expect(await host.n8n.getWorkflow(id)).toMatchObject({ active: true });
		await expectStopped(imported);
		await host.n8n.unpublish(id);
		expect(host.sandbox.endpoints()).toEqual([]);
	});
});
