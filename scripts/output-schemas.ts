/**
 * Writes what the nodes of the package output into `dist`, where n8n looks for it: the editor shows the
 * fields before the first run. Part of the build.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { outputSchemas } from './support/outputSchemas';

const manifestSchema = z.object({ n8n: z.object({ nodes: z.array(z.string()) }) });

async function main(): Promise<void> {
	const { n8n } = manifestSchema.parse(JSON.parse(await readFile('package.json', 'utf8')));
	const sources = n8n.nodes.map((file) => file.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
	for (const { file, schema } of await outputSchemas(sources)) {
		const path = join('dist', file);
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, JSON.stringify(schema));
	}
}

void main();
