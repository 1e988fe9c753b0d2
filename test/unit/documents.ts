import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Parts of the Markdown files of the project. */

export const ROOT = join(__dirname, '..', '..');

export function read(name: string): string {
	return readFileSync(join(ROOT, name), 'utf8');
}

/** The text below a heading, up to the next one of the same level or a higher one. */
export function section(text: string, heading: string): string {
	const level = heading.indexOf(' ');
	const [, after] = text.split(`\n${heading}\n`);
	if (after === undefined) throw new Error(`No heading "${heading}"`);
	return after.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
}

/** The cells of all table rows of a text: the header, the line below it, and the rest. */
export function tableRows(text: string): string[][] {
	return text
		.split('\n')
		.filter((line) => line.startsWith('|'))
		.map((line) =>
			line
				.split('|')
				.slice(1, -1)
				.map((cell) => cell.trim()),
		);
}
