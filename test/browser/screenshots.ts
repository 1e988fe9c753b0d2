import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join('docs', 'images');
const MAX_BYTES = 200_000;
/** An empty page of this size has about 5,000. */
const MIN_BYTES = 20_000;

/**
 * Checks that a screenshot shows something and is small enough for the README, and writes it to
 * `docs/images` when the environment variable SCREENSHOTS is 1.
 */
export async function keepScreenshot(name: string, png: Buffer): Promise<void> {
	if (png.length < MIN_BYTES || png.length > MAX_BYTES) {
		throw new Error(`The screenshot ${name} has ${png.length} bytes`);
	}
	if (process.env['SCREENSHOTS'] !== '1') return;
	await mkdir(FOLDER, { recursive: true });
	await writeFile(join(FOLDER, `${name}.png`), png);
}
