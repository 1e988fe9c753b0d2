/**
 * Makes the package of one service from the same sources, as n8n asks for before it verifies a package:
 * `npm run pack:single -- <provider>` leaves its tarball, which has passed the lint gate, in packages/ or in
 * the folder that `--out` names. With `--repository <folder>` it writes the repository that the package is
 * published from instead. The path of what it made is the last line.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageOf, packSingle, singleProviders } from './support/singlePackage';
import { writeRepository } from './support/singleRepository';

async function main(): Promise<number> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { out: { type: 'string' }, repository: { type: 'string' } },
	});
	const { out, repository } = values;
	const providers = await singleProviders();
	const [provider = '', ...more] = positionals;
	if (!providers.includes(provider) || more.length > 0 || (out && repository)) {
		console.error(
			`Use: npm run pack:single -- <${providers.join('|')}> [--out <folder> | --repository <folder>]`,
		);
		return 1;
	}
	const packageName = packageOf(provider);
	if (repository === undefined) {
		console.log(await packSingle(packageName, resolve(out ?? 'packages')));
		return 0;
	}
	const folder = resolve(repository);
	await writeRepository(packageName, folder);
	console.log(folder);
	return 0;
}

void main().then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	},
);
