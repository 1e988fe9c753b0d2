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

describe('a repository may be written to', () => {
	it('a folder that there is not yet', async () => {
		expect(await writtenBefore(join(folder, 'new'))).toEqual([]);
	});

	it('an empty clone', async () => {
		await put('.git/HEAD');
		expect(await writtenBefore(folder)).toEqual([]);
	});

	it('one that was written before, which is replaced but for what work in it left', async () => {
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

describe('a repository is not written to', () => {
	it.each(['README.md', 'nodes/dist/mine.ts'])('a folder with a file %s', async (file) => {
		await put(file);
		await expect(writtenBefore(folder)).rejects.toThrow(`${folder} holds ${file}, which`);
	});

	it('one that was written before and holds a file more', async () => {
		await putList('README.md');
		await put('README.md');
		await put('nodes/mine.ts');
		await expect(writtenBefore(folder)).rejects.toThrow('holds nodes/mine.ts, which');
	});
});
