import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { lastAnswer, type Sandbox } from '../../sandbox';
import { chain, type N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE, SECRET } from '../../testkit/publishTrigger';
import { SEARCHES } from '../../testkit/searches';
import { mailPanda, metigan, misarBlog, misarMail, type TriggerCase } from '../../testkit/triggers';
import type { Editor } from './editor';
import { keepScreenshot } from './screenshots';
import { useEditor } from './useEditor';
import { labelsInSteps, walks, type Walk } from './walks';

/** The package in n8n's own editor, used in a real browser as a person would. */

const WAIT_MS = 60_000;

let n8n: N8nHost;
let sandbox: Sandbox;
let editor: Editor;
const openEditor = useEditor(
	(bed) => ({ n8n, sandbox } = bed),
	(opened) => ({ editor } = opened),
);

describe('the search for nodes', () => {
	let searched: Page;
	let list: Editor;

	// One page for all searches: n8n's editor takes seconds to load.
	beforeAll(async () => {
		({ page: searched, editor: list } = await openEditor());
		await list.openNewWorkflow();
		await list.openNodeCreator();
	}, 180_000);

	afterAll(async () => {
		await searched.close();
	});

	it.each(SEARCHES)(
		'for "%s" finds %j',
		async (query, expected) => {
			const found = await list.searchNodes(query, expected[0] ?? '');
			expect(found).toEqual(expect.arrayContaining([...expected]));
		},
		180_000,
	);
});

describe('a trigger set up as documented', () => {
	it.each(walks.map((walk): [string, Walk] => [walk.trigger.title, walk]))(
		'receives a test event and is published: %s',
		async (_title, walk) => {
			await editor.openNewWorkflow();
			await editor.addTrigger(...walk.add);
			for (const [parameter, option] of walk.choose) await editor.choose(parameter, option);
			await editor.readScreen();
			const hook = await copyUrl(walk);
			await createCredential(walk);
			await editor.text(/^Start with an event from /).waitFor();

			await editor.listenForTestEvent();
			await fire(walk, hook.replace('/webhook/', '/webhook-test/'));
			await editor.showJson();
			await editor.output.getByText(`"${walk.event}"`).first().waitFor();
			expect(await editor.output.innerText()).toMatch(
				/"event".*"recipient".*"data".*"deliveryId".*"provider"/s,
			);
			await keepScreenshot(walk.image, await editor.screenshot());
			await until(
				'the endpoint of the test URL to be removed',
				WAIT_MS,
				() => sandbox.endpoints().every(({ url }) => !url.includes('/webhook-test/')) || undefined,
			);

			await editor.closePanel();
			expect(await editor.canvasNode()).toContain(walk.subtitle);
			await editor.readScreen();
			await editor.publish();
			await editor.text(/every chosen event of .* starts this workflow/).waitFor();
			const id = await editor.workflowId();
			expect((await n8n.getWorkflow(id)).active).toBe(true);
			await fire(walk, hook);
			const runs = await n8n.waitForExecutions(id, 2, WAIT_MS);
			expect(runs).toMatchObject([
				{ mode: 'manual', status: 'success' },
				{ mode: 'webhook', status: 'success' },
			]);
			await editor.closePublished();
			await editor.readScreen();
			expect(await editor.red.count()).toBe(0);
			const [newest] = await editor.readExecutions(2);
			expect(newest).toContain('Succeeded');

			const [document, heading] = walk.steps;
			const labels = labelsInSteps(readFileSync(document, 'utf8'), heading);
			expect(labels.length).toBeGreaterThan(3);
			expect(labels.filter((label) => !editor.seen.includes(label))).toEqual([]);
			expect(editor.seen).not.toMatch(/Couldn.t connect|Problem running|Problem in node/);
		},
		300_000,
	);

	/** Enters only the signing secret for a registration by hand, otherwise only the API key. */
	async function createCredential({ trigger, choose, byHand }: Walk): Promise<void> {
		await editor.openNewCredential();
		for (const [parameter, option] of choose) {
			if (parameter === 'product') await editor.chooseInCredential(parameter, option);
		}
		await editor.fillCredential({
			baseUrl: sandbox.url,
			...(byHand === true ? { signingSecret: SECRET } : { apiKey: sandbox.keys[trigger.provider] }),
		});
		await editor.readScreen();
		await editor.saveCredential();
	}

	/** Checks what the panel says about registration. @returns the Production URL, as copied */
	async function copyUrl({ trigger, byHand = false }: Walk): Promise<string> {
		const hook = await editor.copyProductionUrl();
		await editor.readScreen();
		expect(hook).toMatch(new RegExp(`^${ORIGIN}/webhook/[0-9a-f-]{36}/${trigger.path}$`));
		expect(await editor.notices.allInnerTexts()).toEqual(
			byHand ? [expect.stringMatching(/Production URL.*Signing Secret.*N8N_WEBHOOK_URL/s)] : [],
		);
		if (byHand) {
			const steps = await editor.notices.locator('ul > li').allInnerTexts();
			// The list has bullets: numbers in the text would be a second marker.
			expect(steps.filter((step) => /^\d/.test(step))).toEqual([]);
			expect(steps.length).toBeGreaterThan(3);
		}
		expect(await editor.hints.allInnerTexts()).toEqual(
			byHand ? [expect.stringContaining('Manual registration')] : [],
		);
		return hook;
	}

	async function fire({ trigger, event }: Walk, url: string): Promise<void> {
		const { provider, scheme } = trigger;
		const endpoint = sandbox.endpoints(provider).find((candidate) => candidate.url === url);
		const target = endpoint === undefined ? { url, secret: SECRET } : { endpointId: endpoint.id };
		const deliveries = await sandbox.fire({ provider, event, scheme, ...target });
		expect(deliveries).toMatchObject([{ state: 'delivered' }]);
	}
});

