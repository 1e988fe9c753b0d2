import { describe, expect, it } from '@jest/globals';
import {
	NodeHelpers,
	Workflow,
	type IDataObject,
	type INode,
	type INodeParameters,
} from 'n8n-workflow';

import { buildDelivery } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { registeredByHand } from './hosts';
import { mailPanda, metigan, misarReach, triggersUnderTest } from './providers';
import { useHosts } from './useHosts';

/** The outputs of a trigger, as n8n's editor shows them, and what leaves by each. */

type Trigger = (typeof triggersUnderTest)[number];

const SECRET = 'whsec_of_this_test';

let workflows = 0;
const open = useHosts();

function parametersOf(trigger: Trigger, events: string[], options: INodeParameters) {
	return { ...trigger.parameters, registration: 'manual', events, options };
}

/** The names of the outputs: n8n's own evaluation. */
function shown(trigger: Trigger, events: string[], options: INodeParameters): string[] {
	const { nodeType } = trigger;
	const node: INode = {
		id: '1',
		name: 'Trigger',
		type: nodeType.description.name,
		typeVersion: 2,
		position: [0, 0],
		parameters: parametersOf(trigger, events, options),
	};
	const nodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const outputs = NodeHelpers.getNodeOutputs(workflow, node, nodeType.description);
	return outputs.map((output) =>
		typeof output === 'string' ? output : (output.displayName ?? ''),
	);
}

function startHost(trigger: Trigger, events: string[], options: INodeParameters): ContextHost {
	return open({
		...registeredByHand(trigger, SECRET, { events, options }),
		workflowId: `workflow ${workflows++}`,
	});
}

const ON = { outputPerEvent: true };
const BOTH = { ...ON, reportProblems: true };

/** The output by which each event leaves, by the names that the editor shows. */
async function leaving(
	trigger: Trigger,
	events: string[],
	options: INodeParameters,
	names: readonly string[],
): Promise<Record<string, string>> {
	const titles = shown(trigger, events, options);
	const host = startHost(trigger, events, options);
	const found: Record<string, string> = {};
	for (const event of names) {
		const item = { json: event === 'problem' ? { problem: 'deliveriesRefused' } : { event } };
		const outputs = await host.execute([item]);
		expect(outputs.flat()).toEqual([item]);
		found[event] = titles[outputs.findIndex((items) => items.length > 0)] ?? 'nowhere';
	}
	return found;
}

describe('the outputs of a trigger', () => {
	it.each<[string, Trigger, string[], INodeParameters, string[]]>([
		['both options off', metigan, ['email.opened', 'email.bounced'], {}, ['main']],
		['only problems', metigan, ['email.opened'], { reportProblems: true }, ['Event', 'Problem']],
		[
			'the order of the provider, not of the selection',
			metigan,
			['email.complained', 'email.bounced', 'email.opened'],
			ON,
			['Email Opened', 'Email Bounced', 'Marked as Spam'],
		],
		['problems last', metigan, ['email.bounced'], BOTH, ['Email Bounced', 'Problem']],
		[
			'all events beside a chosen one',
			metigan,
			['*', 'email.bounced'],
			BOTH,
			['Email Bounced', 'Other', 'Problem'],
		],
		['all events', metigan, ['*'], ON, ['Other']],
		[
			'custom events',
			metigan,
			['email.bounced'],
			{ ...ON, customEvents: 'email.parked' },
			['Email Bounced', 'Other'],
		],
		[
			'a blank list of custom events',
			metigan,
			['email.bounced'],
			{ ...ON, customEvents: ' , ' },
			['Email Bounced'],
		],
		['only custom events', metigan, [], { ...ON, customEvents: 'email.parked' }, ['Other']],
		['nothing chosen yet', metigan, [], ON, ['Other']],
		['a name that is not in the list', metigan, ['email.parked'], BOTH, ['Other', 'Problem']],
		[
			'the order of the chosen product',
			misarReach,
			['campaign.sent', 'deal.won', 'campaign.completed'],
			ON,
			['Deal Won', 'Campaign Completed', 'Campaign Sent'],
		],
	])('with %s', (_title, trigger, events, options, titles) => {
		expect(shown(trigger, events, options)).toEqual(titles);
	});

	it.each(triggersUnderTest.map((trigger) => [trigger.title, trigger] as const))(
		'of %s include one per chosen event, by which that event leaves',
		async (_title, trigger) => {
			const list = trigger.nodeType.description.properties.find(
				({ name, displayOptions }) =>
					name === 'events' &&
					[trigger.parameters['product'], undefined].includes(
						displayOptions?.show?.['product']?.[0] as string | undefined,
					),
			);
			const labels = Object.fromEntries(
				(list?.options ?? []).flatMap((option) =>
					'value' in option && option.value !== '*' ? [[String(option.value), option.name]] : [],
				),
			);
			const names = Object.keys(labels);
			const titles = shown(trigger, names, BOTH);
			if (names.length > 0)
				expect([...titles].sort()).toEqual([...Object.values(labels), 'Problem'].sort());
			expect(new Set(titles).size).toBe(titles.length);
			expect(await leaving(trigger, names, BOTH, [...names, 'problem'])).toEqual({
				...labels,
				problem: 'Problem',
			});
		},
	);
});

describe('an event leaves', () => {
	it('by Other if only all events or a custom name select it', async () => {
		const names = ['email.bounced', 'email.opened', 'email.parked', 'problem'];
		const expected = {
			'email.bounced': 'Email Bounced',
			'email.opened': 'Other',
			'email.parked': 'Other',
			problem: 'Problem',
		};
		const custom = { ...BOTH, customEvents: 'email.parked, email.opened' };
		expect(await leaving(metigan, ['email.bounced'], custom, names)).toEqual(expected);
		expect(await leaving(metigan, ['*', 'email.bounced'], BOTH, names)).toEqual(expected);
	});

	it.each(['bounce', 'email.bounce'])(
		'by its output, whichever name the provider uses: %s',
		async (event) => {
			const { provider, scheme } = mailPanda;
			const host = startHost(mailPanda, ['click', 'bounce'], ON);
			const { run = [] } = await host.deliver(
				buildDelivery({ provider, scheme, event, secret: SECRET }),
			);
			expect(run).toHaveLength(1);
			expect(await host.execute(run)).toEqual([[], run]);
		},
	);

	it('by its own output beside a problem, and so does a recovered event', async () => {
		const host = startHost(metigan, ['email.opened', 'email.bounced'], BOTH);
		const items = [
			{ json: { problem: 'verifiedByPreviousSecret' } },
			{ json: { event: 'email.bounced', recovered: true } },
			{ json: { event: 'email.opened' } },
		];
		expect(await host.execute(items)).toEqual([[items[2]], [items[1]], [items[0]]]);
	});

	it.each<[string, IDataObject]>([
		['names no event', { event: 'unknown' }],
		['is no longer chosen', { event: 'email.sent' }],
	])('by none if it %s and there is no Other: the run fails', async (_why, json) => {
		await expect(startHost(metigan, ['email.bounced'], ON).execute([{ json }])).rejects.toThrow(
			`Output per Event is on, but the event "${String(json['event'])}" has no output. Choose this event too, or All Events`,
		);
		const withOther = startHost(metigan, ['email.bounced', '*'], ON);
		expect(await withOther.execute([{ json }])).toEqual([[], [{ json }]]);
	});
});
