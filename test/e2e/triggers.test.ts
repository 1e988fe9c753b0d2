import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { NodeHelpers, type INodeParameters } from 'n8n-workflow';

import { startSandbox, type Sandbox, type Tamper } from '../../sandbox';
import { chain, outputOf, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { until } from '../../testkit/n8n-host/poll';
import {
	eventParameters,
	mailPanda,
	misarBlog,
	triggerCases,
	type TriggerCase,
} from '../../testkit/triggers';

/** The packed package, installed in a real n8n as a user would, against the sandbox. */

const ORIGIN = 'https://n8n.example.com';
const PACKAGE = 'n8n-nodes-misar-metigan';
const SECRET = 'whsec_chosen_in_the_dashboard';

let n8n: N8nHost;
let sandbox: Sandbox;

beforeAll(async () => {
	const tarball = packedPackage();
	sandbox = await startSandbox();
	n8n = await startN8n({ tarball, webhookUrl: ORIGIN });
	sandbox.setRoute(ORIGIN, n8n.url);
}, 600_000);

afterAll(async () => {
	await n8n?.stop();
	await sandbox?.close();
}, 60_000);

const isN8n1 = () => n8n.version.startsWith('1.');

interface Published {
	readonly workflowId: string;
	/** What the provider was told, or would be by hand. */
	readonly webhookUrl: string;
}

async function createWorkflow(
	trigger: TriggerCase,
	registration: Registration,
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
				parameters: { ...trigger.parameters, registration, ...eventParameters(trigger) },
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
	options: { tamper?: Tamper; copies?: number; retry?: boolean } = {},
): Promise<Array<number | undefined>> {
	const endpoint = sandbox.endpoints(trigger.provider).find(({ url }) => url === webhookUrl);
	const deliveries = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		...(endpoint === undefined ? { url: webhookUrl, secret: SECRET } : { endpointId: endpoint.id }),
		...options,
	});
	return deliveries.map(({ attempts }) => attempts.at(-1)?.status);
}

type Registration = 'automatic' | 'manual';

/** Every trigger and product in the registration it starts with, and both where there is a choice. */
const cases: Array<[string, Registration, TriggerCase]> = triggerCases.flatMap((trigger) => {
	const both: Registration[] = trigger.api === undefined ? ['manual'] : ['automatic', 'manual'];
	return both.map((registration): [string, Registration, TriggerCase] => [
		trigger.title,
		registration,
		trigger,
	]);
});

/** What a forger can do to a delivery of this scheme. */
function forgeries({ scheme, timestamped }: TriggerCase): Tamper[] {
	return [
		'signature',
		'wrongSecret',
		'unsigned',
		// A shared secret vouches for no body.
		...(scheme === 'sharedSecret' ? [] : ['body' as const]),
		...(timestamped ? ['stale' as const, 'future' as const] : []),
	];
}

