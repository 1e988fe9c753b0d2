import { asTable } from '../../testkit/table';

/** Three significant digits. */
export function fixed(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

export function times(value: number): string {
	return `${value.toFixed(2)}x`;
}

export function percent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}

/** A Markdown table that is a table in a terminal as well; the first row is the heading. */
export function asMarkdownTable([heading = [], ...rows]: ReadonlyArray<readonly string[]>): string {
	const rule = heading.map((cell) => '-'.repeat(Math.max(3, cell.length)));
	const barred = [heading, rule, ...rows].map((row) => [...row.map((cell) => `| ${cell}`), '|']);
	return asTable(barred);
}
