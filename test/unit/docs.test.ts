import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import MarkdownIt from 'markdown-it';

import { operationsOf } from '../../nodes/shared/action/operations';
import type { Operation } from '../../nodes/shared/provider';
import { allProviders, families, providerNamed } from './allProviders';
import { read, ROOT, section, tableRows } from './documents';
import { messagesOfTheNodes } from './messages';

/** The documents are correct: links have targets, and messages and events are those of the nodes. */

const markdown = new MarkdownIt({ html: true });

type Token = ReturnType<MarkdownIt['parse']>[number];

/** Files of the project, including those that are not committed yet. */
function filesOf(pattern: string): string[] {
	const list = ['ls-files', '-co', '--exclude-standard', pattern];
	return execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' })
		.split('\n')
		.filter((name) => name !== '');
}

const documents = filesOf('*.md');

function tokensOf(name: string): Token[] {
	return markdown.parse(read(name), {}).flatMap((token) => [token, ...(token.children ?? [])]);
}

function targetsIn(name: string): string[] {
	return tokensOf(name)
		.map((token) => token.attrGet('href') ?? token.attrGet('src'))
		.filter((target) => target !== null);
}

/** The names that GitHub gives to the headings of a document. */
function anchorsOf(name: string): string[] {
	const tokens = tokensOf(name);
	return tokens
		.filter((_, at) => tokens[at - 1]?.type === 'heading_open')
		.map(({ content }) =>
			content
				.toLowerCase()
				.replace(/[^\p{L}\p{N}\s_-]/gu, '')
				.replace(/\s/g, '-'),
		);
}

/** The code in the first column of every table of a text. */
function firstColumn(text: string): string[] {
	return [...text.matchAll(/^\| `(.+?)`\s*\|/gm)].map(([, code = '']) => code);
}

const external = (target: string) => /^[a-z]+:/.test(target);

describe.each(documents)('%s', (name) => {
	const targets = targetsIn(name);

	it('links only to files and headings that exist', () => {
		const broken = targets
			.filter((target) => !external(target))
			.filter((target) => {
				const [path = '', anchor] = target.split('#');
				const file = path === '' ? name : relative(ROOT, join(ROOT, dirname(name), path));
				if (!existsSync(join(ROOT, file))) return true;
				return anchor !== undefined && !anchorsOf(file).includes(anchor);
			});
		expect(broken).toEqual([]);
	});

	it('links to the web by HTTPS', () => {
		const odd = targets
			.filter(external)
			.filter((target) => !URL.canParse(target) || !target.startsWith('https://'));
		expect(odd).toEqual([]);
	});
});

const isFile = (name: string) => existsSync(join(ROOT, name));

/** The tests that a text names, each as its file and its title in “quotation marks”. */
function citedTests(text: string): Array<{ file: string; title: string }> {
	return [...text.matchAll(/([\w/]+) ((?:“[^”]+”(?:, )?)+)/g)].flatMap(
		([, name = '', titles = '']) =>
			[...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({
				file: [`test/${name}.test.ts`, `test/${name}.ts`].find(isFile) ?? name,
				title: title.replaceAll('`', ''),
			})),
	);
}

describe('docs/what-can-be-lost.md', () => {
	const rows = read('docs/what-can-be-lost.md')
		.split('\n')
		.filter((line) => line.startsWith('| ') && !/^\| (?:When|-)/.test(line));

	it('names a test in every row', () => {
		expect(rows.length).toBeGreaterThan(10);
		expect(rows.filter((row) => citedTests(row).length === 0)).toEqual([]);
	});

	it.each(rows.flatMap(citedTests))('$file has a test "$title"', ({ file, title }) => {
		expect(read(file)).toContain(title);
	});
});

describe('SECURITY.md', () => {
	const threats = section(read('SECURITY.md'), '## Threats and countermeasures')
		.split(/^- /m)
		.slice(1)
		.map((entry) => entry.trim().replaceAll(/\s+/g, ' '));
	const cited = threats.flatMap(citedTests);

	it('names a test, or a check, for every threat', () => {
		expect(threats.length).toBeGreaterThan(10);
		expect(
			threats.filter((threat) => !/ Tests: (?:\w+\/\w+ “|`npm run lint`$)/.test(threat)),
		).toEqual([]);
		const quoted = threats.flatMap((threat) => threat.match(/“/g) ?? []);
		expect(cited).toHaveLength(quoted.length);
	});

	it.each(cited)('$file has a test "$title"', ({ file, title }) => {
		expect(read(file)).toContain(title);
	});
});

describe('docs/troubleshooting.md', () => {
	it('explains every message that the nodes and credentials give, and no other', () => {
		const explained = firstColumn(section(read('docs/troubleshooting.md'), '## Messages'));
		expect([...explained].sort()).toEqual([...messagesOfTheNodes(ROOT)].sort());
	});
});

