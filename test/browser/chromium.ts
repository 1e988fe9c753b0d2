import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
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

/** @throws Error that says how to install Chromium where there is none */
export async function launchChromium(): Promise<Chromium> {
	if (!existsSync(PROGRAM)) {
		throw new Error(
			`There is no Chromium at ${PROGRAM}. Install it with: apt-get install chromium fonts-dejavu-core (or name another one in the environment variable CHROMIUM)`,
		);
	}
	const profile = await mkdtemp(join(tmpdir(), 'n8n-browser-'));
	const remove = async () => await rm(profile, { recursive: true, force: true, maxRetries: 5 });
	try {
		const context = await chromium.launchPersistentContext(profile, {
			executablePath: PROGRAM,
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
