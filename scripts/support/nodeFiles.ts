import { codexFile, codexOf } from './codex';
import { sourceOf } from './loadSources';
import { outputSchemas } from './outputSchemas';

/** A JSON file that n8n reads beside the code of a node. */
export interface NodeFile {
	/** Relative to the package, or to its `dist` once it is built. */
	readonly file: string;
	readonly content: object;
}

/**
 * What n8n's search, editor and Assistant read of the nodes of a package: each node's codex, and the fields
 * of its items.
 *
 * @param nodes - compiled files, as a manifest lists them
 */
export async function nodeFiles(
	nodes: readonly string[],
	packageName: string,
): Promise<NodeFile[]> {
	const files = nodes
		.map(sourceOf)
		.map(async (source) => [
			{ file: codexFile(source), content: await codexOf(source, packageName) },
			...(await outputSchemas(source)),
		]);
	return (await Promise.all(files)).flat();
}
