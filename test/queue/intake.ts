import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { chain, type NodeDefinition, type WorkflowDefinition } from '../../testkit/n8n-host/driver';
import type { Cluster } from '../../testkit/queue/cluster';

const TEMPLATE = join(__dirname, '..', '..', 'templates', 'exactly-once-intake.json');

/** The account that the workflows of these tests are for. */
export const PROVIDER = 'misar.mail';

/** The event that the workflows of these tests run for. */
export const EVENT = 'email.bounced';

/** A credential as a node names it. */
export interface CredentialRef {
	id: string;
	name: string;
}

/** The credential of the account, stored in n8n. */
export async function createCredential({ main, sandbox }: Cluster): Promise<CredentialRef> {
	const name = 'Misar';
	const data = { product: 'mail', baseUrl: sandbox.url, apiKey: sandbox.keys[PROVIDER] };
	return { id: await main.createCredential(name, 'misarApi', data), name };
}

/** A Misar Mail trigger that registers itself. */
export function trigger(name: string, misar: CredentialRef): NodeDefinition {
	return {
		name,
		type: 'n8n-nodes-misar-metigan.misarTrigger',
		webhookId: randomUUID(),
		parameters: { product: 'mail', registration: 'automatic', events: [EVENT] },
		credentials: { misarApi: misar },
	};
}

const templateSchema = z.object({
	name: z.string(),
	nodes: z.array(
		z.object({
			id: z.string(),
			name: z.string(),
			type: z.string(),
			typeVersion: z.number(),
			position: z.tuple([z.number(), z.number()]),
			parameters: z.record(z.unknown()),
		}),
	),
	connections: z.record(
		z.object({
			main: z.array(z.array(z.object({ node: z.string(), type: z.string(), index: z.number() }))),
		}),
	),
	settings: z.record(z.unknown()),
});

/**
 * The template as a user would fill it in. A second branch shows what n8n's Remove Duplicates would
 * have done with the same runs; the work takes a second, so that it can be interrupted.
 */
export function intake(misar: CredentialRef, redis: CredentialRef): WorkflowDefinition {
	const template = templateSchema.parse(JSON.parse(readFileSync(TEMPLATE, 'utf8')));
	const nodes = template.nodes.map((node) => {
		if (node.name === 'Misar Mail') return { ...node, ...trigger(node.name, misar) };
		if (node.type === 'n8n-nodes-base.redis') return { ...node, credentials: { redis } };
		if (node.name !== 'Your Work') return node;
		return { ...node, type: 'n8n-nodes-base.wait', typeVersion: 1.1, parameters: { amount: 1 } };
	});
	const branch = chain('Misar Mail', 'Remove Duplicates', 'After Remove Duplicates');
	const start = template.connections['Misar Mail']?.main[0] ?? [];
	return {
		name: template.name,
		nodes: [
			...nodes,
			{
				name: 'Remove Duplicates',
				type: 'n8n-nodes-base.removeDuplicates',
				typeVersion: 2,
				position: [220, 300],
				onError: 'continueRegularOutput',
				parameters: {
					operation: 'removeItemsSeenInPreviousExecutions',
					dedupeValue: '={{ $json.deliveryId }}',
				},
			},
			{ name: 'After Remove Duplicates', type: 'n8n-nodes-base.noOp' },
		],
		connections: {
			...template.connections,
			...branch,
			'Misar Mail': {
				main: [[...start, { node: 'Remove Duplicates', type: 'main', index: 0 }]],
			},
		},
		settings: template.settings,
	};
}
