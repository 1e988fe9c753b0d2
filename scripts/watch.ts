/**
 * Runs tests again after each change: `npm run test:watch -- <part of a test file's path>`, in unit
 * and context tests. The package is kept built for the context tests.
 */
import { join } from 'node:path';
import { build } from '../testkit/artifacts';
import { Interrupted, runNode } from '../testkit/command';
import { rebuildOnChange } from './support/sources';

async function watch(jestOptions: string[]): Promise<number> {
	await build();
	const rebuilding = await rebuildOnChange(async () => {});
	try {
		const jest = join('node_modules', 'jest', 'bin', 'jest.js');
		const projects = ['--selectProjects', 'unit', 'context'];
		return await runNode(jest, ['--watchAll', ...jestOptions, ...projects], {
			stdin: true,
		});
	} finally {
		await rebuilding.close();
	}
}

void watch(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		if (!(error instanceof Interrupted)) console.error(error);
		process.exitCode = 1;
	},
);
