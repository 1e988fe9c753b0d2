import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { OPERATORS, OTHER_FIELD, type OperatorName } from './conditions';
import { isJsonObject } from './jsonObject';
import type { Provider } from './provider';

/** The option Conditions of every node that turns deliveries into items. */
export function conditionsOption(provider: Provider): INodeProperties {
	const operators = Object.entries(OPERATORS).map(([value, { name, description }]) => ({
		name,
		value,
		description,
	}));
	const withValue = operators.map(({ value }) => value).filter(takesValue);
	return {
		displayName: 'Conditions',
		name: 'conditions',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add condition',
		default: {},
		description:
			'Only events that meet all conditions start a run. An event that lacks the field of a condition does not meet it.',
		options: [
			{
				displayName: 'Condition',
				name: 'rows',
				values: [
					{
						displayName: 'Field',
						name: 'field',
						type: 'options',
						noDataExpression: true,
						options: fieldsOf(provider),
						default: 'recipient',
						description: 'The field to compare, as it appears in the trigger’s output',
					},
					{
						displayName: 'Path',
						name: 'path',
						type: 'string',
						noDataExpression: true,
						default: '',
						placeholder: 'e.g. data.tags[0]',
						description: 'Path in the simplified output, or payload.… for the original body',
						displayOptions: { show: { field: [OTHER_FIELD] } },
					},
					{
						displayName: 'Operator',
						name: 'operator',
						type: 'options',
						noDataExpression: true,
						options: operators,
						default: 'equals',
						description: 'How to compare. Upper and lower case make no difference.',
					},
					{
						displayName: 'Value',
						name: 'value',
						type: 'string',
						noDataExpression: true,
						default: '',
						description: 'What to compare with. For Is One Of, separate values with commas.',
						displayOptions: { show: { operator: withValue } },
					},
				],
			},
		],
	};
}

function takesValue(name: string): boolean {
	return 'takes' in OPERATORS[name as OperatorName];
}

/** The fields of a provider's events, as its samples show them. */
function fieldsOf(provider: Provider): INodePropertyOptions[] {
	const eventsWith = new Map<string, string[]>();
	for (const { name, label } of provider.events) {
		const { body } = provider.sample(name);
		const data = provider.envelope.data?.(body) ?? body['data'];
		for (const path of pathsIn(data, 'data')) {
			eventsWith.set(path, [...(eventsWith.get(path) ?? []), label]);
		}
	}
	const common = ['deliveryId', 'event', 'occurredAt', 'recipient'];
	return [
		...common.map((name) => ({ name, value: name, description: 'Of every event' })),
		...[...eventsWith]
			.sort(([a], [b]) => a.localeCompare(b))
			.map(([path, labels]) => ({ name: path, value: path, description: of(labels) })),
		{
			name: 'Other (Type Its Path)',
			value: OTHER_FIELD,
			description: 'A field that is not in this list',
		},
	];
}

/** Names three events at most: the list is narrow. */
function of(labels: readonly string[]): string {
	const further = labels.length - 3;
	return `Of ${labels.slice(0, 3).join(', ')}${further > 0 ? ` and ${further} more` : ''}`;
}

/** The paths of all values that are not objects themselves; lists are not looked into. */
function pathsIn(value: unknown, at: string): string[] {
	if (!isJsonObject(value)) return [at];
	return Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, `${at}.${name}`));
}
