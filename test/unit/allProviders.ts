import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { jest } from '@jest/globals';

import type { Provider, ProviderFamily } from '../../nodes/shared/provider';

const NODES = join(__dirname, '..', '..', 'nodes');

/** The data of every provider and product: the families exported by nodes/<Provider>/provider.ts. */
export const allProviders: readonly Provider[] = readdirSync(NODES)
	.filter((folder) => folder !== 'shared')
	.sort()
	.flatMap((folder) => {
		const file = join(NODES, folder, 'provider');
		return Object.values(jest.requireActual<Record<string, unknown>>(file));
	})
	.filter(isFamily)
	.flat();

function isFamily(exported: unknown): exported is ProviderFamily {
	return Array.isArray(exported);
}
