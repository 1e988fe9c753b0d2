import { afterAll, beforeAll } from '@jest/globals';

import { launchChromium, type Chromium } from './chromium';

/**
 * Starts a browser before the first test of a file, and closes it after the last one.
 *
 * @param keep - gets the browser before the first test
 */
export function useChromium(keep: (browser: Chromium) => void): void {
	let browser: Chromium | undefined;
	beforeAll(async () => {
		browser = await launchChromium();
		keep(browser);
	}, 120_000);
	afterAll(async () => await browser?.close(), 60_000);
}
