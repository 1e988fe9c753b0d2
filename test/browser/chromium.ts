import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { requireCommand } from '../../testkit/programs';

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

/** A headless Chromium with a profile of its own, which `close` removes. */
export interface Chromium {
	readonly context: BrowserContext;
	close(): Promise<void>;
}

/** @throws Error where there is no Chromium */
export async function launchChromium(): Promise<Chromium> {
	const executablePath = requireCommand('chromium');
	const profile = await mkdtemp(join(tmpdir(), 'n8n-browser-'));
	const remove = async () => await rm(profile, { recursive: true, force: true, maxRetries: 5 });
	try {
		const context = await chromium.launchPersistentContext(profile, {
			executablePath,
			headless: true,
			args: FLAGS,
			viewport: { width: 1280, height: 800 },
			permissions: ['clipboard-read', 'clipboard-write'],
			reducedMotion: 'reduce',
		});
		return {
			context,
			close: async () => {
				await context.close();
				await remove();
			},
		};
	} catch (error) {
		await remove();
		throw error;
	}
}
