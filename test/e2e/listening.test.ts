import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { afterEach, describe, expect, it } from '@jest/globals';

import { lastAnswer, type Fault, type Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, storeTrigger } from '../../testkit/publishTrigger';
import { metigan, misarMail, misarReach, type TriggerCase } from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import { webhookNode } from './webhookNode';

/**
 * "Listen for test event" where it cannot work or cannot end well. While `delete` of a test webhook is
 * under way, and always after it threw, n8n copies its whole state of it at every listen, which fails.
 */

const FAILED_LISTENS = 10;
/** A broken listener took more than this for each further attempt to listen. */
const GROWTH_MB = 400;
const WAIT_MS = 30_000;

let n8n: N8nHost;
let sandbox: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), { env: LAZY_ISOLATES });

afterEach(() => sandbox.clearFaults());

interface Listener {
	readonly workflowId: string;
	readonly testUrl: string;
}

/** Stores a workflow that starts with a trigger of the package, unpublished. */
async function store(
	trigger: TriggerCase,
	credential = accountOf(trigger, 'automatic', sandbox),
): Promise<Listener> {
	const bed = { n8n, sandbox };
	const { workflowId, webhookUrl } = await storeTrigger(bed, trigger, 'automatic', credential);
	return { workflowId, testUrl: webhookUrl.replace('/webhook/', '/webhook-test/') };
}

async function post(url: string): Promise<number> {
	return (await fetchOnNewConnection(n8n.toLocalUrl(url), { method: 'POST' })).status;
}

function endpointsAt(trigger: TriggerCase, { testUrl }: Listener) {
	return sandbox.endpoints(trigger.provider).filter(({ url }) => url === testUrl);
}

async function expectTestRun(workflowId: string, count = 1): Promise<void> {
	const runs = await n8n.waitForExecutions(workflowId, count);
	expect(runs).toHaveLength(count);
	expect(runs.at(-1)).toMatchObject({ mode: 'manual', status: 'success' });
}

/** Listens and gets the test event, with n8n's own Webhook node. */
async function expectOthersToListen(): Promise<void> {
	const path = randomUUID();
	const { id } = await n8n.createWorkflow({
		name: 'Elsewhere',
		nodes: [webhookNode(path)],
	});
	await n8n.listenForTestEvent(id, 'Webhook');
	expect(await post(n8n.testWebhookUrl(path))).toBe(200);
	await expectTestRun(id);
}

/** Listens and gets a signed test event, with a trigger of the package. */
async function expectToListen(
	trigger: TriggerCase,
	listener: Listener,
	runs: number,
): Promise<void> {
	await n8n.listenForTestEvent(listener.workflowId, 'Trigger');
	await fire(trigger, listener);
	await expectTestRun(listener.workflowId, runs);
	await expectToEnd(listener);
}

/** Fires an event at the newest endpoint of a listener. */
async function fire(trigger: TriggerCase, listener: Listener): Promise<void> {
	const { provider, events, scheme } = trigger;
	const endpointId = endpointsAt(trigger, listener).at(-1)?.id;
	if (endpointId === undefined) throw new Error('The trigger has registered no test endpoint');
	const [delivery] = await sandbox.fire({ provider, event: events[0], scheme, endpointId });
	expect(lastAnswer(delivery)).toBe(200);
}

/** n8n answers 404 at the test URL once it has removed the listener. */
async function expectToEnd({ testUrl }: Listener): Promise<void> {
	await until('the listener to end', WAIT_MS, async () =>
		(await post(testUrl)) === 404 ? true : undefined,
	);
}

async function untilRemoved(trigger: TriggerCase, listener: Listener): Promise<void> {
	await until(
		'the removal of the test endpoint',
		WAIT_MS,
		() => endpointsAt(trigger, listener).length === 0 || undefined,
	);
}

/** Megabytes in memory of the n8n process. */
function residentMemory(): number {
	const status = readFileSync(`/proc/${n8n.pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

describe('a failed attempt to listen', () => {
	it('says each time whether the API key is missing or wrong', async () => {
		const keyless = await store(misarMail, {});
		const wrong = await store(metigan, { apiKey: 'wrong' });
		const listen = async ({ workflowId }: Listener) =>
			await n8n.listenForTestEvent(workflowId, 'Trigger');
		await expect(listen(keyless)).rejects.toThrow('The API key is missing');
		const before = residentMemory();
		for (let times = 1; times <= FAILED_LISTENS; times++) {
			await expect(listen(keyless)).rejects.toThrow('The API key is missing');
			await expect(listen(wrong)).rejects.toThrow('did not accept the API key');
		}
		expect(residentMemory() - before).toBeLessThan(GROWTH_MB);
		for (const listener of [keyless, wrong]) expect(await post(listener.testUrl)).toBe(404);
	}, 120_000);

	it("prevents neither n8n's own nodes nor other triggers from listening", async () => {
		await expectOthersToListen();
		await expectToListen(metigan, await store(metigan), 1);
	});

	it('lets the same trigger listen once the API key is there', async () => {
		const listener = await store(misarReach);
		sandbox.fault({ provider: misarReach.provider, kind: 'scopeRefusal', times: 1_000 });
		await expect(n8n.listenForTestEvent(listener.workflowId, 'Trigger')).rejects.toThrow(
			'may not manage Misar Reach webhooks',
		);
		sandbox.clearFaults();
		await expectToListen(misarReach, listener, 1);
	});
});

/** Ways for a provider to be unreachable. */
const away: Array<[string, Fault]> = [
	['answers 500', { kind: 'status', status: 500 }],
	['ends connections', { kind: 'drop' }],
	['never answers', { kind: 'hang' }],
];

describe.each(away)('while the provider %s', (_title, fault) => {
	const trigger = misarMail;

	it('a listener that received nothing ends', async () => {
		const listener = await store(trigger);
		await n8n.listenForTestEvent(listener.workflowId, 'Trigger');
		expect(await post(listener.testUrl)).toBe(401);
		sandbox.fault({ ...fault, provider: trigger.provider, times: 1_000 });
		// The timeout after two minutes ends it by the same function.
		await n8n.stopListening(listener.workflowId);
		await expectToEnd(listener);
		await expectOthersToListen();

		sandbox.clearFaults();
		// It removes the endpoint that could not be deleted.
		await expectToListen(trigger, listener, 1);
		await untilRemoved(trigger, listener);
	}, 90_000);

	it('a listener that received its event ends', async () => {
		const listener = await store(trigger);
		await n8n.listenForTestEvent(listener.workflowId, 'Trigger');
		sandbox.fault({ ...fault, provider: trigger.provider, times: 1_000 });
		await fire(trigger, listener);
		await expectTestRun(listener.workflowId);
		await expectToEnd(listener);
		await expectOthersToListen();

		sandbox.clearFaults();
		await expectToListen(trigger, listener, 2);
	}, 90_000);
});

it("n8n's log shows no trace of a broken listener", () => {
	expect(n8n.log()).not.toMatch(/Maximum call stack|unhandled|Failed to deactivate/i);
});
