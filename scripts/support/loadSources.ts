import { basename, dirname, join } from 'node:path';

import type { ICredentialType, INodeType } from 'n8n-workflow';

import type { ProviderFamily } from '../../nodes/shared/provider';

/** The source of a compiled file that a manifest lists, e.g. `nodes/Metigan/Metigan.node.ts`. */
export function sourceOf(compiled: string): string {
	return compiled.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

/** The node or credential in a source that is named after its class. */
export async function loadClass<T extends INodeType | ICredentialType>(source: string): Promise<T> {
	const [name = ''] = basename(source).split('.');
	const exported = await load<Record<string, new () => T>>(source);
	const Class = exported[name];
	if (Class === undefined) throw new Error(`${source} exports no ${name}`);
	return new Class();
}

/** The provider data beside the source of a node. */
export async function loadFamily(nodeSource: string): Promise<ProviderFamily> {
	const file = join(dirname(nodeSource), 'provider.ts');
	const exported = await load<Record<string, ProviderFamily>>(file);
	const family = Object.values(exported).find(Array.isArray);
	if (family === undefined) throw new Error(`${file} exports no ProviderFamily`);
	return family;
}

async function load<T>(source: string): Promise<T> {
	return (await import(join(process.cwd(), source))) as T;
}
