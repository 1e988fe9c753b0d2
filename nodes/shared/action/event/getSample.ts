import { z } from 'zod/v4';

import { eventOutput } from '../../delivery/accept';
import { sampleItem } from '../../delivery/sample';
import { ALL_EVENTS, noEventSelected } from '../../events';
import { eventOptions, SIMPLIFY } from '../../properties';
import type { ActionCall, ActionResult, Operation } from '../../provider';
import { eventNames } from '../eventNames';
import { namesSchema, readParameter } from '../parameter';
import { RESOURCES } from '../resources';

/** What the trigger outputs for an event, to pin, to map, or for an agent, before a real one has arrived. */
export const getSample: Operation = {
	resource: RESOURCES.event,
	value: 'getSample',
	name: 'Get Sample',
	action: 'Get sample events',
	description: 'Create an item for each chosen event, as the trigger outputs it',
	offered: ({ events }) => (events.length === 0 ? undefined : 'documented'),
	properties: (provider) => [
		{
			displayName: 'Events',
			name: 'events',
			type: 'multiOptions',
			options: eventOptions(provider),
			default: [provider.events[0]?.name ?? ''],
			required: true,
			description: 'Which events to get a sample of. Choose several, or All Events.',
		},
		SIMPLIFY,
	],
	output: eventOutput,
	run: async (call) => getSamples(call),
};

function getSamples(call: ActionCall): ActionResult[] {
	const { provider } = call;
	const names = chosenEvents(call);
	const simplify = readParameter(call, 'simplify', z.boolean(), true);
	const madeUp = names.filter((name) => !provider.sample(name).isDocumented);
	if (madeUp.length > 0) {
		call.context.addExecutionHints({
			message: `The documentation of ${provider.displayName} shows no body of ${madeUp.join(', ')}: these samples are modelled on similar events, so real ones may have other fields.`,
			location: 'outputPane',
		});
	}
	return names.map((name) => ({ json: sampleItem(provider, name, simplify) }));
}

/** @throws NodeOperationError where a name is not documented, or none is chosen */
function chosenEvents(call: ActionCall): string[] {
	const { context, provider } = call;
	const chosen = eventNames(call, readParameter(call, 'events', namesSchema, []));
	if (chosen.length === 0) throw noEventSelected(context, provider, 'Events');
	return chosen.includes(ALL_EVENTS) ? provider.events.map(({ name }) => name) : chosen;
}
