/** Checks the types of everything that runs in Node, and of the sandbox's page, which runs in a browser. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const TSC = path.join('node_modules', 'typescript', 'bin', 'tsc');

const results = ['.', path.join('sandbox', 'page', 'client')].map((project) =>
	spawnSync(process.execPath, [TSC, '--noEmit', '--project', project], { stdio: 'inherit' }),
);
process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1;
