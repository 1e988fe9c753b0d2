import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startSandbox, type Sandbox, type Tamper } from '../../sandbox';
import { chain, outputOf, startN8n, type N8nHost } from '../n8n-host/driver';
import { until } from '../n8n-host/poll';
import { misarMail, metigan, type TriggerCase } from '../triggers';

/** The packed package, installed in a real n8n as a user would, against the sandbox. */

const ORIGIN = 'https://n8n.example.com';
const PACKAGE = 'n8n-nodes-misar-metigan';
const SECRET = 'whsec_chosen_in_the_dashboard';

let n8n: N8nHost;
let sandbox: Sandbox;

beforeAll(async () => {
	const tarball = process.env['PACKAGE_TARBALL'];
	if (tarball === undefined) throw new Error('PACKAGE_TARBALL is not set: run npm run test:e2e');
	sandbox = await startSandbox();
	n8n = await startN8n({ tarball, webhookUrl: ORIGIN });
	sandbox.setRoute(ORIGIN, n8n.url);
}, 600_000);

afterAll(async () => {
	await n8n?.stop();
	await sandbox?.close();
}, 60_000);

interface Published {
	readonly workflowId: string;
	/** What the provider was told, or would be by hand. */
	readonly webhookUrl: string;
}

async function createWorkflow(
	trigger: TriggerCase,
	registration: 'automatic' | 'manual',
	credential: Record<string, string>,
): Promise<Published> {
	const title = `${trigger.title} ${registration}`;
	const credentialId = await n8n.createCredential(title, trigger.credential, {
		...trigger.parameters,
		baseUrl: sandbox.url,
		...credential,
	});
	const webhookId = crypto.randomUUID();
	const { id } = await n8n.createWorkflow({
		name: title,
		nodes: [
			{
				name: 'Trigger',
				type: `${PACKAGE}.${trigger.node}`,
				webhookId,
				parameters: { ...trigger.parameters, registration, events: [...trigger.events] },
				credentials: { [trigger.credential]: { id: credentialId, name: title } },
			},
			{ name: 'After', type: 'n8n-nodes-base.noOp' },
		],
		connections: chain('Trigger', 'After'),
	});
	return { workflowId: id, webhookUrl: `${ORIGIN}/webhook/${webhookId}/${trigger.path}` };
}

/** Fires one event at a workflow, registered or not, and returns the answers it got. */
async function fire(
	trigger: TriggerCase,
	{ webhookUrl }: Published,
	options: { id?: string; tamper?: Tamper; copies?: number; secret?: string } = {},
): Promise<Array<number | undefined>> {
	const { secret, ...rest } = options;
	const endpoint = sandbox.endpoints(trigger.provider).find(({ url }) => url === webhookUrl);
	const deliveries = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		...(endpoint === undefined
			? { url: webhookUrl, secret: secret ?? SECRET }
			: { endpointId: endpoint.id }),
		...rest,
	});
	return deliveries.map(({ attempts }) => attempts.at(-1)?.status);
}

