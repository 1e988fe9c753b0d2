import events from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';

import { NodeHelpers, type INodeParameters } from 'n8n-workflow';

import { buildDelivery, lastAnswer, type Sandbox, type Tamper } from '../../sandbox';
import { outputOf, type ExecutionSummary, type N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { once } from '../../testkit/once';
import {
	accountOf,
	PACKAGE,
	publishTrigger,
	SECRET,
	type Registration,
	type TriggerWorkflow,
} from '../../testkit/publishTrigger';
import {
	mailPanda,
	metigan,
	misarBlog,
	triggerCases,
	type TriggerCase,
} from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/** The packed package, installed in a real n8n as a user would, against the sandbox. */

let n8n: N8nHost;
let sandbox: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), { env: FEW_ISOLATES });

const isN8n1 = () => n8n.version.startsWith('1.');

/** Fires one event at a workflow, registered or not, and returns the answers it got. */
async function fire(
	trigger: TriggerCase,
	{ webhookUrl }: Pick<TriggerWorkflow, 'webhookUrl'>,
	options: { tamper?: Tamper; copies?: number; retry?: boolean } = {},
): Promise<Array<number | string>> {
	const endpoint = sandbox.endpoints(trigger.provider).find(({ url }) => url === webhookUrl);
	const deliveries = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		...(endpoint === undefined ? { url: webhookUrl, secret: SECRET } : { endpointId: endpoint.id }),
		...options,
	});
	return deliveries.map(lastAnswer);
}

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
		// A shared secret does not cover the body.
		...(scheme === 'sharedSecret' ? [] : ['body' as const]),
		...(timestamped ? ['stale' as const, 'future' as const] : []),
	];
}

