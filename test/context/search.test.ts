import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import type { INodeType } from 'n8n-workflow';
import { z } from 'zod';

import { operationsIn } from '../../nodes/shared/action/operations';
import manifest from '../../package.json';
import { SEARCHES } from '../../testkit/searches';
import { families } from '../unit/allProviders';
import { instantiate } from './providers';

/** What the editor's search for nodes finds in the built package: names and aliases, as n8n compares them. */

const codexSchema = z.object({ alias: z.array(z.string()) });

const nodes = families.flatMap(({ folder, family }) =>
	manifest.n8n.nodes
		.filter((file) => file.includes(`/${folder}/`))
		.map((file) => {
			const { displayName: title } = instantiate<INodeType>(file.replace('dist/', '')).description;
			const codex = readFileSync(join(__dirname, '../..', file.replace(/js$/, 'json')), 'utf8');
			const { alias } = codexSchema.parse(JSON.parse(codex));
			const name = title.replace(/ Trigger$/, '');
			return { title, name, family, searched: [name, ...alias] };
		}),
);

/** The nodes that SEARCHES names. A search that finds all of them is to find any other, too. */
const named = new Set(SEARCHES.flatMap(([, found]) => found));

/** `fuzzyMatchSimple` of n8n's editor: the letters of the query, in their order. */
function matches(query: string, text: string): boolean {
	const letters = [...text.toLowerCase()];
	return [...query.toLowerCase()].every((letter) => {
		const at = letters.indexOf(letter);
		letters.splice(0, at + 1);
		return at !== -1;
	});
}

describe.each(nodes.map((node) => [node.title, node] as const))('%s', (_title, node) => {
	const { name, family, searched } = node;
	const isFound = (query: string) => searched.some((text) => matches(query, text));

	it('is found by its products and the labels of their events', () => {
		const labels = family.flatMap(({ displayName, events }) => [
			displayName,
			...events.map(({ label }) => label),
		]);
		expect(labels.filter((label) => !isFound(label))).toEqual([]);
	});

	it('is found by its resources and operations', () => {
		const words = operationsIn(family).flatMap(({ resource, name: operation, action }) => [
			resource.name,
			`${action.split(' ')[0] ?? ''} ${resource.name}`,
			operation === 'Get Many' ? `get many ${resource.name}` : action.replace(/ an? /g, ' '),
		]);
		expect(words.length).toBeGreaterThan(6);
		expect(words.filter((word) => !isFound(word))).toEqual([]);
	});

	it('is found by words of people who do not know its name', () => {
		const queries = SEARCHES.filter(
			([, found]) => found.includes(name) || found.length === named.size,
		).map(([query]) => query);
		expect(queries.length).toBeGreaterThan(2);
		expect(queries.filter((query) => !isFound(query))).toEqual([]);
	});

	it('is not found by unrelated words', () => {
		expect(['invoice', 'calendar', 'kubernetes', 'qzx'].filter(isFound)).toEqual([]);
	});
});
