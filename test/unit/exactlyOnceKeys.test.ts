import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

/** The Redis keys of the template "Exactly-once intake": what tells one piece of work from another. */

const TEMPLATE = join(__dirname, '..', '..', 'templates', 'exactly-once-intake.json');
const LEASE = ['Take Lease', 'Read Lease', 'Set Lease Expiry'];
const MARK = ['Read Mark', 'Mark Done'];

const template = z
	.object({
		nodes: z.array(
			z.object({
				name: z.string(),
				parameters: z.object({ key: z.string().optional(), list: z.string().optional() }),
			}),
		),
	})
	.parse(JSON.parse(readFileSync(TEMPLATE, 'utf8')));

/** What n8n makes of a node's key in a workflow for a delivery. */
function keyOf(nodeName: string, workflowId: string, deliveryId: string): unknown {
	const { key, list } = template.nodes.find(({ name }) => name === nodeName)?.parameters ?? {};
	const expression = /^=\{\{(.*)\}\}$/.exec(key ?? list ?? '')?.[1];
	if (expression === undefined)
		throw new Error(`${nodeName} has no key, or one that is no expression`);
	return runInNewContext(expression, {
		$workflow: { id: workflowId },
		$: () => ({ first: () => ({ json: { deliveryId } }) }),
	});
}

describe.each([...LEASE, ...MARK])('the key of %s', (node) => {
	it('differs between two workflows that get the same delivery', () => {
		expect(keyOf(node, 'workflow 1', 'delivery')).not.toBe(keyOf(node, 'workflow 2', 'delivery'));
	});

	it('differs between two deliveries', () => {
		expect(keyOf(node, 'workflow', 'delivery 1')).not.toBe(keyOf(node, 'workflow', 'delivery 2'));
	});
});

it.each([
	['the lease', LEASE],
	['the mark', MARK],
])('all nodes of %s have the same key: %s', (_, nodes) => {
	const keys = new Set(nodes.map((node) => keyOf(node, 'workflow', 'delivery')));
	expect(keys.size).toBe(1);
});