describe.each(cases)('%s, registered in the way "%s"', (_title, registration, trigger) => {
	const automatic = registration === 'automatic';
	const offersDelete = trigger.provider !== 'misar.reach';
	// The calls of a regular check would count as those of the test.
	const options = automatic ? { options: { checkInterval: 0 } } : {};
	const publish = async (credential: Record<string, string>) =>
		await publishTrigger({ n8n, sandbox }, trigger, registration, credential, options);
	const publishRightly = async () => await publish(accountOf(trigger, registration, sandbox));
	/** For all tests that leave it published. */
	const shared = once(publishRightly);

	/** The endpoints at the production and the test URL of a workflow. */
	const endpointsOf = ({ webhookUrl }: TriggerWorkflow) =>
		sandbox
			.endpoints(trigger.provider)
			.filter(({ url }) => url.endsWith(new URL(webhookUrl).pathname.slice('/webhook'.length)));

	/** Waits for the runs that `work` starts, which have to be so many. */
	async function runsOf(
		{ workflowId }: TriggerWorkflow,
		count: number,
		work: () => Promise<void>,
	): Promise<ExecutionSummary[]> {
		const before = (await n8n.executions(workflowId)).length;
		await work();
		const found = await n8n.waitForExecutions(workflowId, before + count);
		expect(found).toHaveLength(before + count);
		return found.slice(before);
	}

	it('publishes', async () => {
		const before = sandbox.requests().length;
		const published = await publishRightly();
		if (automatic) {
			const [endpoint, ...more] = endpointsOf(published);
			expect(more).toEqual([]);
			expect(endpoint).toMatchObject({ url: published.webhookUrl, active: true });
			expect([...(endpoint?.events ?? [])].sort()).toEqual([...trigger.events].sort());
			expect(endpoint?.secret).toMatch(/.{32}/);
		} else {
			expect(sandbox.requests()).toHaveLength(before);
		}
	});

	it('runs once for a signed delivery, with the documented output', async () => {
		const published = await shared();
		const [summary] = await runsOf(published, 1, async () => {
			expect(await fire(trigger, published)).toEqual([200]);
		});
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
				...['data', 'deliveryId', 'event', 'occurredAt', 'provider', 'recipient'],
			].sort(),
		);
	});

	it('refuses forged, unsigned and late deliveries and stores no execution', async () => {
		const published = await shared();
		await runsOf(published, 1, async () => {
			for (const tamper of forgeries(trigger)) {
				expect([tamper, await fire(trigger, published, { tamper })]).toEqual([tamper, [401]]);
			}
			// A valid one afterwards shows that no forged one was merely slower.
			expect(await fire(trigger, published)).toEqual([200]);
		});
	});

	it('runs once for copies that arrive at the same time', async () => {
		const published = await shared();
		await runsOf(published, 2, async () => {
			const answers = await fire(trigger, published, { copies: 4 });
			// A copy is put off while the first is being answered; not every provider tries again.
			expect(answers).toContain(200);
			expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
			expect(await fire(trigger, published)).toEqual([200]);
		});
	});

	it('shows no secret to those who may read the workflow or the log', async () => {
		const published = await shared();
		await runsOf(published, 1, async () => {
			expect(await fire(trigger, published)).toEqual([200]);
		});
		const shown = JSON.stringify(await n8n.getWorkflow(published.workflowId)) + n8n.log();
		const secrets = [
			SECRET,
			sandbox.keys[trigger.provider],
			...endpointsOf(published).map(({ secret }) => secret ?? SECRET),
		];
		for (const secret of secrets) expect(shown).not.toContain(secret);
	});

	it('runs for a test event that the editor listens for', async () => {
		const published = await shared();
		const before = endpointsOf(published);
		const [run] = await runsOf(published, 1, async () => {
			await n8n.listenForTestEvent(published.workflowId, 'Trigger');
			const webhookUrl = published.webhookUrl.replace('/webhook/', '/webhook-test/');
			const testUrls = endpointsOf(published).map(({ url }) => url);
			expect(testUrls.includes(webhookUrl)).toBe(automatic);
			expect(await fire(trigger, { webhookUrl })).toEqual([200]);
		});
		expect(run).toMatchObject({ mode: 'manual', status: 'success' });
		if (!offersDelete) return;
		// The trigger removes the test endpoint after n8n has removed the listener.
		await until('the test endpoint to be gone', 20_000, () =>
			endpointsOf(published).length === before.length ? true : undefined,
		);
		expect(endpointsOf(published).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
	});

	it('ends listening with an error for a forged test event, which is answered as usual', async () => {
		const published = await shared();
		const [run] = await runsOf(published, 1, async () => {
			await n8n.listenForTestEvent(published.workflowId, 'Trigger');
			const webhookUrl = published.webhookUrl.replace('/webhook/', '/webhook-test/');
			const forged = { tamper: 'signature', retry: false } as const;
			expect(await fire(trigger, { webhookUrl }, forged)).toEqual([401]);
		});
		expect(run).toMatchObject({ mode: 'manual', status: 'error' });
		const { data } = await n8n.execution(run?.id ?? '');
		expect(data.resultData.error?.message).toBe(
			'A delivery arrived and was refused: signature does not match',
		);
	});

	it('unpublishes, and leaves nothing behind if the provider allows it', async () => {
		const published = await publishRightly();
		const [before] = endpointsOf(published);
		await n8n.unpublish(published.workflowId);
		expect(await fire(trigger, published, { retry: false })).toEqual([404]);
		if (!automatic || offersDelete) {
			expect(endpointsOf(published)).toEqual([]);
			return;
		}
		expect(n8n.log()).toContain('offers no call to delete a webhook endpoint');
		await n8n.publish(published.workflowId);
		expect(endpointsOf(published)).toMatchObject([{ id: before?.id }]);
		await runsOf(published, 1, async () => {
			expect(await fire(trigger, published)).toEqual([200]);
		});
		await n8n.unpublish(published.workflowId);
	});

	it('explains why it cannot be published', async () => {
		const before = sandbox.endpoints(trigger.provider).length;
		// Where n8n 2.x shows the message, 1.x shows the description.
		const refused = isN8n1()
			? `it must be a live key of ${trigger.title}`
			: `${trigger.title} did not accept the API key`;
		await expect(publish(automatic ? { apiKey: 'wrong' } : {})).rejects.toThrow(
			automatic ? refused : 'The signing secret is missing',
		);
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(before);
	});
});

