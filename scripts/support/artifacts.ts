import { join } from 'node:path';
import { z } from 'zod';
import { run, runNode } from './command';

const packAnswer = z.array(z.object({ filename: z.string() })).nonempty();

/**
 * Builds `dist`.
 *
 * @throws Error when the build fails; what is wrong has been printed
 */
export async function build(): Promise<void> {
	const code = await runNode(join('node_modules', 'gulp', 'bin', 'gulp.js'), ['build']);
	if (code !== 0) throw new Error('the build failed');
}

/**
 * Packs what `npm publish` would publish; `dist` must be built.
 *
 * @param folder - where the tarball goes
 * @returns its path
 */
export async function pack(folder: string): Promise<string> {
	const args = ['pack', '--ignore-scripts', '--json', '--loglevel=error'];
	const { code, output } = await run('npm', [...args, '--pack-destination', folder], {
		capture: true,
	});
	if (code !== 0) throw new Error('npm pack failed');
	return join(folder, packAnswer.parse(JSON.parse(output))[0].filename);
}
