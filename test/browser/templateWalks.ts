import type { Page } from 'playwright-core';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { ORIGIN, PACKAGE, SECRET } from '../../testkit/publishTrigger';
import type { Editor } from './editor';

/** The systems that the templates work with. */
export interface World {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
	/** The other system: a CRM, a site, or a chat. */
	readonly address: string;
}

/** A published template. */
export interface Published extends World {
	readonly editor: Editor;
	readonly page: Page;
	readonly id: string;
	/** Production URLs, by the names of their triggers. */
	readonly hooks: ReadonlyMap<string, string>;
}

/** How a person sets one template up and starts it. */
export interface TemplateWalk {
	readonly file: string;
	/** The nodes that need a credential, and its name. */
	readonly connect: ReadonlyArray<readonly [node: string, credential: string]>;
	/** Triggers whose Production URL is copied, to paste it elsewhere. */
	readonly pasted?: readonly string[];
	/** What is edited: fields of the node `Your settings`, or parameters of the only one that is edited. */
	settings?(world: World, hooks: Published['hooks']): Readonly<Record<string, string>>;
	run(published: Published): Promise<void>;
	/** What the other system receives. */
	readonly received?: readonly string[];
	/** How many runs the list of executions has then. */
	readonly runs: number;
}

const MISAR = 'My Misar Mail';

/** Has the sandbox deliver an event of Misar Mail to the endpoint that the trigger registered. */
async function mail({ sandbox }: World, event: string, data: object): Promise<void> {
	const endpoint = sandbox.endpoints('misar.mail').find(({ url }) => url.startsWith(ORIGIN));
	if (endpoint === undefined) throw new Error('No endpoint is registered');
	const to = { provider: 'misar.mail', endpointId: endpoint.id } as const;
	const [delivery] = await sandbox.fire({ ...to, event, data });
	if (delivery?.state !== 'delivered')
		throw new Error(`The delivery is ${delivery?.state ?? 'none'}`);
}

const reader = { email: 'reader@example.com' };

/** Every template. */
export const templateWalks: readonly TemplateWalk[] = [
	{
		file: 'bounces-and-complaints',
		connect: [['Misar Trigger', MISAR]],
		settings: () => ({ softBounceLimit: '1' }),
		run: async (world) => await mail(world, 'email.bounced', reader),
		runs: 1,
	},
	{
		file: 'unsubscribe-sync',
		connect: [
			['Misar Trigger', MISAR],
			['Metigan Trigger', 'My Metigan'],
		],
		pasted: ['Metigan Trigger'],
		settings: ({ address }) => ({ crmUrl: `${address}/api/unsubscribes` }),
		run: async (world) => {
			await mail(world, 'email.unsubscribed', reader);
			await world.sandbox.fire({
				provider: 'metigan',
				event: 'email.unsubscribed',
				data: reader,
				url: world.hooks.get('Metigan Trigger') ?? '',
				secret: SECRET,
			});
		},
		received: [
			'PUT /api/unsubscribes/reader%40example.com',
			'PUT /api/unsubscribes/reader%40example.com',
		],
		runs: 2,
	},
	{
		file: 'cross-post-articles',
		connect: [['Misar.Blog Trigger', 'My blog']],
		pasted: ['Misar.Blog Trigger'],
		settings: ({ address }) => ({ siteUrl: `${address}/api/posts` }),
		run: async ({ sandbox, hooks }) => {
			await sandbox.fire({
				provider: 'misarBlog',
				event: 'article.published',
				data: { article: { id: 'a1', title: 'First' }, author: { username: 'ada' } },
				url: hooks.get('Misar.Blog Trigger') ?? '',
				secret: SECRET,
			});
		},
		received: ['PUT /api/posts/a1'],
		runs: 1,
	},
	{
		file: 'nothing-missed-blog',
		connect: [
			['List Articles', 'My blog'],
			['Get Article', 'My blog'],
		],
		settings: ({ address }) => ({
			chatWebhookUrl: `${address}/hook`,
			since: new Date().toISOString(),
		}),
		run: async ({ sandbox, editor }) => {
			await sandbox.fire({
				provider: 'misarBlog',
				event: 'article.published',
				data: { article: { id: 'a2', title: 'Missed' }, author: { username: 'ada' } },
			});
			await editor.executeWorkflow();
		},
		received: ['POST /hook'],
		runs: 1,
	},
	{
		file: 'suppressions-metigan',
		connect: [['List Suppressions', 'My Metigan']],
		settings: ({ address }) => ({
			crmUrl: `${address}/api/suppressions`,
			chatWebhookUrl: `${address}/hook`,
		}),
		run: async ({ sandbox, editor }) => {
			await sandbox.fire({ provider: 'metigan', event: 'email.bounced', data: reader });
			await editor.executeWorkflow();
		},
		received: ['PUT /api/suppressions/reader%40example.com'],
		runs: 1,
	},
	{
		file: 'opt-outs-to-metigan',
		connect: [['Add to Metigan', 'My Metigan']],
		settings: ({ address }) => ({
			crmUrl: `${address}/api/opt-outs`,
			chatWebhookUrl: `${address}/hook`,
		}),
		// Nobody has opted out.
		run: async ({ editor }) => await editor.executeWorkflow(),
		received: ['GET /api/opt-outs'],
		runs: 1,
	},
	{
		file: 'engagement-scoring',
		connect: [['Misar Trigger', MISAR]],
		settings: () => ({ pointsForOpen: '2' }),
		run: async (world) => await mail(world, 'email.opened', reader),
		runs: 1,
	},
	{
		file: 'endpoint-audit',
		connect: [['List Endpoints', MISAR]],
		settings: ({ address }) => ({ chatWebhookUrl: `${address}/hook` }),
		run: async ({ sandbox, editor }) => {
			const url = 'https://elsewhere.example.org/hook';
			const { id } = sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'] });
			await editor.executeWorkflow();
			sandbox.removeEndpoint('misar.mail', id);
		},
		received: ['POST /hook'],
		runs: 1,
	},
	{
		file: 'failed-deliveries',
		connect: [
			['List Endpoints', MISAR],
			['Failed Attempts', MISAR],
		],
		settings: ({ address }) => ({ chatWebhookUrl: `${address}/hook`, hours: '12' }),
		run: async ({ sandbox, editor }) => {
			const url = `${ORIGIN}/nobody-listens-here`;
			const { id } = sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'] });
			const event = { event: 'email.bounced', data: reader, retry: false };
			await sandbox.fire({ provider: 'misar.mail', endpointId: id, ...event });
			await editor.executeWorkflow();
			sandbox.removeEndpoint('misar.mail', id);
		},
		received: ['POST /hook'],
		runs: 1,
	},
	{
		file: 'run-crashed-executions-again',
		connect: [
			['Running Now', 'My n8n'],
			['Crashed', 'My n8n'],
			['Run Again', 'My n8n'],
		],
		settings: ({ address, n8n }) => ({ n8nUrl: n8n.url, chatWebhookUrl: `${address}/hook` }),
		run: async ({ editor }) => await editor.executeWorkflow(),
		runs: 1,
	},
	{
		file: 'rotate-signing-secret',
		connect: [
			['Ask', 'My form'],
			['List Endpoints', MISAR],
			['New Endpoint', MISAR],
			['Test It', MISAR],
			['Delete New', MISAR],
			['Delete Old', MISAR],
		],
		run: rotate,
		// It stores no executions.
		runs: 0,
	},
	{
		file: 'exactly-once-intake',
		connect: [
			['Misar Mail', MISAR],
			['Take Lease', 'My Redis'],
			['Read Lease', 'My Redis'],
			['Set Lease Expiry', 'My Redis'],
			['Read Mark', 'My Redis'],
			['Mark Done', 'My Redis'],
		],
		settings: () => ({ leaseSeconds: '60' }),
		run: async (world) => await mail(world, 'email.bounced', reader),
		runs: 1,
	},
	{
		file: 'webhook-intake',
		connect: [
			['Register Endpoint', 'Misar Mail with a secret'],
			['Receive', 'Misar Mail with a secret'],
		],
		pasted: ['Webhook'],
		settings: (_, hooks) => ({ webhookUrl: hooks.get('Webhook') ?? '' }),
		run: async (world) => {
			// The run that publishing starts.
			await world.n8n.waitForExecutions(world.id, 1, 60_000);
			await mail(world, 'email.bounced', reader);
			// Unpublishing leaves the endpoint.
			for (const { id } of world.sandbox.endpoints('misar.mail')) {
				world.sandbox.removeEndpoint('misar.mail', id);
			}
		},
		runs: 2,
	},
	{
		file: 'webhook-problems',
		connect: [['Misar Mail', MISAR]],
		settings: ({ address }) => ({ url: `${address}/hook` }),
		run: async (world) => {
			await mail(world, 'email.bounced', reader);
			const endpoint = world.sandbox.endpoints('misar.mail')[0];
			const forged = { secret: 'whsec_of_a_forger', retry: false, endpointId: endpoint?.id ?? '' };
			await world.sandbox.fire({ provider: 'misar.mail', event: 'email.bounced', ...forged });
		},
		received: ['POST /hook'],
		runs: 2,
	},
];

