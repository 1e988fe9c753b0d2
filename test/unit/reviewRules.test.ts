import { describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import type { INodeProperties, INodeType } from 'n8n-workflow';

import manifest from '../../package.json';

/**
 * Rules of n8n's UX guidelines and of its lint plugin that the newest version on the registry (0.32) does not
 * check yet: hint-max-length, open-ended-node-fields, non-required-fields-in-collection (packages/
 * @n8n/eslint-plugin-community-nodes/docs/rules in n8n's repository) and "Naming action: omit articles".
 */

const nodes = manifest.n8n.nodes.map((file) => {
	const source = join(__dirname, '../..', file.replace(/^dist\//, '').replace(/\.js$/, ''));
	const [Class] = Object.values(jest.requireActual<Record<string, new () => INodeType>>(source));
	if (Class === undefined) throw new Error(`${file} exports nothing`);
	return new Class().description;
});

function withNested(properties: readonly INodeProperties[]): INodeProperties[] {
	return properties.flatMap((property) => {
		const nested = (property.options ?? []).filter((one) => 'type' in one);
		return [property, ...withNested(nested)];
	});
}

/** What the rule about optional fields exempts: containers, texts, and fields that control others. */
const EXEMPT_TYPES = ['collection', 'fixedCollection', 'notice', 'callout', 'hidden', 'curlImport'];
const EXEMPT_NAMES = ['resource', 'operation', 'authentication'];

/**
 * Optional fields that stay outside collections nevertheless: n8n's own nodes have them there, or most people who
 * choose the operation need them. Moving one breaks the workflows that set it.
 */
const IN_SIGHT = {
	triggers: ['product', 'registration', 'events', 'simplify'],
	actions: [
		...['product', 'events', 'returnAll', 'limit', 'simplify', 'output', 'fields'],
		...['payloadSource', 'payload', 'signatureScheme', 'timestamp', 'toleranceSeconds'],
		...['failedOnly', 'by', 'workflow', 'sendTest', 'reason', 'note', 'consent'],
	],
};

describe.each(nodes)('$name', ({ group, properties }) => {
	const kind = group.includes('trigger') ? 'triggers' : 'actions';

	it('has no hint of more than 120 characters', () => {
		const long = withNested(properties).filter(({ hint = '' }) => hint.length > 120);
		expect(long.map(({ hint }) => hint)).toEqual([]);
	});

	it('shows no optional JSON field outside a collection', () => {
		const open = properties.filter(({ type, required }) => type === 'json' && required !== true);
		expect(open.map(({ name }) => name)).toEqual([]);
	});

	it('keeps optional fields in collections, except those that people look for first', () => {
		const optional = properties
			.filter(({ type, name }) => !EXEMPT_TYPES.includes(type) && !EXEMPT_NAMES.includes(name))
			.filter(({ required }) => required !== true)
			.map(({ name }) => name);
		expect([...new Set(optional)].filter((name) => !IN_SIGHT[kind].includes(name))).toEqual([]);
	});

	it('names its actions in sentence case and without articles', () => {
		const actions = withNested(properties)
			.flatMap(({ options = [] }) => options)
			.flatMap((option) => ('action' in option && option.action ? [option.action] : []));
		expect(actions.filter((action) => /\b(an?|the)\b/i.test(action))).toEqual([]);
		expect(actions.filter((action) => !/^[A-Z]/.test(action))).toEqual([]);
	});
});
