import type {
	ICredentialType,
	INodeProperties,
	INodePropertyOptions,
	INodeTypeDescription,
} from 'n8n-workflow';

/** What the README of a single-service package says of the nodes and credentials, by themselves. */
export function readmeParts(
	packageName: string,
	nodes: readonly INodeTypeDescription[],
	credentials: readonly ICredentialType[],
): Record<string, string> {
	const triggers = nodes.filter(({ group }) => group.includes('trigger'));
	return {
		nodes: nodes.map((node) => `- **${node.displayName}**: ${node.description}`).join('\n'),
		credentials: credentials.map(credentialFields).join('\n\n'),
		events: triggers.flatMap(eventLists).join('\n'),
		example: triggers.map((trigger) => exampleWorkflow(packageName, trigger)).join('\n'),
	};
}

function credentialFields({ displayName, properties }: ICredentialType): string {
	const fields = properties.map(
		(field) => `- **${field.displayName}**${field.description ? `: ${field.description}` : ''}`,
	);
	return `**${displayName}**\n\n${fields.join('\n')}`;
}

/** The events a trigger offers, one line for each product. */
function eventLists(trigger: INodeTypeDescription): string[] {
	const products = trigger.properties.find(({ name }) => name === 'product');
	return eventFields(trigger).map((field) => {
		const product = field.displayOptions?.show?.['product']?.[0];
		const title = optionsOf(products).find(({ value }) => value === product)?.name;
		const list = documented(field).map((name) => `\`${name}\``);
		return `- **${title ?? trigger.displayName}**: ${list.join(', ') || 'none documented, see Custom Events'}`;
	});
}

/** A workflow that can be pasted onto the canvas: the trigger with its first event, and a step after it. */
function exampleWorkflow(packageName: string, trigger: INodeTypeDescription): string {
	const [first] = eventFields(trigger);
	const name = trigger.displayName;
	const workflow = {
		nodes: [
			{
				name,
				type: `${packageName}.${trigger.name}`,
				typeVersion: trigger.version,
				position: [0, 0],
				parameters: { events: documented(first).slice(0, 1) },
			},
			{
				name: 'Your Next Step',
				type: 'n8n-nodes-base.noOp',
				typeVersion: 1,
				position: [220, 0],
				parameters: {},
			},
		],
		connections: { [name]: { main: [[{ node: 'Your Next Step', type: 'main', index: 0 }]] } },
	};
	return JSON.stringify(workflow);
}

/** Events, once for each product: it is optional where custom events are entered. */
function eventFields({ properties }: INodeTypeDescription): INodeProperties[] {
	return properties.filter(({ name, required }) => name === 'events' && required);
}

function documented(field?: INodeProperties): string[] {
	return optionsOf(field)
		.map(({ value }) => String(value))
		.filter((value) => value !== '*');
}

function optionsOf(field?: INodeProperties): INodePropertyOptions[] {
	return (field?.options ?? []).filter((one): one is INodePropertyOptions => 'value' in one);
}
