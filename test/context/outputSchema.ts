import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv } from 'ajv';
import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod';

/** What n8n's editor and Assistant read of a node's items, from the built package. */

const schemaSchema = z
	.object({ type: z.literal('object'), properties: z.record(z.unknown()) })
	.passthrough();
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

export interface OutputSchema {
	/** Names of the fields. */
	readonly fields: readonly string[];
	/** How items differ from it: a field that it does not have, one that is missing, a wrong type. */
	deviations(items: readonly IDataObject[]): string[];
}

/**
 * @param nodeFile - compiled file of the node, below `dist`
 * @param name - `<resource>/<operation>`, or `output` of a trigger
 * @returns undefined where the node has none of that name
 */
export function outputSchema(
	nodeFile: string,
	version: number,
	name: string,
): OutputSchema | undefined {
	const folder = path.join(__dirname, '../../dist', path.dirname(nodeFile), '__schema__');
	const file = path.join(folder, `v${version}.0.0`, `${name}.json`);
	if (!existsSync(file)) return undefined;
	const schema = schemaSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
	const validate = ajv.compile(schema);
	return {
		fields: Object.keys(schema.properties),
		deviations: (items) =>
			items.flatMap((item) =>
				validate(item)
					? []
					: (validate.errors ?? []).map(
							({ instancePath, message, params }) =>
								`${name}${instancePath} ${message}: ${JSON.stringify(params)}`,
						),
			),
	};
}