describe('docs/providers.md', () => {
	it.each(allProviders)('lists the events of $displayName', ({ displayName, events }) => {
		const [row, ...more] = section(read('docs/providers.md'), '## Events')
			.split('\n')
			.filter((line) => line.startsWith(`| ${displayName} `));
		const listed = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, event]) => event);
		expect({ displayName, listed, more }).toEqual({
			displayName,
			listed: events.map(({ name }) => name),
			more: [],
		});
	});
});

describe('templates/README.md', () => {
	const [header = [], , ...rows] = tableRows(read('templates/README.md'));

	it('says of every template what it needs, how difficult it is and how long it takes', () => {
		expect(header).toEqual([
			'Template',
			'What it does',
			'Services needed',
			'Difficulty',
			'Minutes',
		]);
		expect(rows).not.toEqual([]);
		for (const row of rows) {
			expect(row).toEqual([
				expect.stringMatching(/^\[.+\]\(.+\.json\)$/),
				expect.stringMatching(/./),
				expect.stringMatching(/./),
				expect.stringMatching(/^(easy|medium|advanced)$/),
				expect.stringMatching(/^\d+$/),
			]);
		}
	});

	it('calls the templates by their names', () => {
		for (const [link = ''] of rows) {
			const [, title, file = ''] = /^\[(.+)\]\((.+)\)$/.exec(link) ?? [];
			expect(JSON.parse(read(join('templates', file)))).toMatchObject({ name: title });
		}
	});
});

describe('the commands in the documents', () => {
	it('are the two that the README gives to developers', () => {
		const command = (number: number) =>
			execFileSync(process.execPath, ['scripts/readme-command.mjs', String(number)], {
				cwd: ROOT,
				encoding: 'utf8',
			}).trim();
		expect([command(1), command(2)]).toEqual(['npm start', 'npm test']);
	});

	it('are scripts of package.json', () => {
		const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
		const named = documents.flatMap((name) =>
			[...read(name).matchAll(/npm run ([a-z0-9:-]+)/g)].map(([, script = '']) => script),
		);
		expect(named.length).toBeGreaterThan(20);
		expect(named.filter((script) => !(script in scripts))).toEqual([]);
	});
});

describe('docs/actions.md', () => {
	const [header = [], , ...rows] = tableRows(read('docs/actions.md'));
	const WORDS = { documented: 'yes', unconfirmed: 'tried', missing: '' } as const;
	const operations = [...new Set(allProviders.flatMap(operationsOf))];
	const rowsOf = ({ resource, name }: Operation) =>
		rows.filter(
			([of = '', names = '']) =>
				of.toLowerCase() === resource.value &&
				names
					.replace(/ \([^)]*\)/g, '')
					.split(', ')
					.includes(name),
		);

	it('has one row with each operation of the action nodes', () => {
		const found = operations.map((one) => [
			`${one.resource.value}: ${one.name}`,
			rowsOf(one).length,
		]);
		expect(found).toEqual(found.map(([name]) => [name, 1]));
	});

	it('has a column for each provider that an action node calls', () => {
		const called = allProviders.filter(({ api, operations: own }) => api ?? own);
		expect([...header.slice(2)].sort()).toEqual(
			called.map(({ displayName }) => displayName).sort(),
		);
	});

	it.each(header.slice(2))('says what %s offers', (column) => {
		const provider = providerNamed(column);
		const cells = operations.map((one) => [one.name, rowsOf(one)[0]?.[header.indexOf(column)]]);
		expect(cells).toEqual(
			operations.map((one) => [
				one.name,
				WORDS[(operationsOf(provider).includes(one) && one.offered(provider)) || 'missing'],
			]),
		);
	});
});

describe('the link Docs of a node', () => {
	const BASE = 'https://github.com/n8n-nodes-misar-metigan/n8n-nodes-misar-metigan/blob/main/';
	const files = filesOf('nodes/*/*.node.json');

	it.each(files)('in %s leads to the section about it', (file) => {
		const codex: { resources: { primaryDocumentation: Array<{ url: string }> } } = JSON.parse(
			read(file),
		);
		const [{ url = '' } = {}] = codex.resources.primaryDocumentation;
		expect(url).toContain(BASE);
		const [page = '', anchor = ''] = url.slice(BASE.length).split('#');
		expect(page).toBe(file.includes('Trigger') ? 'docs/providers.md' : 'docs/actions.md');
		expect(anchorsOf(page).map((one) => `${page}#${one}`)).toContain(`${page}#${anchor}`);
		expect(file.toLowerCase()).toContain(`/${anchor.replaceAll('-', '')}/`);
	});
});

it('the README stays short enough to be read', () => {
	// A provider has its names, and a row of a table.
	const limit = 10_800 + 300 * families.length;
	expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(limit);
});
