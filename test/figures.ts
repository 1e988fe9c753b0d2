import { asTable } from '../testkit/table';

/**
 * Prints the figures that a test measured, as one table. It bypasses Jest's console, which would
 * add the place in the code to each line.
 */
export function printFigures(title: string, rows: ReadonlyArray<readonly string[]>): void {
	process.stdout.write(`\n${title}\n\n${asTable(rows)}\n\n`);
}
