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
	const gulp = join('node_modules', 'gulp', 'bin', 'gulp.js');
	const code = await runNode(gulp, ['build']);
	if (code !== 0) throw new Error('the build failed');
}

/**
 * Packs what `npm publish` would publish; `dist` must be built.
 *
 * @param out - where the tarball goes, as an absolute path
 * @param folder - of the package; by default this one
 * @returns its path
 */
export async function pack(out: string, folder = '.'): Promise<string> {
	const args = ['pack', '--ignore-scripts', '--json', '--loglevel=error'];
	const { code, output } = await run('npm', [...args, '--pack-destination', out], {
		capture: true,
		cwd: folder,
	});
	if (code !== 0) throw new Error('npm pack failed');
	return join(out, packAnswer.parse(JSON.parse(output))[0].filename);
}
