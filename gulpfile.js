'use strict';

const { spawn } = require('node:child_process');
const { rm } = require('node:fs/promises');
const path = require('node:path');

const { dest, parallel, series, src } = require('gulp');

/** Runs a program of node_modules; the task fails with its exit code. */
function run(script, args = []) {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [path.join('node_modules', script), ...args], {
			stdio: 'inherit',
		});
		child.once('error', reject);
		child.once('exit', (code) =>
			code === 0 ? resolve() : reject(new Error(`${script} ended with code ${code}`)),
		);
	});
}

const clean = () => rm('dist', { recursive: true, force: true });
/** With SOURCE_MAPS=true also the maps that lead a debugger to the sources. */
const maps = process.env.SOURCE_MAPS === 'true' ? ['--sourceMap', '--sourceRoot', __dirname] : [];
const compile = () => run('typescript/bin/tsc', ['--project', 'tsconfig.build.json', ...maps]);
const icons = () =>
	src('{nodes,credentials}/**/*.{png,svg}', { encoding: false }).pipe(dest('dist'));
/** What the editor finds the nodes by, and the fields that it shows before the first run. */
const nodeFiles = () => run('tsx/dist/cli.mjs', ['scripts/node-files.ts']);
/** What lets n8n list the nodes without loading them: dist/known and dist/types. */
const metadata = () => run('n8n-core/bin/generate-metadata');

const refresh = series(parallel(compile, icons, nodeFiles), metadata);

exports.clean = clean;
exports.build = series(clean, refresh);
/** Builds over what is there, for whoever is using it. */
exports.refresh = refresh;
exports.default = exports.build;
