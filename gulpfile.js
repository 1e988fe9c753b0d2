'use strict';

const { spawn } = require('node:child_process');
const { rm } = require('node:fs/promises');
const path = require('node:path');
const { Transform } = require('node:stream');

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

/**
 * What the search for nodes finds a provider by, from its compiled facts: its products, the labels of its events, what
 * its operations do. n8n finds words in their order within one of these, whatever is between them.
 */
function aliasesIn(folder) {
	const family = Object.values(require(path.join(folder, 'provider.js'))).find(Array.isArray);
	const { operationsIn } = require(path.join(folder, '../shared/action/operations.js'));
	const names = family.map(({ displayName }) => displayName);
	return [
		...names.flatMap((name) => [name, name.replaceAll(/\W/g, ''), `webhook ${name}`]),
		...family.flatMap(({ events }) => events.map(({ label }) => label)),
		...operationsIn(family).flatMap(({ action, resource: { name } }) => [
			`${name} ${action}`,
			`${action} ${name}`,
		]),
		...['hmac signature', 'signing secret'],
	].map((words) => words.toLowerCase().replaceAll(/\b(an?|the) /g, ''));
}

/** Adds them to the words that a codex file has of its own. */
function withAliases() {
	return new Transform({
		objectMode: true,
		transform(file, _encoding, done) {
			const content = JSON.parse(file.contents.toString());
			const found = aliasesIn(path.join(__dirname, 'dist/nodes', path.dirname(file.relative)));
			const alias = [...new Set([...content.alias, ...found])];
			file.contents = Buffer.from(JSON.stringify({ ...content, alias }));
			done(null, file);
		},
	});
}

const clean = () => rm('dist', { recursive: true, force: true });
/** With SOURCE_MAPS=true also the maps that lead a debugger to the sources. */
const maps = process.env.SOURCE_MAPS === 'true' ? ['--sourceMap', '--sourceRoot', __dirname] : [];
const compile = () => run('typescript/bin/tsc', ['--project', 'tsconfig.build.json', ...maps]);
const icons = () =>
	src('{nodes,credentials}/**/*.{png,svg}', { encoding: false }).pipe(dest('dist'));
const codex = () => src('nodes/**/*.node.json').pipe(withAliases()).pipe(dest('dist/nodes'));
/** The fields that the editor shows before the first run. */
const schemas = () => run('tsx/dist/cli.mjs', ['scripts/output-schemas.ts']);
/** What lets n8n list the nodes without loading them: dist/known and dist/types. */
const metadata = () => run('n8n-core/bin/generate-metadata');

const refresh = series(parallel(compile, icons, schemas), codex, metadata);

exports.clean = clean;
exports.build = series(clean, refresh);
/** Builds over what is there, for whoever is using it. */
exports.refresh = refresh;
exports.default = exports.build;
