/** Writes what n8n reads beside the code of the nodes into `dist`. Part of the build. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { name, n8n } from '../package.json';
import { nodeFiles } from './support/nodeFiles';

async function main(): Promise<void> {
	for (const { file, content } of await nodeFiles(n8n.nodes, name)) {
		const path = join('dist', file);
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, JSON.stringify(content));
	}
}

void main();
