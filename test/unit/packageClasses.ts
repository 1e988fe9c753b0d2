import { join } from 'node:path';

import { jest } from '@jest/globals';
import type { ICredentialType, INodeType } from 'n8n-workflow';

import manifest from '../../package.json';

/** Instances of the node and credential classes that the manifest lists, made from their sources. */

export const nodes = instancesOf<INodeType>(manifest.n8n.nodes);
export const triggers = nodes.filter(({ trigger }) => trigger !== undefined);
export const credentials = instancesOf<ICredentialType>(manifest.n8n.credentials);

function instancesOf<T>(files: readonly string[]): T[] {
	return files.map((file) => {
		const source = join(__dirname, '../..', file.replace(/^dist\//, '').replace(/\.js$/, ''));
		const [Class] = Object.values(jest.requireActual<Record<string, new () => T>>(source));
		if (Class === undefined) throw new Error(`${file} exports nothing`);
		return new Class();
	});
}