describe.each(cases)('%s, registered in the way "%s"', (_title, registration, trigger) => {
	const automatic = registration === 'automatic';
	const offersDelete = trigger.provider !== 'misar.reach';
	const credential = () =>
		automatic ? { apiKey: sandbox.keys[trigger.provider] } : { signingSecret: SECRET };
	let published: Published;
	const endpoints = () =>
		sandbox
			.endpoints(trigger.provider)
			.filter(({ url }) =>
				url.endsWith(new URL(published.webhookUrl).pathname.slice('/webhook'.length)),
			);
	const executions = async (count: number) => {
		const found = await n8n.waitForExecutions(published.workflowId, count);
		expect(found).toHaveLength(count);
		return found;
	};

	it('publishes', async () => {
		published = await createWorkflow(trigger, registration, credential());
		const before = sandbox.requests().length;
		await n8n.publish(published.workflowId);
		if (automatic) {
			expect(endpoints()).toMatchObject([{ url: published.webhookUrl, active: true }]);
			expect([...(endpoints()[0]?.events ?? [])].sort()).toEqual([...trigger.events].sort());
			expect(endpoints()[0]?.secret).toMatch(/.{32}/);
		} else {
			expect(sandbox.requests()).toHaveLength(before);
		}
	});

	it('runs once for a signed delivery, with the documented output', async () => {
		expect(await fire(trigger, published)).toEqual([200]);
		const [summary] = await executions(1);
		expect(summary).toMatchObject({ status: 'success', mode: 'webhook' });
		const execution = await n8n.execution(summary?.id ?? '');
		const [output, ...more] = outputOf(execution, 'After');
		expect(more).toEqual([]);
		expect(output).toMatchObject({
			...trigger.parameters,
			provider: trigger.node.replace('Trigger', ''),
			event: trigger.events[0],
			deliveryId: expect.stringMatching(/./),
			data: expect.anything(),
		});
		expect(Object.keys(output ?? {}).sort()).toEqual(
			[
				...Object.keys(trigger.parameters),
				...['data', 'deliveryId', 'event', 'occurredAt', 'provider'],
			].sort(),
		);
	});

	it('refuses forged, unsigned and late deliveries and stores no execution', async () => {
		for (const tamper of forgeries(trigger)) {
			expect([tamper, await fire(trigger, published, { tamper })]).toEqual([tamper, [401]]);
		}
		// A good one afterwards shows that no forged one was merely slower.
		expect(await fire(trigger, published)).toEqual([200]);
		await executions(2);
	});

	it('runs once for copies that come at once', async () => {
		const answers = await fire(trigger, published, { copies: 4 });
		// A copy is put off while the first is being answered; not every provider tries again.
		expect(answers).toContain(200);
		expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
		expect(await fire(trigger, published)).toEqual([200]);
		await executions(4);
	});

	it('shows no secret to those who may read the workflow or the log', async () => {
		const shown = JSON.stringify(await n8n.getWorkflow(published.workflowId)) + n8n.log();
		const secrets = [
			SECRET,
			sandbox.keys[trigger.provider],
			...endpoints().map(({ secret }) => secret ?? SECRET),
		];
		for (const secret of secrets) expect(shown).not.toContain(secret);
	});

	it('runs for a test event that the editor listens for', async () => {
		const before = endpoints();
		await n8n.listenForTestEvent(published.workflowId, 'Trigger');
		const webhookUrl = published.webhookUrl.replace('/webhook/', '/webhook-test/');
		const testUrls = endpoints().map(({ url }) => url);
		expect(testUrls.includes(webhookUrl)).toBe(automatic);
		expect(await fire(trigger, { ...published, webhookUrl })).toEqual([200]);
		const found = await executions(5);
		expect(found.at(-1)).toMatchObject({ mode: 'manual', status: 'success' });
		if (!offersDelete) return;
		// n8n removes the test endpoint after the run, in the background.
		await until('the test endpoint to be gone', 20_000, () =>
			endpoints().length === before.length ? true : undefined,
		);
		expect(endpoints().map(({ id }) => id)).toEqual(before.map(({ id }) => id));
	});

	it('unpublishes, and leaves nothing behind where the provider allows it', async () => {
		const [before] = endpoints();
		await n8n.unpublish(published.workflowId);
		expect(await fire(trigger, published, { retry: false })).toEqual([404]);
		if (!automatic || offersDelete) {
			expect(endpoints()).toEqual([]);
			return;
		}
		expect(n8n.log()).toContain('offers no call to delete a webhook endpoint');
		await n8n.publish(published.workflowId);
		expect(endpoints().filter(({ url }) => url === published.webhookUrl)).toMatchObject([
			{ id: before?.id },
		]);
		expect(await fire(trigger, published)).toEqual([200]);
		await executions(6);
		await n8n.unpublish(published.workflowId);
	});

	it('tells in its own words why a publish cannot work', async () => {
		const before = sandbox.endpoints(trigger.provider).length;
		const { workflowId } = await createWorkflow(
			trigger,
			registration,
			automatic ? { apiKey: 'wrong' } : {},
		);
		// Where n8n 2.x shows the message, 1.x shows the description.
		const refused = isN8n1()
			? `it must be a live key of ${trigger.title}`
			: `${trigger.title} did not accept the API key`;
		await expect(n8n.publish(workflowId)).rejects.toThrow(
			automatic ? refused : 'The signing secret is missing',
		);
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(before);
	});
});

