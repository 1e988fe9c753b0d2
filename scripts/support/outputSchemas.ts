import { basename, dirname, join } from 'node:path';

import type { INodeType } from 'n8n-workflow';
import { z } from 'zod/v4';

import { operationsIn } from '../../nodes/shared/action/operations';
import type { ProviderFamily } from '../../nodes/shared/provider';
import { triggerOutput } from '../../nodes/shared/trigger/output';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What n8n's editor and Assistant read of the items that a node outputs. */
export interface OutputSchema {
	/** E.g. `nodes/Metigan/__schema__/v1.0.0/endpoint/get.json`. */
	readonly file: string;
	readonly schema: JsonSchema;
}

/**
 * The schemas of some nodes, under the names that n8n looks for (n8n-core 2.39, output-schema-resolver.js):
 * `__schema__/v<version of the node>/<resource>/<operation>.json`, and `output.json` for a node without these.
 *
 * @param nodeFiles - sources relative to this repository, e.g. `nodes/Metigan/Metigan.node.ts`
 */
export async function outputSchemas(nodeFiles: readonly string[]): Promise<OutputSchema[]> {
	const found = await Promise.all(nodeFiles.map(async (file) => await schemasOf(file)));
	return found.flat();
}

async function schemasOf(nodeFile: string): Promise<OutputSchema[]> {
	const { description } = await loadNode(nodeFile);
	const family = await loadFamily(dirname(nodeFile));
	const folder = join(dirname(nodeFile), '__schema__', `v${String(description.version)}.0.0`);
	if (description.group.includes('trigger')) {
		return [{ file: join(folder, 'output.json'), schema: jsonSchema(triggerOutput(family)) }];
	}
	return operationsIn(family).flatMap(({ resource, value, output }) => {
		const fields = output(family);
		if (fields === undefined) return [];
		const file = join(folder, resource.value, `${value}.json`);
		return [{ file, schema: jsonSchema(fields) }];
	});
}

async function loadNode(nodeFile: string): Promise<INodeType> {
	const exported = await load<Record<string, new () => INodeType>>(nodeFile);
	const Node = exported[basename(nodeFile, '.node.ts')];
	if (Node === undefined)
		throw new Error(`${nodeFile} does not export the class it is named after`);
	return new Node();
}

async function loadFamily(folder: string): Promise<ProviderFamily> {
	const file = join(folder, 'provider.ts');
	const family = Object.values(await load<Record<string, ProviderFamily>>(file)).find(
		Array.isArray,
	);
	if (family === undefined) throw new Error(`${file} exports no ProviderFamily`);
	return family;
}

async function load<T>(file: string): Promise<T> {
	return (await import(join(process.cwd(), file))) as T;
}

/** The editor reads the first of several types, and no alternatives. */
function jsonSchema(fields: z.ZodObject): JsonSchema {
	const schema = z.toJSONSchema(fields, {
		target: 'draft-7',
		override: ({ jsonSchema: part }) => {
			const [type, ...others] = part.anyOf ?? [];
			if (type === undefined || others.length !== 1 || others[0]?.type !== 'null') return;
			delete part.anyOf;
			Object.assign(part, type, { type: [type.type, 'null'] });
		},
	});
	delete schema.$schema;
	return schema;
}