describe.each<[TriggerCase, 'automatic' | 'manual']>([
	[misarMail, 'automatic'],
	[misarMail, 'manual'],
	[metigan, 'automatic'],
	[metigan, 'manual'],
])('$title in a real n8n', (trigger, registration) => {
	const automatic = registration === 'automatic';
	let published: Published;
	const endpoints = () => sandbox.endpoints(trigger.provider);
	const executions = async (count: number) => {
		const found = await n8n.waitForExecutions(published.workflowId, count);
		expect(found).toHaveLength(count);
		return found;
	};

	it(`tests its credential (${registration})`, async () => {
		const data = { ...trigger.parameters, baseUrl: sandbox.url };
		const good = await n8n.createCredential('good', trigger.credential, {
			...data,
			apiKey: sandbox.keys[trigger.provider],
		});
		const bad = await n8n.createCredential('bad', trigger.credential, { ...data, apiKey: 'wrong' });
		expect(await n8n.testCredential(good)).toMatchObject({ status: 'OK' });
		expect(await n8n.testCredential(bad)).toMatchObject({
			status: 'Error',
			message: expect.stringMatching(/did not accept the API key/),
		});
	});

	it(`publishes (${registration})`, async () => {
		published = await createWorkflow(
			trigger,
			registration,
			automatic ? { apiKey: sandbox.keys[trigger.provider] } : { signingSecret: SECRET },
		);
		const before = sandbox.requests().length;
		await n8n.publish(published.workflowId);
		if (automatic) {
			expect(endpoints()).toMatchObject([{ url: published.webhookUrl, active: true }]);
			expect([...(endpoints()[0]?.events ?? [])].sort()).toEqual([...trigger.events].sort());
			expect(endpoints()[0]?.secret).toMatch(/^whsec_.{32}/);
		} else {
			expect(sandbox.requests()).toHaveLength(before);
		}
	});

	it(`runs once for a signed delivery, with the documented output (${registration})`, async () => {
		expect(await fire(trigger, published, { id: 'evt_first' })).toEqual([200]);
		const [summary] = await executions(1);
		expect(summary).toMatchObject({ status: 'success', mode: 'webhook' });
		const execution = await n8n.execution(summary?.id ?? '');
		expect(outputOf(execution, 'After')).toMatchObject([
			{
				...trigger.parameters,
				provider: trigger.node.replace('Trigger', ''),
				event: trigger.events[0],
				deliveryId: expect.stringContaining('evt_first'),
				occurredAt: expect.stringMatching(/^\d{4}-.*Z$/),
				data: expect.anything(),
			},
		]);
	});

	it(`refuses forged, unsigned and late deliveries and stores no execution (${registration})`, async () => {
		const forged: Tamper[] = ['body', 'signature', 'wrongSecret', 'unsigned', 'stale', 'future'];
		for (const tamper of forged) expect(await fire(trigger, published, { tamper })).toEqual([401]);
		// A good one afterwards shows that no forged one was merely slower.
		expect(await fire(trigger, published)).toEqual([200]);
		await executions(2);
	});

	it(`runs once for copies that come at once and later (${registration})`, async () => {
		const answers = await fire(trigger, published, { id: 'evt_copied', copies: 4 });
		expect(answers).toEqual([200, 200, 200, 200]);
		expect(await fire(trigger, published, { id: 'evt_other' })).toEqual([200]);
		await executions(4);
	});

	it(`shows no secret to those who may read the workflow (${registration})`, async () => {
		const shown = JSON.stringify(await n8n.getWorkflow(published.workflowId));
		const secrets = [
			SECRET,
			sandbox.keys[trigger.provider],
			...endpoints().map(({ secret }) => secret ?? SECRET),
		];
		for (const secret of secrets) expect(shown).not.toContain(secret);
		for (const secret of secrets) expect(n8n.log()).not.toContain(secret);
	});

	it(`goes on after a restart, with the same single endpoint (${registration})`, async () => {
		const before = endpoints();
		await n8n.restart();
		expect(endpoints()).toEqual(
			before.map((endpoint) => expect.objectContaining({ id: endpoint.id })),
		);
		expect(await fire(trigger, published)).toEqual([200]);
		await executions(5);
	}, 120_000);

	it(`registers a test URL of its own while listening for a test event (${registration})`, async () => {
		const before = endpoints();
		await n8n.listenForTestEvent(published.workflowId, 'Trigger');
		const testUrl = published.webhookUrl.replace('/webhook/', '/webhook-test/');
		if (automatic) expect(endpoints().map(({ url }) => url)).toContain(testUrl);
		expect(await fire(trigger, { ...published, webhookUrl: testUrl })).toEqual([200]);
		const found = await executions(6);
		expect(found.at(-1)).toMatchObject({ mode: 'manual', status: 'success' });
		// n8n removes the test endpoint after the run, in the background.
		await until('the test endpoint to be gone', 20_000, async () =>
			endpoints().length === before.length ? true : undefined,
		);
		expect(endpoints().map(({ id }) => id)).toEqual(before.map(({ id }) => id));
	});

	it(`unpublishes and leaves nothing behind (${registration})`, async () => {
		await n8n.unpublish(published.workflowId);
		expect(endpoints()).toEqual([]);
		expect(await fire(trigger, published, {})).not.toEqual([200]);
	});

	it(`shows its own words when a publish cannot work (${registration})`, async () => {
		const { workflowId } = await createWorkflow(
			trigger,
			registration,
			automatic ? { apiKey: 'wrong' } : {},
		);
		await expect(n8n.publish(workflowId)).rejects.toThrow(
			automatic ? `${trigger.title} did not accept the API key` : 'The signing secret is missing',
		);
		expect(endpoints()).toEqual([]);
	});
});