describe('a delivery whose body n8n leaves to the node', () => {
	/** Bytes; n8n's limit is 16 MiB. */
	const TOO_LARGE = 17 * 1024 * 1024;

	const published = once(
		async () =>
			await publishTrigger(
				{ n8n, sandbox },
				metigan,
				'manual',
				accountOf(metigan, 'manual', sandbox),
			),
	);

	/** @returns the status of the answer */
	async function send(headers: Record<string, string>, pack: (body: Buffer) => Buffer) {
		const { webhookUrl } = await published();
		const { provider, scheme, events } = metigan;
		const delivery = buildDelivery({ provider, scheme, event: events[0], secret: SECRET });
		const signed = new Headers(delivery.headers);
		signed.delete('content-type');
		for (const [name, value] of Object.entries(headers)) signed.set(name, value);
		const body = new Uint8Array(pack(delivery.body));
		const request = { method: 'POST', headers: signed, body };
		return (await fetchOnNewConnection(n8n.toLocalUrl(webhookUrl), request)).status;
	}

	const plain = (body: Buffer) => body;

	it.each<[string, Record<string, string>, (body: Buffer) => Buffer]>([
		['no content type', {}, plain],
		['octets', { 'content-type': 'application/octet-stream' }, plain],
		['a CloudEvent', { 'content-type': 'application/cloudevents+json' }, plain],
		['gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync],
		['gzip without a content type', { 'content-encoding': 'gzip' }, gzipSync],
	])('runs: %s', async (_what, headers, pack) => {
		const { workflowId } = await published();
		const before = (await n8n.executions(workflowId)).length;
		expect(await send(headers, pack)).toBe(200);
		expect(await n8n.waitForExecutions(workflowId, before + 1)).toHaveLength(before + 1);
	});

	it('is refused permanently if it is not gzip', async () => {
		expect(await send({ 'content-encoding': 'gzip' }, plain)).toBe(400);
	});

	it('is refused permanently if it is larger than n8n accepts', async () => {
		const { webhookUrl } = await published();
		const headers = { 'content-length': TOO_LARGE };
		const request = httpRequest(n8n.toLocalUrl(webhookUrl), { method: 'POST', headers });
		// n8n answers before it has read the body, so not all of it could be sent.
		request.write('x');
		const [response] = (await events.once(request, 'response')) as [IncomingMessage];
		request.destroy();
		expect(response.statusCode).toBe(413);
	});
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
					{ typeVersion: 2 },
					null,
				),
			)
			.map(({ displayName }) => displayName);
	}

	it.each(cases)('fits %s, registered in the way "%s"', async (_title, registration, trigger) => {
		const shown = await notices(trigger, { registration, options: {} });
		expect(shown).toHaveLength(registration === 'manual' ? 1 : 0);
		for (const text of shown) {
			expect(text).toMatch(/Production URL/);
			expect(text).toMatch(/signing secret/i);
			expect(text).toMatch(/dashboard|Settings/i);
		}
	});

	it('warns if deliveries are not verified', async () => {
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
	)('passes with the right key and fails with a wrong one: %s', async (_title, trigger) => {
		expect(await test(trigger, { apiKey: sandbox.keys[trigger.provider] })).toMatchObject({
			status: 'OK',
		});
		expect(await test(trigger, { apiKey: 'wrong' })).toMatchObject({
			status: 'Error',
			message: expect.stringMatching(/did not accept/),
		});
		expect(await test(trigger, { signingSecret: SECRET })).toMatchObject({ status: 'OK' });
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
