import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from '@jest/globals';

import type { Bed } from '../../testkit/publishTrigger';
import { useN8n } from '../useN8n';

/**
 * As {@link useN8n}, with a script of this folder that is required before n8n and writes down what n8n does.
 *
 * @param variable - the environment variable that tells the script its file
 * @returns reads the lines so far
 */
export function useRecordedN8n(
	keep: (bed: Bed) => void,
	script: string,
	variable: string,
	env: Record<string, string> = {},
): () => string[] {
	const file = join(tmpdir(), `n8n-record-${randomUUID()}`);
	const required = `--require "${join(__dirname, script)}"`;
	useN8n(keep, { env: { ...env, NODE_OPTIONS: required, [variable]: file } });
	afterAll(async () => await rm(file, { force: true }));
	return () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
}
