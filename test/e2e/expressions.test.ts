import { expect, it } from '@jest/globals';
import { z } from 'zod';

import { lastAnswer, type Sandbox } from '../../sandbox';
import { chain, type N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { accountOf, ORIGIN, PACKAGE, SECRET, triggerNode } from '../../testkit/publishTrigger';
import { misarMail, triggerCases, type TriggerCase } from '../../testkit/triggers';
import { useRecordedN8n } from './recordedN8n';
import { webhookNode } from './webhookNode';

/**
 * What n8n evaluates for a delivery. In its default engine an evaluation takes an isolate, which costs more than
 * everything that the package does; n8n can be set to create one only when there is something to evaluate.
 */

let n8n: N8nHost;
let sandbox: Sandbox;
const lines = useRecordedN8n(
	(bed) => ({ n8n, sandbox } = bed),
	'countEvaluations.cjs',
	'EVALUATIONS',
	LAZY_ISOLATES,
);

const evaluationSchema = z.object({ expression: z.string(), isolate: z.boolean() });

/** All evaluations so far, but those for calls to the provider: n8n writes the API key into each. */
function evaluations(): Array<z.output<typeof evaluationSchema>> {
	const all = lines().map((line) => evaluationSchema.parse(JSON.parse(line)));
	return all.filter(({ expression }) => !expression.includes('$credentials'));
}

interface Published {
	readonly id: string;
	readonly webhookId: string;
}

/** A workflow of a node that takes deliveries, and others behind it. */
async function publish(
	nodes: Parameters<N8nHost['createWorkflow']>[0]['nodes'],
): Promise<Published> {
	const webhookId = crypto.randomUUID();
	const [first, ...others] = nodes;
	if (first === undefined) throw new Error('There is no node');
	const { id } = await n8n.createWorkflow({
		name: first.name,
		nodes: [{ ...first, webhookId }, ...others],
		connections: chain(...nodes.map(({ name }) => name)),
	});
	await n8n.publish(id);
	return { id, webhookId };
}

const AFTER = { name: 'After', type: 'n8n-nodes-base.noOp' };

/** A delivery to a manual trigger, and how it was answered. */
async function fire(trigger: TriggerCase, url: string, how: object = {}): Promise<string> {
	const { provider, scheme, events } = trigger;
	const event = { provider, scheme, event: events[0], url, secret: SECRET, retry: false };
	const [delivery] = await sandbox.fire({ ...event, ...how });
	const { status, responseBody } = delivery?.attempts.at(-1) ?? {};
	return `${status ?? lastAnswer(delivery)} ${responseBody}`;
}

const credentialFor = async (trigger: TriggerCase, fields: object) =>
	await n8n.createCredential(trigger.title, trigger.credential, {
		...trigger.parameters,
		baseUrl: sandbox.url,
		...fields,
	});

it('an evaluation is counted if there is one', async () => {
	const before = evaluations().length;
	const assign = { id: 'a', name: 'copy', value: '={{ $json.body.id }}', type: 'string' };
	const parameters = { assignments: { assignments: [assign] } };
	const path = crypto.randomUUID();
	const { id } = await publish([
		webhookNode(path),
		{ name: 'Edit Fields', type: 'n8n-nodes-base.set', typeVersion: 3.4, parameters },
	]);
	await fire(misarMail, `${ORIGIN}/webhook/${path}`);
	await n8n.waitForExecutions(id, 1);
	expect(evaluations().slice(before)).toContainEqual({
		expression: '{{ $json.body.id }}',
		isolate: true,
	});
}, 120_000);

it.each(triggerCases.map((trigger) => [trigger.title, trigger] as const))(
	'n8n evaluates nothing for a delivery to %s: valid, forged, ignored or a duplicate',
	async (_title, trigger) => {
		const before = evaluations().length;
		const credential = await credentialFor(trigger, { signingSecret: SECRET });
		const custom = trigger.customEvents === true ? { customEvents: trigger.events[0] } : {};
		const { id, webhookId } = await publish([
			triggerNode(trigger, credential, {
				registration: 'manual',
				events: trigger.customEvents === true ? [] : [trigger.events[0]],
				simplify: false,
				options: { ...custom, reportProblems: true, outputPerEvent: true },
			}),
			AFTER,
		]);
		const url = `${ORIGIN}/webhook/${webhookId}/${trigger.path}`;
		const sent = { id: 'evt_1', timestampMs: Date.now() };
		expect(await fire(trigger, url, sent)).toBe('200 {"received":true}');
		expect(await fire(trigger, url, sent)).toBe('200 {"received":true,"duplicate":true}');
		expect(await fire(trigger, url, { event: trigger.events[1] })).toMatch(/^200 .*ignored/);
		expect(await fire(trigger, url, { tamper: 'signature' })).toMatch(/^401 /);
		// The delivery, and the problem that reports the forged one.
		await n8n.waitForExecutions(id, 2);
		expect(evaluations().slice(before)).toEqual([]);
	},
	120_000,
);

it('only the 10 of 1,000 deliveries that meet the conditions run, and n8n evaluates nothing', async () => {
	const before = evaluations().length;
	const credential = await credentialFor(misarMail, { signingSecret: SECRET });
	const { id, webhookId } = await publish([
		triggerNode(misarMail, credential, {
			registration: 'manual',
			events: [misarMail.events[0]],
			options: {
				conditions: {
					rows: [{ field: 'other', path: 'data.number', operator: 'less', value: '10' }],
				},
			},
		}),
		AFTER,
	]);
	const url = `${ORIGIN}/webhook/${webhookId}/${misarMail.path}`;
	const answers: string[] = [];
	for (let sent = 0; sent < 1_000; sent += 20) {
		const numbers = Array.from({ length: 20 }, (_, index) => sent + index);
		const send = async (number: number) =>
			await fire(misarMail, url, { id: `evt_${number}`, data: { number } });
		answers.push(...(await Promise.all(numbers.map(send))));
	}
	const unmet = '200 {"received":true,"ignored":"condition 1 is not met: data.number"}';
	const met = '200 {"received":true}';
	expect(answers).toEqual([
		...Array.from({ length: 10 }, () => met),
		...Array.from({ length: 990 }, () => unmet),
	]);
	const runs = await n8n.waitForExecutions(id, 10, 60_000);
	expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'success'));
	expect(evaluations().slice(before)).toEqual([]);
}, 300_000);