/** Fills the form in, for a trigger that was registered by hand and whose credential has the new secret. */
async function rotate({ n8n, sandbox, page, id }: Published): Promise<void> {
	const secret = 'whsec_the_new_one_of_the_endpoint';
	const data = { product: 'mail', baseUrl: sandbox.url, apiKey: sandbox.keys['misar.mail'] };
	const secrets = { signingSecret: secret, previousSigningSecret: SECRET };
	const credential = await n8n.createCredential('Receiver', 'misarApi', { ...data, ...secrets });
	const webhookId = crypto.randomUUID();
	const receiver = await n8n.createWorkflow({
		name: 'Receiver',
		nodes: [
			{
				name: 'Trigger',
				type: `${PACKAGE}.misarTrigger`,
				webhookId,
				parameters: { product: 'mail', registration: 'manual', events: ['email.bounced'] },
				credentials: { misarApi: { id: credential, name: 'Receiver' } },
			},
		],
	});
	await n8n.publish(receiver.id);
	const url = `${ORIGIN}/webhook/${webhookId}/misar`;
	sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'], secret: SECRET });

	const { nodes } = await n8n.getWorkflow(id);
	const form = String(nodes.find(({ name }) => name === 'Ask')?.webhookId);
	const login = Buffer.from('ada:opens it').toString('base64');
	const visitor = await page.context().newPage();
	await visitor.setExtraHTTPHeaders({ authorization: `Basic ${login}` });
	await visitor.goto(`${n8n.url}/form/${form}`);
	await visitor.getByLabel('Webhook URL').fill(url);
	await visitor.getByLabel('New signing secret').fill(secret);
	await visitor.getByRole('button', { name: 'Submit' }).click();
	await visitor.getByText('The new secret is in use').waitFor();
	await visitor.close();
	await n8n.deleteWorkflow(receiver.id);
	for (const endpoint of sandbox.endpoints('misar.mail')) {
		sandbox.removeEndpoint('misar.mail', endpoint.id);
	}
	await n8n.deleteCredential(credential);
}
