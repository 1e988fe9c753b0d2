import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { writtenBefore } from '../../scripts/support/singleFolder';

/** Where the repository of a single service may be written to. */

let folder: string;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'single-folder-'));
});
afterEach(async () => {
	await rm(folder, { recursive: true });
});

async function put(file: string, text = ''): Promise<void> {
	await mkdir(dirname(join(folder, file)), { recursive: true });
	await writeFile(join(folder, file), text);
}

const putList = async (...files: string[]) =>
	await put('.generated.json', JSON.stringify({ files }));

describe('the repository of a single service may be written', () => {
	it('to a new folder', async () => {
		expect(await writtenBefore(join(folder, 'new'))).toEqual([]);
	});

	it('to an empty clone', async () => {
		await put('.git/HEAD');
		expect(await writtenBefore(folder)).toEqual([]);
	});

	it('over an earlier one, where build output and dependencies are kept', async () => {
		await putList('README.md', 'nodes/Gone.ts', 'nodes/shared/url.ts');
		for (const file of ['README.md', 'nodes/shared/url.ts']) await put(file);
		for (const left of ['.git/HEAD', 'node_modules/zod/index.js', 'dist/index.js']) await put(left);
		expect(await writtenBefore(folder)).toEqual([
			'.generated.json',
			'README.md',
			'nodes/shared/url.ts',
		]);
	});
});

describe('the repository of a single service may not be written', () => {
	it.each(['README.md', 'nodes/dist/mine.ts'])('to a folder with a file %s', async (file) => {
		await put(file);
		await expect(writtenBefore(folder)).rejects.toThrow(`${folder} holds ${file}, which`);
	});

	it('over an earlier one that holds another file', async () => {
		await putList('README.md');
		await put('README.md');
		await put('nodes/mine.ts');
		await expect(writtenBefore(folder)).rejects.toThrow('holds nodes/mine.ts, which');
	});
});
