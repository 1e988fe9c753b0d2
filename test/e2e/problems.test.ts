import { randomUUID } from 'node:crypto';

import { afterAll, expect, it } from '@jest/globals';

import { lastAnswer, startSandbox, type Sandbox } from '../../sandbox';
import { outputOf, type N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import {
	accountOf,
	ORIGIN,
	publishTrigger,
	SECRET,
	triggerNode,
	type TriggerWorkflow,
} from '../../testkit/publishTrigger';
import { metigan, misarMail, type TriggerCase } from '../../testkit/triggers';
import { useN8nAlone } from '../useN8n';

/** Each kind of problem, as it comes out of a trigger with Report Problems on in a real n8n. */

const OLD_SECRET = 'whsec_before_the_rotation_0123456789';
const FORGED = 400;
/** A check comes once a minute here. */
const REPORTED_MS = 200_000;

const sandboxes: Sandbox[] = [];
let n8n: N8nHost;

useN8nAlone((started) => (n8n = started), { env: LAZY_ISOLATES });

afterAll(async () => {
	await Promise.all(sandboxes.map(async (sandbox) => await sandbox.close()));
}, 60_000);

async function openSandbox(): Promise<Sandbox> {
	const sandbox = await startSandbox();
	sandboxes.push(sandbox);
	sandbox.setRoute(ORIGIN, n8n.url);
	return sandbox;
}

/** A published trigger that is checked each minute and reports problems. */
async function publishReporting(trigger: TriggerCase, sandbox: Sandbox): Promise<TriggerWorkflow> {
	const account = accountOf(trigger, 'automatic', sandbox);
	const options = { checkInterval: 1, reportProblems: true };
	return await publishTrigger({ n8n, sandbox }, trigger, 'automatic', account, { options });
}

/** The items of all runs of a trigger, by its outputs Event and Problem. */
async function outputsOf({ workflowId }: TriggerWorkflow) {
	const runs = await n8n.executions(workflowId);
	const executions = await Promise.all(runs.map(async ({ id }) => await n8n.execution(id)));
	return {
		runs,
		events: executions.flatMap((execution) => outputOf(execution, 'Trigger', 0)),
		problems: executions.flatMap((execution) => outputOf(execution, 'Trigger', 1)),
	};
}

async function reported(workflow: TriggerWorkflow, kind: string) {
	return await until(`the problem ${kind}`, REPORTED_MS, async () => {
		const { problems } = await outputsOf(workflow);
		return problems.find(({ problem }) => problem === kind);
	});
}

/** Sends an event, and returns the answers it got. */
async function fire(
	{ provider, scheme, events: [event] }: TriggerCase,
	sandbox: Sandbox,
	more: Partial<Omit<Parameters<Sandbox['fire']>[0], 'provider'>> = {},
) {
	const deliveries = await sandbox.fire({ provider, event, scheme, retry: false, ...more });
	return deliveries.map(lastAnswer);
}

it.concurrent(
	'a flood of forged deliveries is reported as one problem',
	async () => {
		const sandbox = await openSandbox();
		const workflow = await publishReporting(metigan, sandbox);
		// Not through the endpoint, which Metigan disables after ten failures.
		const forged = { url: workflow.webhookUrl, secret: 'whsec_of_a_forger', copies: 20 };
		for (let sent = 0; sent < FORGED; sent += forged.copies) {
			const statuses = await fire(metigan, sandbox, forged);
			expect(new Set(statuses)).toEqual(new Set([401]));
		}
		expect(await fire(metigan, sandbox)).toEqual([200]);
		expect(await reported(workflow, 'deliveriesRefused')).toMatchObject({
			provider: 'metigan',
			count: 1,
			reasons: { 'signature does not match': 1 },
			message: expect.stringMatching(
				new RegExp(
					`: signature does not match\\. No valid delivery has arrived since n8n started: .* http\\S+/workflow/${workflow.workflowId}$`,
				),
			),
		});
		const { runs, events, problems } = await outputsOf(workflow);
		expect(events).toMatchObject([{ event: metigan.events[0] }]);
		expect(problems).toHaveLength(1);
		expect(runs).toHaveLength(2);
	},
	REPORTED_MS + 60_000,
);

it.concurrent(
	'a delivery that the previous secret verifies is reported, and so is an event of another shape',
	async () => {
		const sandbox = await openSandbox();
		const account = { signingSecret: SECRET, previousSigningSecret: OLD_SECRET };
		const options = { reportProblems: true };
		const bed = { n8n, sandbox };
		const workflow = await publishTrigger(bed, metigan, 'manual', account, { options });
		const to = { url: workflow.webhookUrl, secret: OLD_SECRET };
		expect(await fire(metigan, sandbox, { ...to, data: { unheard: 'of' } })).toEqual([200]);
		expect(await reported(workflow, 'verifiedByPreviousSecret')).toMatchObject({ count: 1 });
		const unknown = await reported(workflow, 'eventsUnknown');
		expect(unknown).toMatchObject({ events: { [metigan.events[0]]: 1 } });
		expect(JSON.stringify(unknown)).not.toContain('unheard');
		expect((await outputsOf(workflow)).events).toHaveLength(1);
	},
	REPORTED_MS + 60_000,
);

it.concurrent(
	'a deleted endpoint that was registered again is reported',
	async () => {
		const sandbox = await openSandbox();
		const workflow = await publishReporting(misarMail, sandbox);
		const [own] = sandbox.endpoints(misarMail.provider);
		sandbox.removeEndpoint(misarMail.provider, own?.id ?? '');
		const problem = await reported(workflow, 'endpointRepaired');
		const [present] = sandbox.endpoints(misarMail.provider);
		expect(problem).toMatchObject({
			provider: 'misar',
			product: 'mail',
			wrong: ['deleted'],
			endpointId: present?.id,
		});
		expect(present?.id).not.toBe(own?.id);
		// The other run saved the registration, and output nothing.
		const { events, problems } = await outputsOf(workflow);
		expect(events).toEqual([]);
		expect(problems).toHaveLength(1);
	},
	REPORTED_MS + 60_000,
);

it.concurrent(
	'a provider that failed at two checks is reported',
	async () => {
		const sandbox = await openSandbox();
		const workflow = await publishReporting(misarMail, sandbox);
		sandbox.fault({ kind: 'status', status: 500, times: Number.POSITIVE_INFINITY });
		const problem = await reported(workflow, 'endpointUnreachable');
		expect(problem).toMatchObject({
			since: expect.any(String),
			reason: expect.stringContaining('HTTP 500'),
		});
		expect(JSON.stringify(problem)).not.toContain(sandbox.keys[misarMail.provider]);
		expect(sandbox.requests().filter(({ status }) => status === 500)).toHaveLength(2);
		expect((await outputsOf(workflow)).problems).toHaveLength(1);
	},
	REPORTED_MS + 60_000,
);

it.concurrent(
	'nothing is reported while the option is off, and the trigger has one output',
	async () => {
		const sandbox = await openSandbox();
		const account = accountOf(metigan, 'automatic', sandbox);
		const bed = { n8n, sandbox };
		const workflow = await publishTrigger(bed, metigan, 'automatic', account);
		expect(await fire(metigan, sandbox, { tamper: 'signature' })).toEqual([401]);
		expect(await fire(metigan, sandbox)).toEqual([200]);
		const [run, ...others] = await n8n.waitForExecutions(workflow.workflowId, 1);
		expect(others).toEqual([]);
		const execution = await n8n.execution(run?.id ?? '');
		expect(execution.data.resultData.runData['Trigger']?.[0]?.data?.main).toHaveLength(1);
	},
	REPORTED_MS,
);

it.concurrent(
	'with an output per event, each event, recovered event and problem leaves by its own, even after the events changed',
	async () => {
		const sandbox = await openSandbox();
		const credential = await n8n.createCredential(metigan.title, metigan.credential, {
			...{ baseUrl: sandbox.url, apiKey: sandbox.keys.metigan, signingSecret: SECRET },
		});
		const webhookId = randomUUID();
		/** A trigger with a node at each output, named like the output. */
		const workflow = (events: string[], outputs: string[]) => ({
			name: 'Output per Event',
			nodes: [
				triggerNode(
					metigan,
					credential,
					{
						registration: 'manual',
						events,
						options: {
							...{ outputPerEvent: true, reportProblems: true },
							...{ recoverMissed: true, checkInterval: 1 },
						},
					},
					{ webhookId },
				),
				...outputs.map((name) => ({ name, type: 'n8n-nodes-base.noOp' })),
			],
			connections: {
				Trigger: { main: outputs.map((node) => [{ node, type: 'main', index: 0 }]) },
			},
		});
		const { id } = await n8n.createWorkflow(
			workflow(['email.bounced', 'email.opened'], ['Email Opened', 'Email Bounced', 'Problem']),
		);
		const leaving = async () => {
			const runs = await n8n.executions(id);
			const executions = await Promise.all(runs.map(async (run) => await n8n.execution(run.id)));
			return executions
				.flatMap((execution) =>
					Object.keys(execution.data.resultData.runData).flatMap((name) =>
						(name === 'Trigger' ? [] : outputOf(execution, name)).map(
							({ event, problem, recovered }) =>
								`${name}: ${String(problem ?? event)}${recovered === true ? ', recovered' : ''}`,
						),
					),
				)
				.sort();
		};
		const send = async (event: string, more: object = {}) => {
			const url = `${ORIGIN}/webhook/${webhookId}/${metigan.path}`;
			return await fire(metigan, sandbox, { event, url, secret: SECRET, ...more });
		};
		const arrived = async (count: number) => {
			let items: string[] = [];
			const what = () => `${count} items; there are: ${items.join('; ')}`;
			return await until(what, 2 * REPORTED_MS, async () => {
				items = await leaving();
				return items.length >= count ? items : undefined;
			});
		};

		await n8n.publish(id);
		expect(await send('email.opened')).toEqual([200]);
		expect(await send('email.bounced')).toEqual([200]);
		expect(await send('email.bounced', { tamper: 'signature' })).toEqual([401]);
		const before = ['Email Bounced: email.bounced', 'Email Opened: email.opened'];
		expect(await arrived(3)).toEqual([...before, 'Problem: deliveriesRefused']);

		// The new one stands between the others, and the provider's order is kept.
		const events = ['email.bounced', 'email.opened', 'email.clicked'];
		const outputs = ['Email Opened', 'Email Clicked', 'Email Bounced', 'Problem'];
		await n8n.updateWorkflow(id, workflow(events, outputs));
		await n8n.publish(id);
		// Its delivery is lost.
		const missed = { recipient: 'missed@example.com', bounceType: 'hard' };
		await sandbox.fire({ provider: 'metigan', event: 'email.bounced', data: missed });
		expect(await send('email.clicked')).toEqual([200]);
		expect(await send('email.opened')).toEqual([200]);
		expect(await send('email.bounced', { data: { unheard: 'of' } })).toEqual([200]);
		expect(await arrived(8)).toEqual([
			...['Email Bounced: email.bounced', 'Email Bounced: email.bounced'],
			'Email Bounced: email.bounced, recovered',
			'Email Clicked: email.clicked',
			...['Email Opened: email.opened', 'Email Opened: email.opened'],
			...['Problem: deliveriesRefused', 'Problem: eventsUnknown'],
		]);
	},
	4 * REPORTED_MS,
);