describe('a restart of n8n', () => {
	it('leaves every trigger with its single endpoint, and deliveries go on', async () => {
		const published: Array<[TriggerCase, Published]> = [];
		for (const trigger of triggerCases.filter(({ api }) => api !== undefined)) {
			const apiKey = sandbox.keys[trigger.provider];
			const workflow = await createWorkflow(trigger, 'automatic', { apiKey });
			await n8n.publish(workflow.workflowId);
			published.push([trigger, workflow]);
		}
		const at = (trigger: TriggerCase, { webhookUrl }: Published) =>
			sandbox.endpoints(trigger.provider).filter(({ url }) => url === webhookUrl);
		const before = published.map(([trigger, workflow]) => at(trigger, workflow)[0]?.id);

		await n8n.restart();
		for (const [index, [trigger, workflow]] of published.entries()) {
			expect(at(trigger, workflow)).toMatchObject([{ id: before[index] }]);
			expect(await fire(trigger, workflow)).toEqual([200]);
			expect(await n8n.waitForExecutions(workflow.workflowId, 1)).toHaveLength(1);
		}

		// The address of n8n changes: the endpoints move along, none stays behind.
		await n8n.restart({ webhookUrl: 'https://moved.example.com' });
		sandbox.setRoute('https://moved.example.com', n8n.url);
		for (const [trigger, workflow] of published) {
			await n8n.publish(workflow.workflowId);
			const webhookUrl = workflow.webhookUrl.replace(ORIGIN, 'https://moved.example.com');
			const moved = { ...workflow, webhookUrl };
			// n8n 1.x leaves a published workflow alone, and tries again by itself what failed at its start.
			// A delivery that comes before it has saved what it registered is put off with 503.
			const answer = await until(`deliveries of ${trigger.title} to go on`, 30_000, async () => {
				if (at(trigger, moved).length === 0) return undefined;
				const status = (await fire(trigger, moved)).at(-1);
				return status === 503 ? undefined : status;
			});
			expect(answer).toBe(200);
			expect(at(trigger, moved)).toHaveLength(1);
			if (trigger.provider !== 'misar.reach') expect(at(trigger, workflow)).toEqual([]);
		}
	}, 180_000);
});

describe('the panel of a node', () => {
	/** The notices that the editor shows for these parameters. */
	async function notices(trigger: TriggerCase, parameters: INodeParameters): Promise<string[]> {
		const type = `${PACKAGE}.${trigger.node}`;
		const description = await n8n.nodeType(type);
		return description.properties
			.filter((property) => property.type === 'notice')
			.filter((property) =>
				NodeHelpers.displayParameter(
					{ ...trigger.parameters, ...parameters },
					property,
					{ typeVersion: 1 },
					null,
				),
			)
			.map(({ displayName }) => displayName);
	}

	it.each(cases)('of %s, registered in the way "%s"', async (_title, registration, trigger) => {
		const shown = await notices(trigger, { registration, options: {} });
		expect(shown).toHaveLength(registration === 'manual' ? 1 : 0);
		for (const text of shown) {
			expect(text).toMatch(/Production URL/);
			expect(text).toMatch(/signing secret/i);
			expect(text).toMatch(/dashboard|Settings/i);
		}
	});

	it('warns when nothing vouches for deliveries', async () => {
		const shown = await notices(misarBlog, { options: { acceptUnverified: true } });
		expect(shown).toContainEqual(expect.stringContaining('Verification may be off'));
	});
});

describe('the test of a credential', () => {
	const test = async (trigger: TriggerCase, data: Record<string, string>) => {
		const id = await n8n.createCredential('tested', trigger.credential, {
			...trigger.parameters,
			baseUrl: sandbox.url,
			...data,
		});
		return await n8n.testCredential(id);
	};

	it.each(
		triggerCases
			.filter(({ provider }) => !['misar.dev', 'misar.ai', 'misar.ink'].includes(provider))
			.map((trigger): [string, TriggerCase] => [trigger.title, trigger]),
	)('calls %s', async (_title, trigger) => {
		expect(await test(trigger, { apiKey: sandbox.keys[trigger.provider] })).toMatchObject({
			status: 'OK',
		});
		expect(await test(trigger, { apiKey: 'wrong' })).toMatchObject({
			status: 'Error',
			// n8n 1.x puts its own words in the place of the credential's.
			message: expect.stringMatching(isN8n1() ? /Authorization failed/ : /did not accept/),
		});
	});

	it('signs in to Mail Panda with email and password', async () => {
		const authentication = 'session';
		expect(await test(mailPanda, { authentication, ...sandbox.login })).toMatchObject({
			status: 'OK',
		});
		expect(
			await test(mailPanda, { authentication, ...sandbox.login, password: 'wrong' }),
		).toMatchObject({ status: 'Error' });
	});
});