describe('a trigger that listens for a test event', () => {
	it('reports a wrong secret, then an event that is not selected, and then shows the event', async () => {
		const typed = (signingSecret: string) => ({ baseUrl: sandbox.url, signingSecret });
		const credential = await n8n.createCredential(
			'Metigan',
			metigan.credential,
			typed('whsec_mistyped'),
		);
		const webhookId = crypto.randomUUID();
		const { id } = await n8n.createWorkflow({
			name: 'Mistyped',
			nodes: [
				{
					name: 'Metigan',
					type: `${PACKAGE}.metiganTrigger`,
					webhookId,
					parameters: { registration: 'manual', events: ['email.bounced'], options: {} },
					credentials: { [metigan.credential]: { id: credential, name: 'Metigan' } },
				},
			],
		});
		const url = `${ORIGIN}/webhook-test/${webhookId}/${metigan.path}`;
		const answers = async (event: string) => {
			const { provider, scheme } = metigan;
			const to = { url, secret: SECRET, retry: false };
			const deliveries = await sandbox.fire({ provider, event, scheme, ...to });
			return deliveries.map(lastAnswer);
		};
		await editor.openWorkflow(id);
		await editor.openNode('Metigan');

		await editor.listenForTestEvent();
		expect(await answers('email.bounced')).toEqual([401]);
		await editor.error
			.getByText('A delivery arrived and was refused: signature does not match')
			.waitFor();
		await editor.output
			.getByText(/Compare the Signing Secret in the credential/)
			.first()
			.waitFor();
		await keepScreenshot('refused', await editor.screenshot());

		await n8n.updateCredential(credential, 'Metigan', metigan.credential, typed(SECRET));
		await editor.listenForTestEvent();
		expect(await answers('email.delivered')).toEqual([200]);
		await editor.error
			.getByText(
				'A delivery arrived and was ignored: event is not selected (Email Delivered, email.delivered)',
			)
			.waitFor();

		await editor.listenForTestEvent();
		expect(await answers('email.bounced')).toEqual([200]);
		await editor.showJson();
		await editor.output.getByText('"email.bounced"').first().waitFor();
		expect(await n8n.waitForExecutions(id, 3, WAIT_MS)).toMatchObject([
			{ mode: 'manual', status: 'error' },
			{ mode: 'manual', status: 'error' },
			{ mode: 'manual', status: 'success' },
		]);
	}, 300_000);
});

