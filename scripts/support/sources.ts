import { join } from 'node:path';
import { watch } from 'chokidar';
import { Interrupted, run } from '../../testkit/command';

/** What is compiled to `dist`. */
const SOURCES = ['credentials', 'nodes'];
const GULP = join('node_modules', 'gulp', 'bin', 'gulp.js');
/** An editor may save several files at once. */
const SETTLED_MS = 100;

/** See {@link rebuildOnChange}. */
export interface Rebuilding {
	/** Ends the watching, after the build that is under way. */
	close(): Promise<void>;
}

/**
 * Builds `dist` again after each change of the package's sources, one build after the other. What
 * is wrong with a source is printed, and so is what `rebuilt` throws.
 *
 * @param rebuilt - called after each build; `undefined` seconds are one that failed
 */
export async function rebuildOnChange(
	rebuilt: (seconds: number | undefined) => Promise<void>,
): Promise<Rebuilding> {
	let changed = false;
	let building: Promise<void> | undefined;
	const buildWhileChanged = async () => {
		while (changed) {
			changed = false;
			const started = Date.now();
			const { code, output } = await run(process.execPath, [GULP, 'refresh'], { capture: 'all' });
			if (code !== 0) console.error(output);
			await rebuilt(code === 0 ? (Date.now() - started) / 1000 : undefined);
		}
	};
	const watcher = watch(SOURCES, {
		ignoreInitial: true,
		awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: SETTLED_MS / 2 },
	});
	watcher.on('all', () => {
		changed = true;
		building ??= buildWhileChanged()
			.catch((error: unknown) => {
				// A signal that ends the build ends this whole command.
				if (!(error instanceof Interrupted)) console.error(error);
			})
			.finally(() => {
				building = undefined;
			});
	});
	await new Promise<void>((resolve) => {
		watcher.once('ready', resolve);
	});
	return {
		close: async () => {
			await watcher.close();
			await building;
		},
	};
}
