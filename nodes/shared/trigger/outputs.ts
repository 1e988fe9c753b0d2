import type { IExecuteFunctions, INodeProperties, INodeTypeDescription } from 'n8n-workflow';

import { settingsError } from '../errors';
import { ALL_EVENTS, namesIn } from '../events';
import { isJsonObject } from '../jsonObject';
import { providerFor } from '../product';
import type { ProviderFamily } from '../provider';

/**
 * The outputs of a trigger: those for events, then Problem. `outputsExpression` tells the editor, and `eventOutputs`
 * a run, which ones there are. They follow the order of the provider's facts, not of the selection, because n8n ties
 * a connection to the position of its output.
 */

export const OUTPUT_PER_EVENT_OPTION: INodeProperties = {
	displayName: 'Output per Event',
	name: 'outputPerEvent',
	type: 'boolean',
	default: false,
	noDataExpression: true,
	description:
		'Whether to give each chosen event an output of its own. Events that only All Events or Custom Events select go to the output Other.',
};

export const REPORT_PROBLEMS_OPTION: INodeProperties = {
	displayName: 'Report Problems',
	name: 'reportProblems',
	type: 'boolean',
	default: false,
	description:
		'Whether to add an output, Problem, that reports when deliveries are refused, the endpoint was repaired or the provider cannot be reached. Connect an email or chat node to it.',
};

const CHOSEN = '[].concat($parameter.events ?? [])';
const HAS_CUSTOM = '/[^\\s,]/.test($parameter.options?.customEvents ?? "")';
const HAS_PROBLEM = '$parameter.options?.reportProblems === true';
const IS_PER_EVENT = '$parameter.options?.outputPerEvent === true';

/**
 * An expression for n8n's editor. The run of a delivery evaluates it only if the node has n8n's error output as well.
 */
export function outputsExpression(
	family: ProviderFamily,
): Extract<INodeTypeDescription['outputs'], string> {
	const labels = Object.fromEntries(
		family.map(({ product = '', events }) => [
			product,
			events.map(({ name, label }) => [name, label]),
		]),
	);
	const own = `((${JSON.stringify(labels)})[$parameter.product ?? ""] ?? []).filter((event) => ${CHOSEN}.includes(event[0])).map((event) => event[1])`;
	const hasOther = `own.length === 0 || ${CHOSEN}.length > own.length || ${HAS_CUSTOM}`;
	const perEvent = `[${own}].map((own) => ${hasOther} ? [...own, "Other"] : own)[0]`;
	const named = `[...(${IS_PER_EVENT} ? ${perEvent} : ["Event"]), ...(${HAS_PROBLEM} ? ["Problem"] : [])]`;
	return `={{ ${IS_PER_EVENT} || ${HAS_PROBLEM} ? ${named}.map((displayName) => ({ type: "main", displayName })) : ["main"] }}`;
}

/** The events of a node's outputs, in their order; `ALL_EVENTS` for those that have no output of their own. */
export function eventOutputs(context: IExecuteFunctions, family: ProviderFamily): string[] {
	const options: unknown = context.getNodeParameter('options', 0, {});
	if (!isJsonObject(options) || options['outputPerEvent'] !== true) return [ALL_EVENTS];
	const product = family[0].product && context.getNodeParameter('product', 0);
	const chosen: unknown[] = [context.getNodeParameter('events', 0, [])].flat();
	const own = providerFor(context, family, product)
		.events.map(({ name }) => name)
		.filter((name) => chosen.includes(name));
	const custom = namesIn(String(options['customEvents'] ?? ''));
	const hasOther = own.length === 0 || chosen.length > own.length || custom.length > 0;
	return hasOther ? [...own, ALL_EVENTS] : own;
}

/**
 * The index of the output that an event goes to.
 * @throws NodeOperationError if there is none, as for a delivery that names no event
 */
export function outputFor(
	context: IExecuteFunctions,
	outputs: readonly string[],
	event: unknown,
): number {
	const own = outputs.findIndex((name) => name === event);
	const index = own === -1 ? outputs.indexOf(ALL_EVENTS) : own;
	if (index !== -1) return index;
	throw settingsError(
		context,
		`Output per Event is on, but the event "${String(event)}" has no output`,
		'Choose this event too, or All Events, which adds the output Other for everything else. Then retry this execution',
	);
}
