import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { operationsIn } from '../../nodes/shared/action/operations';
import type { ProviderFamily } from '../../nodes/shared/provider';
import { loadFamily } from './loadSources';

const codexSchema = z.object({ node: z.string(), alias: z.array(z.string()) });

/**
 * The codex of a node, with everything that the search for nodes is to find it by.
 *
 * @param nodeSource - e.g. `nodes/Metigan/Metigan.node.ts`; the codex is beside it
 * @param packageName - of the package that the node is published in
 */
export async function codexOf(nodeSource: string, packageName: string): Promise<object> {
	const codex: object = JSON.parse(await readFile(codexFile(nodeSource), 'utf8'));
	const { node, alias } = codexSchema.parse(codex);
	const all = new Set([...alias, ...aliasesIn(await loadFamily(nodeSource))]);
	return { ...codex, node: node.replace(/^[^.]+/, packageName), alias: [...all] };
}

/** E.g. `nodes/Metigan/Metigan.node.json`. */
export function codexFile(nodeSource: string): string {
	return nodeSource.replace(/\.ts$/, '.json');
}

/**
 * A provider's products, the labels of its events, what its operations do. n8n finds words in their order
 * within one of these, whatever is between them.
 */
function aliasesIn(family: ProviderFamily): string[] {
	const names = family.map(({ displayName }) => displayName);
	return [
		...names.flatMap((name) => [name, name.replaceAll(/\W/g, ''), `webhook ${name}`]),
		...family.flatMap(({ events }) => events.map(({ label }) => label)),
		...operationsIn(family).flatMap(({ action, resource: { name } }) => [
			`${name} ${action}`,
			`${action} ${name}`,
		]),
		...['hmac signature', 'signing secret'],
	].map((words) => words.toLowerCase().replaceAll(/\b(an?|the) /g, ''));
}