it.concurrent.each(
	triggerCases
		.filter(({ api }) => api !== undefined)
		.map((trigger) => [trigger.title, trigger] as const),
)(
	'n8n evaluates nothing for a run in which %s saves what it knows',
	async (_title, trigger) => {
		const before = evaluations().length;
		const account = accountOf(trigger, 'automatic', sandbox);
		const credential = await credentialFor(trigger, account);
		const { id, webhookId } = await publish([
			triggerNode(trigger, credential, {
				registration: 'automatic',
				events: [...trigger.events],
				options: { checkInterval: 1 },
			}),
			AFTER,
		]);
		const ours = () =>
			sandbox.endpoints(trigger.provider).find(({ url }) => url.includes(webhookId));
		const registered = ours();
		if (registered === undefined) throw new Error('No endpoint was registered');
		sandbox.removeEndpoint(trigger.provider, registered.id);
		await n8n.waitForExecutions(id, 1, 150_000);
		expect(ours()).toBeDefined();
		expect(evaluations().slice(before)).toEqual([]);
	},
	240_000,
);

it('n8n evaluates nothing for a delivery to a Webhook node with Receive behind it', async () => {
	const before = evaluations().length;
	const credential = await credentialFor(misarMail, { signingSecret: SECRET });
	const path = crypto.randomUUID();
	const parameters = { ...misarMail.parameters, resource: 'delivery', operation: 'receive' };
	const { id } = await publish([
		webhookNode(path, { responseMode: 'onReceived', options: { rawBody: true } }),
		{
			name: 'Receive',
			type: `${PACKAGE}.misar`,
			parameters,
			credentials: { [misarMail.credential]: { id: credential, name: misarMail.title } },
		},
		AFTER,
	]);
	await fire(misarMail, `${ORIGIN}/webhook/${path}`);
	const [run] = await n8n.waitForExecutions(id, 1);
	expect(run?.status).toBe('success');
	expect(evaluations().slice(before)).toEqual([]);
}, 120_000);
