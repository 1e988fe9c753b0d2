import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { SECRET } from '../../testkit/publishTrigger';
import { editedNode, readTemplate, SETTINGS, STICKY, templateNames } from '../e2e/templateFiles';
import { Collector } from '../e2e/templateHost';
import { overlap, readCanvas } from './canvas';
import type { Editor } from './editor';
import { RedisStandIn } from '../e2e/redisStandIn';
import { templateWalks, type TemplateWalk, type World } from './templateWalks';
import { useEditor } from './useEditor';

/** Every template as a person sets it up: from the import to a run, by what is on the screen. */

const FOLDER = join(__dirname, '..', '..', 'templates');
/** The menu entries that the overview names, one below the other. */
const [, path = ''] =
	/\*\*⋯ → (.+?)\*\*/.exec(readFileSync(join(FOLDER, 'README.md'), 'utf8')) ?? [];
const MENU = path.split(' → ');
const WAIT_MS = 60_000;
/** The smallest scale at which the notes can still be read. */
const MIN_SCALE = 0.6;

let n8n: N8nHost;
let sandbox: Sandbox;
let collector: Collector;
let redis: RedisStandIn;
let world: World;
let page: Page;
let editor: Editor;
useEditor(
	(bed) => ({ n8n, sandbox } = bed),
	(opened) => ({ page, editor } = opened),
);

beforeAll(async () => {
	collector = new Collector();
	redis = new RedisStandIn();
	world = { n8n, sandbox, address: await collector.open() };
});

afterAll(async () => {
	await redis?.close();
	await collector?.close();
}, 60_000);

/** Two for Misar, so that there is one to choose. */
async function createCredentials(redisPort: number): Promise<void> {
	const { url: baseUrl, keys } = sandbox;
	const misar = { baseUrl, product: 'mail' };
	await n8n.createCredential('My Misar Mail', 'misarApi', { ...misar, apiKey: keys['misar.mail'] });
	const signed = { ...misar, apiKey: keys['misar.mail'], signingSecret: SECRET };
	await n8n.createCredential('Misar Mail with a secret', 'misarApi', signed);
	await n8n.createCredential('Another account', 'misarApi', { ...misar, apiKey: 'of another' });
	const blog = { baseUrl, apiKey: keys.misarBlog, signingSecret: SECRET };
	await n8n.createCredential('My blog', 'misarBlogApi', blog);
	const metigan = { baseUrl, apiKey: keys.metigan, signingSecret: SECRET };
	await n8n.createCredential('My Metigan', 'metiganApi', metigan);
	await n8n.createCredential('My Redis', 'redis', { host: '127.0.0.1', port: redisPort });
	const apiKey = await n8n.createApiKey('Template', ['execution:list', 'execution:retry']);
	await n8n.createCredential('My n8n', 'n8nApi', { apiKey, baseUrl: `${n8n.url}/api/v1` });
	await n8n.createCredential('My form', 'httpBasicAuth', { user: 'ada', password: 'opens it' });
}

it('there is a walk through every template', () => {
	expect(templateWalks.map(({ file }) => file).sort()).toEqual(templateNames);
});

it('the nodes that need a credential are red until there is one', async () => {
	const walk = templateWalks.find(({ file }) => file === 'exactly-once-intake');
	await editor.openNewWorkflow();
	await editor.importFile(MENU, join(FOLDER, `${walk?.file ?? ''}.json`));
	await until('the red nodes', WAIT_MS, async () =>
		(await editor.red.count()) === walk?.connect.length ? true : undefined,
	);
}, 180_000);

describe('a template', () => {
	beforeAll(async () => {
		await createCredentials(await redis.open());
	}, 60_000);

	it.each(templateWalks.map((walk): [string, TemplateWalk] => [walk.file, walk]))(
		'can be set up from the import to a run: %s',
		async (file, walk) => {
			await editor.openNewWorkflow();
			await editor.importFile(MENU, join(FOLDER, `${file}.json`));
			await expectReadable(file);
			const hooks = await setUp(walk);
			expect(await editor.red.count()).toBe(0);
			await editor.publish();
			await editor.closePublished();

			const id = await editor.workflowId();
			expect((await n8n.getWorkflow(id))['pinData']).toEqual(readTemplate(file).pinData);
			const before = collector.requests.length;
			await walk.run({ ...world, editor, page, id, hooks });
			await n8n.waitForExecutions(id, walk.runs, WAIT_MS);
			const received = collector.requests
				.slice(before)
				.map(({ method, path: at }) => `${method} ${at}`);
			expect(received).toEqual(walk.received ?? []);
			if (walk.runs > 0) {
				// A template's own schedule may start a run meanwhile.
				const shown = await editor.readExecutions(walk.runs);
				const succeeded = shown.filter((text) => text.includes('Succeeded'));
				expect(succeeded.length).toBeGreaterThanOrEqual(walk.runs);
				expect(shown.filter((text) => text.includes('Error'))).toEqual([]);
			}
			expect(await editor.red.count()).toBe(0);
			await n8n.unpublish(id);
		},
		240_000,
	);
});

/** Chooses the credentials and edits the settings. @returns the Production URLs that were copied */
async function setUp({
	file,
	connect,
	pasted = [],
	settings,
}: TemplateWalk): Promise<Map<string, string>> {
	const hooks = new Map<string, string>();
	for (const [node, credential] of connect) {
		await editor.openNode(node);
		await editor.chooseCredential(credential);
		await editor.closePanel();
	}
	for (const node of pasted) {
		await editor.openNode(node);
		hooks.set(node, await editor.copyProductionUrl());
		await editor.closePanel();
	}
	if (settings === undefined) return hooks;
	const edited = editedNode(readTemplate(file))?.name ?? '';
	await editor.openNode(edited);
	for (const [name, value] of Object.entries(settings(world, hooks))) {
		if (edited === SETTINGS) await editor.fillField(name, value);
		else await editor.fillParameter(name, value);
	}
	await editor.closePanel();
	return hooks;
}

/** The text of each note has to be large enough, within the note, and not behind a node. */
async function expectReadable(file: string): Promise<void> {
	const all = readTemplate(file).nodes;
	const stickies = all.filter(({ type }) => type === STICKY);
	const count = { nodes: all.length - stickies.length, notes: stickies.length };
	const { nodes, notes } = await readCanvas(page, count);
	const sum = (widths: number[]) => widths.reduce((total, width) => total + width);
	const drawn = sum(stickies.map(({ parameters }) => Number(parameters['width'])));
	expect(sum(notes.map(({ box }) => box.width)) / drawn).toBeGreaterThan(MIN_SCALE);
	for (const { box, paragraphs } of notes) {
		expect(paragraphs).not.toEqual([]);
		for (const paragraph of paragraphs) {
			expect(paragraph.y + paragraph.height).toBeLessThanOrEqual(box.y + box.height);
			expect(nodes.filter((node) => overlap(node, paragraph))).toEqual([]);
		}
	}
}
