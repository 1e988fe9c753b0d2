import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { z } from 'zod';

/** Lists the files of a repository that a command wrote. */
export const LIST = '.generated.json';
const listSchema = z.object({ files: z.array(z.string()) });
/** What work in a repository leaves there. */
const NOT_WRITTEN = ['.git', 'node_modules', 'dist'];

/**
 * The files that a repository was written with last time, to be replaced by new ones: none for a new folder.
 *
 * @throws Error when the folder holds anything else, which would be mixed up with the new files
 */
export async function writtenBefore(folder: string): Promise<string[]> {
	const present = await filesIn(folder, NOT_WRITTEN);
	const written = present.includes(LIST)
		? [LIST, ...listSchema.parse(JSON.parse(await readFile(join(folder, LIST), 'utf8'))).files]
		: [];
	const other = present.find((file) => !written.includes(file));
	if (other !== undefined) {
		throw new Error(
			`${folder} holds ${other}, which this command did not write. Name an empty folder, or a repository that it wrote.`,
		);
	}
	return present;
}

/** The files below a folder that may not exist yet, as paths relative to it. */
export async function filesIn(folder: string, ignored: readonly string[] = []): Promise<string[]> {
	if (!existsSync(folder)) return [];
	const entries = await readdir(folder, { withFileTypes: true });
	const files = await Promise.all(
		entries
			.filter(({ name }) => !ignored.includes(name))
			.map(async (entry) => {
				const path = join(folder, entry.name);
				if (!entry.isDirectory()) return [path];
				return (await filesIn(path)).map((file) => join(path, file));
			}),
	);
	return files
		.flat()
		.map((file) => relative(folder, file))
		.sort();
}
