import type { ExpressionString, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { productLabel, productProperty, productShow, type Show } from '../properties';
import type { Provider, ProviderFamily } from '../provider';
import type { Operation } from './operation';
import { OPERATIONS, operationsOf } from './operations';

/** One output, except for operations that have an output for each verdict. */
export const ACTION_OUTPUTS: ExpressionString = `={{ ${OPERATIONS.reduceRight(
	(others, { resource, value, outputs }) =>
		outputs === undefined
			? others
			: `$parameter["resource"] === "${resource}" && $parameter["operation"] === "${value}" ? ${JSON.stringify(
					outputs.map((displayName) => ({ type: 'main', displayName })),
				)} : ${others}`,
	'[{ type: "main" }]',
)} }}`;

/** An expression for the line below an action node: "create or update: endpoint (Example Mail)". */
export function actionSubtitle(family: ProviderFamily): string {
	const operation =
		'$parameter.operation.replace("getAll", "getMany").replace(/[A-Z]/g, " $&").toLowerCase()';
	const product = productLabel(family);
	const suffix = product === undefined ? '' : ` + " (" + ${product} + ")"`;
	return `={{ ${operation} + ": " + $parameter.resource${suffix} }}`;
}

/** The parameters of an action node, made from the facts of its providers: only what each offers. */
export function actionProperties(family: ProviderFamily): INodeProperties[] {
	const resources = RESOURCES.filter(({ value }) =>
		family.some((provider) => hasResource(provider, value)),
	);
	const defaultResource = operationsOf(family[0])[0]?.resource ?? '';
	return [
		...(family[0].product === undefined ? [] : [productProperty(family)]),
		// One for all products: n8n's list of actions repeats them for each parameter Resource.
		{
			displayName: 'Resource',
			name: 'resource',
			type: 'options',
			noDataExpression: true,
			options: [...resources],
			default: defaultResource,
			description: 'What to work with',
		},
		...family.flatMap((provider) =>
			resources.flatMap(({ value }) => resourceProperties(provider, family, value)),
		),
	];
}

function hasResource(provider: Provider, resource: unknown): boolean {
	return operationsOf(provider).some((operation) => operation.resource === resource);
}

const RESOURCES: readonly INodePropertyOptions[] = [
	{ name: 'Article', value: 'article', description: 'An article of your blog' },
	{
		name: 'Delivery',
		value: 'delivery',
		description: 'An attempt of the provider to send an event to an endpoint',
	},
	{
		name: 'Endpoint',
		value: 'endpoint',
		description: 'A webhook URL that the provider sends events to',
	},
	{ name: 'Event', value: 'event', description: 'Something that happened to an email' },
	{
		name: 'Signature',
		value: 'signature',
		description: 'The proof that a delivery comes from the provider and was not changed',
	},
	{
		name: 'Suppression',
		value: 'suppression',
		description: 'An address that the provider sends no more emails to',
	},
];

/** The choice of an operation, and the parameters of each. */
function resourceProperties(
	provider: Provider,
	family: ProviderFamily,
	resource: INodePropertyOptions['value'],
): INodeProperties[] {
	const show = { ...productShow(provider), resource: [resource] };
	const operations = operationsOf(provider).filter((operation) => operation.resource === resource);
	if (operations.length === 0) return [nothingToDo(provider, show)];
	const parameters = new Map<string, { property: INodeProperties; of: string[] }>();
	for (const { value, properties } of operations) {
		for (const property of properties(provider)) {
			const key = JSON.stringify(property);
			const of = parameters.get(key)?.of ?? [];
			parameters.set(key, { property, of: [...of, value] });
		}
	}
	// Of the parameters of one operation, Options is the last.
	const isLast = ({ property }: { property: INodeProperties }) =>
		Number(property.name === 'options');
	const inOrder = [...parameters.values()].sort((a, b) => isLast(a) - isLast(b));
	const [first] = operations;
	const defaultOperation =
		operations.find(({ isDefault }) => isDefault === true)?.value ?? first?.value ?? '';
	return [
		{
			displayName: 'Operation',
			name: 'operation',
			type: 'options',
			noDataExpression: true,
			options: operations
				.map((operation) => optionOf(operation, provider, family))
				.sort((a, b) => a.name.localeCompare(b.name)),
			default: defaultOperation,
			description: 'What to do with it',
			displayOptions: { show },
		},
		...inOrder.map(({ property, of }) => ({
			...property,
			displayOptions: {
				...property.displayOptions,
				show: { ...show, operation: of, ...property.displayOptions?.show },
			},
		})),
	];
}

function nothingToDo(provider: Provider, show: Show): INodeProperties {
	const others = RESOURCES.filter(({ value }) => hasResource(provider, value));
	return {
		displayName: `${provider.displayName} has no API for this. Choose another product, or one of the resources it has: ${others.map(({ name }) => name).join(', ')}.`,
		name: 'nothingToDo',
		type: 'notice',
		default: '',
		displayOptions: { show },
	};
}

/** An operation's entry, saying so when no document confirms the call behind it. */
function optionOf(
	operation: Operation,
	provider: Provider,
	family: ProviderFamily,
): INodePropertyOptions {
	const { name, value, description, resource } = operation;
	const caveat =
		operation.offered(provider) === 'unconfirmed'
			? '. The documents do not confirm this call, so it may not work.'
			: '';
	const able = family.filter((one) => operation.offered(one) !== undefined);
	const forAll = able.length === family.filter((one) => hasResource(one, resource)).length;
	const products = forAll ? '' : ` (${able.map(({ displayName }) => displayName).join(', ')})`;
	const action = `${operation.action}${products}`;
	return { name, value, action, description: `${description}${caveat}` };
}
