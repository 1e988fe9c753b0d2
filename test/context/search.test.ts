import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { mailPanda } from '../../nodes/MailPanda/provider';
import { metigan } from '../../nodes/Metigan/provider';
import { misar } from '../../nodes/Misar/provider';
import { misarBlog } from '../../nodes/MisarBlog/provider';
import { operationsIn } from '../../nodes/shared/action/operations';
import { SEARCHES } from '../../testkit/searches';

/** What the editor's search for nodes finds in the built package: names and aliases, as n8n compares them. */

const codexSchema = z.object({ alias: z.array(z.string()) });

const nodes = [
	{ name: 'Misar', folder: 'Misar', family: misar },
	{ name: 'Misar.Blog', folder: 'MisarBlog', family: misarBlog },
	{ name: 'Mail Panda', folder: 'MailPanda', family: mailPanda },
	{ name: 'Metigan', folder: 'Metigan', family: metigan },
].flatMap(({ name, folder, family }) =>
	['', 'Trigger'].map((suffix) => {
		const file = join(__dirname, '../../dist/nodes', folder, `${folder}${suffix}.node.json`);
		const { alias } = codexSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
		return { title: `${name} ${suffix}`.trim(), name, family, searched: [name, ...alias] };
	}),
);

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
		const queries = SEARCHES.filter(([, found]) => found.includes(name)).map(([query]) => query);
		expect(queries.length).toBeGreaterThan(5);
		expect(queries.filter((query) => !isFound(query))).toEqual([]);
	});

	it('is not found by unrelated words', () => {
		expect(['invoice', 'calendar', 'kubernetes', 'qzx'].filter(isFound)).toEqual([]);
	});
});
