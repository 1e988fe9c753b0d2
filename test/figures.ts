import { asTable } from '../testkit/table';

/**
 * Prints the figures that a test measured, as one table. Written past jest's console, which would
 * add where each line was printed from.
 */
export function printFigures(title: string, rows: ReadonlyArray<readonly string[]>): void {
	process.stdout.write(`\n${title}\n\n${asTable(rows)}\n\n`);
}
