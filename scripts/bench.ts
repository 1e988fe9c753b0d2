/**
 * Measures the package: `npm run bench [section…] [--quick]`. Prints tables; a full run, of all
 * sections and not quick, writes them to bench/RESULTS.md as well.
 */
import { runBench } from '../bench/run';

const args = process.argv.slice(2);
const sections = args.filter((arg) => arg !== '--quick');

runBench(sections, args.includes('--quick')).catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