describe('the dialog of a credential', () => {
	it('says what may be left empty, and asks for a previous secret only beside a new one', async () => {
		await editor.openNewWorkflow();
		await editor.addTrigger('misar', 'Misar', 'On email bounced (Misar Mail)');
		await editor.openNewCredential();
		// One of n8n's own fields follows.
		expect((await editor.credentialFields()).slice(0, 4)).toEqual([
			['product', expect.anything()],
			['apiKey', expect.stringContaining('Leave empty to register by hand')],
			['signingSecret', 'Leave empty with an API key: one is generated'],
			['baseUrl', expect.stringContaining('https://api.misar.io')],
		]);
		await editor.fillCredential({ signingSecret: SECRET });
		await editor.fillCredential({ previousSigningSecret: 'the former one' });
		const fields = (await editor.credentialFields()).map(([name]) => name);
		expect(fields.slice(2, 4)).toEqual(['signingSecret', 'previousSigningSecret']);
	}, 180_000);
});

describe('a credential that does not work', () => {
	it.each<[string, Record<string, string>, RegExp]>([
		['has a wrong key', { apiKey: 'wrong' }, /Misar did not accept the API key/],
		[
			'has the address of nobody',
			{ apiKey: 'key', baseUrl: 'https://nobody.invalid' },
			/No server answers at this Base URL\. Check the spelling; it starts with https:\/\/.*ENOTFOUND|No server answers.*EAI_AGAIN/s,
		],
		[
			'has a port where nothing listens',
			{ apiKey: 'key', baseUrl: 'http://127.0.0.1:9' },
			/No server answers at this Base URL.*ECONNREFUSED/s,
		],
		[
			'has no web address',
			{ apiKey: 'key', baseUrl: 'misar' },
			/No server answers at this Base URL.*ERR_INVALID_URL|not a web address/s,
		],
	])(
		'is reported with a clear message if it %s',
		async (_what, fields, words) => {
			await editor.openNewWorkflow();
			await editor.addTrigger('misar', 'Misar', 'On email bounced (Misar Mail)');
			await editor.openNewCredential();
			await editor.fillCredential({ baseUrl: sandbox.url, ...fields });
			await editor.saveFailingCredential(words);
		},
		180_000,
	);
});

describe('the output fields of a node', () => {
	it('are shown before its first run', async () => {
		const operations: ReadonlyArray<
			[node: string, resource: string, operation: string, fields: string[]]
		> = [
			['misarBlog', 'article', 'get', ['slug', 'content_markdown']],
			['metigan', 'suppression', 'getAll', ['email', 'bounceCode']],
			['misar', 'endpoint', 'createOrUpdate', ['url', 'result']],
		];
		const nodes = operations.map(([node, resource, operation]) => ({
			name: node,
			type: `${PACKAGE}.${node}`,
			parameters: { ...(node === 'misar' ? { product: 'mail' } : {}), resource, operation },
		}));
		const start = { name: 'Start', type: 'n8n-nodes-base.manualTrigger', parameters: {} };
		const last = { name: 'Last', type: 'n8n-nodes-base.noOp', parameters: {} };
		const { id } = await n8n.createWorkflow({
			name: 'Fields before the first run',
			nodes: [start, ...nodes, last],
			connections: chain(start.name, ...nodes.map(({ name }) => name), last.name),
		});
		await editor.openWorkflow(id);
		for (const [at, [, , , fields]] of operations.entries()) {
			await editor.openNode(nodes[at + 1]?.name ?? last.name);
			await editor.panel.getByText('Usually outputs the following fields').first().waitFor();
			for (const field of fields) await editor.schemaField(field).waitFor();
			await editor.closePanel();
		}
	}, 300_000);
});

describe('the events of a trigger', () => {
	it('are offered with their meaning', async () => {
		await editor.openNewWorkflow();
		await editor.addTrigger('metigan', 'Metigan', 'On all events');
		expect(await editor.describeOption('events', 'Email Bounced')).toMatch(
			/^Email Bounced\s+Hard or soft bounce: the email was not delivered\. To try it: send an email to an address that does not exist/,
		);
	}, 180_000);

	it('are red after another product has emptied them, until some are chosen', async () => {
		const id = await storeWorkflow('Mail', 'misarTrigger', misarMail, {
			...misarMail.parameters,
			registration: 'automatic',
			events: ['email.bounced'],
		});
		await editor.openWorkflow(id);
		expect(await editor.red.count()).toBe(0);
		await editor.openNode('Mail');
		await editor.panel.getByText('Choosing another product empties Events and Options').waitFor();
		await editor.choose('product', 'Misar Reach');
		await editor.closePanel();
		await editor.red.first().waitFor();
		await editor.openNode('Mail');
		await editor.choose('events', 'Deal Won');
		await editor.closePanel();
		await editor.red.first().waitFor({ state: 'detached' });
	}, 180_000);
});

