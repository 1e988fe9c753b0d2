import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { jest } from '@jest/globals';

import type { Provider, ProviderFamily } from '../../nodes/shared/provider';

const NODES = join(__dirname, '..', '..', 'nodes');

/** Every folder of a provider below nodes/, with the family that its provider.ts exports. */
export const families = readdirSync(NODES)
	.filter((folder) => folder !== 'shared')
	.sort()
	.map((folder) => {
		const file = join(NODES, folder, 'provider');
		const exported = jest.requireActual<Record<string, unknown>>(file);
		const family = Object.values(exported).find(isFamily);
		if (family === undefined) throw new Error(`${file}.ts exports no ProviderFamily`);
		return { folder, family };
	});

/** The data of every provider and product. */
export const allProviders: readonly Provider[] = families.flatMap(({ family }) => family);

/** @param name as the editor shows it, e.g. "Misar Mail" */
export function providerNamed(name: string): Provider {
	const found = allProviders.find(({ displayName }) => displayName === name);
	if (found === undefined) throw new Error(`No provider is called ${name}`);
	return found;
}

function isFamily(exported: unknown): exported is ProviderFamily {
	return Array.isArray(exported);
}
