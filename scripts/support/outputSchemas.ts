import { dirname, join } from 'node:path';

import type { INodeType } from 'n8n-workflow';
import { z } from 'zod/v4';

import { operationsIn } from '../../nodes/shared/action/operations';
import { triggerOutput } from '../../nodes/shared/trigger/output';
import { loadClass, loadFamily } from './loadSources';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What n8n's editor and Assistant read of the items that a node outputs. */
export interface OutputSchema {
	/** E.g. `nodes/Metigan/__schema__/v1.0.0/endpoint/get.json`. */
	readonly file: string;
	readonly content: JsonSchema;
}

/**
 * The schemas of a node, under the names that n8n looks for (n8n-core 2.39, output-schema-resolver.js):
 * `__schema__/v<version of the node>/<resource>/<operation>.json`, and `output.json` for a node without these.
 *
 * @param nodeSource - e.g. `nodes/Metigan/Metigan.node.ts`
 */
export async function outputSchemas(nodeSource: string): Promise<OutputSchema[]> {
	const { description } = await loadClass<INodeType>(nodeSource);
	const family = await loadFamily(nodeSource);
	const folder = join(dirname(nodeSource), '__schema__', `v${String(description.version)}.0.0`);
	if (description.group.includes('trigger')) {
		return [{ file: join(folder, 'output.json'), content: jsonSchema(triggerOutput(family)) }];
	}
	return operationsIn(family).flatMap(({ resource, value, output }) => {
		const fields = output(family);
		if (fields === undefined) return [];
		const file = join(folder, resource.value, `${value}.json`);
		return [{ file, content: jsonSchema(fields) }];
	});
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
