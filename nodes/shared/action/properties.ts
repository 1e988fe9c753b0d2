import type { ExpressionString, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { productProperty, productShow, shortProductLabel, type Show } from '../properties';
import type { Operation, Provider, ProviderFamily, Resource } from '../provider';
import { operationsIn, operationsOf } from './operations';

/** One output, except for operations that have an output for each verdict. */
export function actionOutputs(family: ProviderFamily): ExpressionString {
	const outputs = operationsIn(family).reduceRight(
		(others, { resource, value, outputs: names }) =>
			names === undefined
				? others
				: `$parameter["resource"] === "${resource.value}" && $parameter["operation"] === "${value}" ? ${JSON.stringify(
						names.map((displayName) => ({ type: 'main', displayName })),
					)} : ${others}`,
		'[{ type: "main" }]',
	);
	return `={{ ${outputs} }}`;
}

/** An expression for the line below an action node: "create or update: endpoint", "get: endpoint (Reach)". */
export function actionSubtitle(family: ProviderFamily): string {
	const operation =
		'$parameter.operation.replace("getAll", "getMany").replace(/[A-Z]/g, " $&").toLowerCase()';
	const product = shortProductLabel(family);
	const suffix = product === undefined ? '' : ` + (${product} && " (" + ${product} + ")")`;
	return `={{ ${operation} + ": " + $parameter.resource${suffix} }}`;
}

/** The parameters of an action node, made from the facts of its providers: only what each offers. */
export function actionProperties(family: ProviderFamily): INodeProperties[] {
	const resources = resourcesOf(family);
	const operations = operationsOf(family[0]);
	const first = operations.find(({ isDefault }) => isDefault === true) ?? operations[0];
	const defaultResource = first?.resource.value ?? '';
	return [
		...(family[0].product === undefined ? [] : [productProperty(family)]),
		// One for all products: n8n's list of actions would repeat the actions for each parameter Resource.
		{
			displayName: 'Resource',
			name: 'resource',
			type: 'options',
			noDataExpression: true,
			options: resources,
			default: defaultResource,
			description: 'What to work with',
		},
		...family.flatMap((provider) =>
			resources.flatMap(({ value }) => resourceProperties(provider, family, value)),
		),
	];
}

/** What the operations of some providers work on, each once. */
function resourcesOf(providers: readonly Provider[]): Resource[] {
	const resources = providers.flatMap(operationsOf).map(({ resource }) => resource);
	return [...new Map(resources.map((resource) => [resource.value, resource])).values()].sort(
		(a, b) => a.name.localeCompare(b.name),
	);
}

/** The choice of an operation, and the parameters of each. */
function resourceProperties(
	provider: Provider,
	family: ProviderFamily,
	resource: string,
): INodeProperties[] {
	const show = { ...productShow(provider), resource: [resource] };
	const operations = operationsOf(provider).filter(
		(operation) => operation.resource.value === resource,
	);
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
	const others = resourcesOf([provider]);
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
	const ableTo = (what: Operation) => family.filter((one) => operationsOf(one).includes(what));
	const able = ableTo(operation);
	// Operations that every product has do not show which products have more of the resource.
	const others = family.filter((one) =>
		operationsOf(one).some(
			(other) => other.resource.value === resource.value && ableTo(other).length < family.length,
		),
	);
	const products = able.map(({ displayName }) => displayName).join(', ');
	const forAll = able.length >= others.length;
	const sentences = [
		description.replace(/\.$/, ''),
		...(forAll ? [] : [`Only for ${products}`]),
		...(operation.offered(provider) === 'unconfirmed'
			? ['This call is undocumented and may not work']
			: []),
	];
	// n8n describes a tool by the action: the product that is preselected needs no mention.
	const needsProduct = !forAll && !able.includes(family[0]);
	return {
		name,
		value,
		action: needsProduct ? `${operation.action} (${products})` : operation.action,
		description: sentences.length === 1 ? description : `${sentences.join('. ')}.`,
	};
}
