import { afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Page } from 'playwright-core';

import type { N8nHost } from '../../testkit/n8n-host/driver';
import { WITH_EDITOR } from '../../testkit/n8n-host/withEditor';
import type { Bed } from '../../testkit/publishTrigger';
import { useN8n } from '../useN8n';
import type { Chromium } from './chromium';
import { Editor } from './editor';
import { useChromium } from './useChromium';

interface OpenEditor {
	readonly page: Page;
	readonly editor: Editor;
}

/**
 * Starts n8n, and a browser that signs in to it, before the first test of a file. Each test has a page of its own.
 *
 * @param keep - gets n8n and its sandbox before the first test
 * @param keepPage - gets a page before each test
 * @returns opens another page, which the caller closes
 */
export function useEditor(
	keep: (bed: Bed) => void,
	keepPage: (opened: OpenEditor) => void,
): () => Promise<OpenEditor> {
	let browser: Chromium;
	let n8n: N8nHost;
	let page: Page | undefined;
	useChromium((launched) => (browser = launched));
	useN8n((bed) => {
		({ n8n } = bed);
		keep(bed);
	}, WITH_EDITOR);

	async function open(): Promise<OpenEditor> {
		const opened = await browser.context.newPage();
		return { page: opened, editor: new Editor(opened, n8n) };
	}

	beforeAll(async () => {
		const first = await open();
		await first.editor.signIn();
		await first.page.close();
	}, 120_000);
	beforeEach(async () => {
		const opened = await open();
		({ page } = opened);
		keepPage(opened);
	});
	afterEach(async () => await page?.close());
	return open;
}