describe('the outputs of a trigger', () => {
	it.each<[options: Record<string, boolean>, labels: string[]]>([
		[{}, ['']],
		[{ reportProblems: true }, ['Event', 'Problem']],
		[
			{ reportProblems: true, outputPerEvent: true },
			['Email Opened', 'Email Bounced', 'Other', 'Problem'],
		],
	])(
		'with the options %j are %j',
		async (options, labels) => {
			const id = await storeWorkflow('Metigan', 'metiganTrigger', metigan, {
				registration: 'automatic',
				events: ['email.bounced', 'email.opened', '*'],
				options,
			});
			await editor.openWorkflow(id);
			expect(await editor.outputLabels(labels.length)).toEqual(labels);
		},
		180_000,
	);
});

describe('an action node', () => {
	it.each([
		['Misar', 'misar', misarMail],
		['Mail Panda', 'mailPanda', mailPanda],
		['Metigan', 'metigan', metigan],
	] as const)(
		'of %s lists endpoints',
		async (name, node, trigger) => {
			const url = `${ORIGIN}/webhook/listed-by-${node}`;
			sandbox.addEndpoint(trigger.provider, { url, events: [trigger.events[0]] });
			const id = await storeWorkflow(name, node, trigger, {
				resource: 'endpoint',
				operation: 'getAll',
				returnAll: false,
				limit: 50,
				...trigger.parameters,
			});
			await editor.openWorkflow(id);
			await editor.openNode(name);
			await editor.executeStep();
			await editor.showJson();
			await editor.output.getByText(url).first().waitFor();
			await keepScreenshot(node, await editor.screenshot());
			await editor.closePanel();
		},
		180_000,
	);
});

describe('the editor’s warning', () => {
	it('is shown for a trigger that accepts deliveries without a secret', async () => {
		const id = await storeWorkflow('Blog', 'misarBlogTrigger', misarBlog, {
			events: ['article.published'],
			options: { acceptUnverified: true },
		});
		await editor.openWorkflow(id);
		await editor.openNode('Blog');
		await editor.hints.filter({ hasText: 'verification is off' }).waitFor();
		await editor.notices.filter({ hasText: 'Verification may be off' }).waitFor();
	}, 180_000);

	it('explains why a webhook URL that only this machine can reach is not registered', async () => {
		await n8n.restart({ webhookUrl: 'http://localhost:5678' });
		await editor.load();
		const id = await storeWorkflow(
			'Local',
			'misarTrigger',
			misarMail,
			{
				...misarMail.parameters,
				registration: 'automatic',
				events: ['email.bounced'],
			},
			'https://api.misar.io',
		);
		await editor.openWorkflow(id);
		await editor.publish();
		await editor.text(/http:\/\/localhost:5678 can only be reached from this machine/).waitFor();
		// From n8n 2.41 on the workflow counts as active all the same: nothing is registered, though.
		const { staticData } = await n8n.getWorkflow(id);
		expect(JSON.stringify(staticData ?? {})).not.toContain('endpointId');
	}, 300_000);
});

/** A workflow that starts with the node, or by hand where the node is an action. */
async function storeWorkflow(
	name: string,
	node: string,
	trigger: TriggerCase,
	parameters: object,
	baseUrl = sandbox.url,
): Promise<string> {
	const credential = await n8n.createCredential(name, trigger.credential, {
		...trigger.parameters,
		baseUrl,
		apiKey: sandbox.keys[trigger.provider],
	});
	const isTrigger = node.endsWith('Trigger');
	const { id } = await n8n.createWorkflow({
		name,
		nodes: [
			...(isTrigger ? [] : [{ name: 'By hand', type: 'n8n-nodes-base.manualTrigger' }]),
			{
				name,
				type: `${PACKAGE}.${node}`,
				...(isTrigger ? { webhookId: crypto.randomUUID() } : {}),
				parameters: { ...parameters },
				credentials: { [trigger.credential]: { id: credential, name } },
			},
		],
		connections: isTrigger ? {} : chain('By hand', name),
	});
	return id;
}
