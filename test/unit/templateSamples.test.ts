import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { sampleItem } from '../../nodes/shared/delivery/sample';
import { PACKAGE } from '../../testkit/publishTrigger';
import { readTemplate, templateNames, type TemplateNode } from '../e2e/templateFiles';
import { allProviders } from './allProviders';

/** What is pinned in the templates: at each trigger an item, of this package's own the sample that its data makes. */

const parametersSchema = z.object({
	product: z.string().optional(),
	events: z.array(z.string()).nonempty(),
	simplify: z.boolean().default(true),
});

/** Of the first event that a node is set to, as Event → Get Sample makes it. */
function sampleFor({ type, parameters }: TemplateNode) {
	const { product, events, simplify } = parametersSchema.parse(parameters);
	const node = type.slice(`${PACKAGE}.`.length).replace(/Trigger$/, '');
	const found = allProviders.find((one) => one.id === node && one.product === product);
	if (found === undefined) throw new Error(`No provider has the node ${node}`);
	const [first] = events;
	const event = first === '*' ? (found.events[0]?.name ?? '') : first;
	return { provider: found, event, item: sampleItem(found, event, simplify) };
}

const isOurs = ({ type }: TemplateNode) => type.startsWith(`${PACKAGE}.`);
const isTrigger = ({ type }: TemplateNode) => /(Trigger|\.webhook)$/.test(type);

describe.each(templateNames)('%s', (file) => {
	const { nodes, pinData } = readTemplate(file);
	const pinned = nodes.filter(({ name }) => name in pinData);

	it('has one item pinned at each trigger', () => {
		expect(Object.keys(pinData)).toEqual(pinned.map(({ name }) => name));
		expect(pinned).toEqual(expect.arrayContaining(nodes.filter(isTrigger)));
	});

	it('has the sample of the first event pinned at each node of the package', () => {
		for (const node of pinned.filter(isOurs)) {
			expect([node.name, pinData[node.name]]).toEqual([
				node.name,
				[{ json: sampleFor(node).item }],
			]);
		}
	});
});

it('a Webhook node has the body pinned from which the node behind it makes its sample', () => {
	const { nodes, pinData } = readTemplate('webhook-intake');
	const receive = nodes.find(({ name }) => name === 'Receive');
	if (receive === undefined) throw new Error('There is no such node');
	const { provider, event } = sampleFor(receive);
	expect(pinData['Webhook']?.[0]?.json).toMatchObject({ body: provider.sample(event).body });
});
