import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Placed by name in packages/README.template.md. */
type Parts = Readonly<Record<string, string>>;

const option = z.object({
	name: z.string(),
	value: z.unknown(),
	description: z.string().optional(),
});
const property = z.object({
	displayName: z.string(),
	name: z.string(),
	description: z.string().optional(),
	// Of a collection these are properties, which have no value.
	options: z.array(option.partial({ name: true }).passthrough()).optional(),
	displayOptions: z
		.object({ show: z.record(z.array(z.unknown())) })
		.partial()
		.optional(),
});
const described = z.object({
	displayName: z.string(),
	description: z.string().optional(),
	properties: z.array(property),
});
const descriptions = z.array(described);

type Described = z.output<typeof described>;

/**
 * The README of a single-service package: the template, filled with what the package's own nodes
 * and credentials say of themselves.
 *
 * @param folder - of the package, with `dist` built
 * @param manifest - the package's name and description
 * @throws Error when the template asks for something that is not given
 */
export async function renderReadme(
	template: string,
	folder: string,
	manifest: { name: string; description: string },
): Promise<string> {
	const read = async (kind: string) =>
		descriptions.parse(JSON.parse(await readFile(join(folder, 'dist', 'types', kind), 'utf8')));
	const nodes = await read('nodes.json');
	const credentials = await read('credentials.json');
	return fill(template, {
		name: manifest.name,
		description: manifest.description,
		nodes: nodes.map((node) => `- **${node.displayName}**: ${node.description ?? ''}`).join('\n'),
		credentials: credentials.map(credentialFields).join('\n\n'),
		events: nodes.flatMap(eventLists).join('\n'),
	});
}

function credentialFields({ displayName, properties }: Described): string {
	const fields = properties.map(
		(field) => `- **${field.displayName}**${field.description ? `: ${field.description}` : ''}`,
	);
	return `**${displayName}**\n\n${fields.join('\n')}`;
}

/** The events a trigger offers, one line for each product. */
function eventLists(node: Described): string[] {
	if (!node.displayName.endsWith('Trigger')) return [];
	const products = node.properties.find(({ name }) => name === 'product')?.options ?? [];
	return node.properties
		.filter(({ name }) => name === 'events')
		.map(({ options = [], displayOptions }) => {
			const [product] = displayOptions?.show?.['product'] ?? [];
			const title = products.find(({ value }) => value === product)?.name ?? node.displayName;
			const names = options.map(({ value }) => value).filter((value) => value !== '*');
			const list = names.map((name) => `\`${String(name)}\``).join(', ');
			return `- **${title}**: ${list || 'none documented, see Custom Events'}`;
		});
}

function fill(template: string, parts: Parts): string {
	return template.replace(/\{\{(\w+)\}\}/g, (_match, name: string) => {
		const part = parts[name];
		if (part === undefined) throw new Error(`the README template asks for "${name}"`);
		return part;
	});
}
