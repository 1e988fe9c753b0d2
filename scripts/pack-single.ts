/**
 * Builds the package of one service from the same sources, as n8n asks for before it verifies a
 * package: `npm run pack:single -- <provider> [--out <folder>]`. The tarball has passed the lint
 * gate and is left in the folder, by default packages/; its path is the last line.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packSingle, singleProviders } from './support/singlePackage';

async function main(): Promise<number> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { out: { type: 'string', default: 'packages' } },
	});
	const providers = await singleProviders();
	const [provider = '', ...more] = positionals;
	if (!providers.includes(provider) || more.length > 0) {
		console.error(`Use: npm run pack:single -- <${providers.join('|')}> [--out <folder>]`);
		return 1;
	}
	console.log(await packSingle(provider, resolve(values.out)));
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
