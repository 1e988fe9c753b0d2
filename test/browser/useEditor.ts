import { beforeAll, beforeEach } from '@jest/globals';
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
 * Starts n8n, and a browser that signs in to it, before the first test of a file. All tests have the same page, which
 * shows the list of workflows before each; after one that left a dialog open, it is a new page.
 *
 * @param keep - gets n8n and its sandbox before the first test
 * @param keepPage - gets the page before each test
 * @returns opens another page, which the caller closes
 */
export function useEditor(
	keep: (bed: Bed) => void,
	keepPage: (opened: OpenEditor) => void,
): () => Promise<OpenEditor> {
	let browser: Chromium;
	let n8n: N8nHost;
	let page: Page;
	useChromium((launched) => (browser = launched));
	useN8n((bed) => {
		({ n8n } = bed);
		keep(bed);
	}, WITH_EDITOR);

	async function open(): Promise<OpenEditor> {
		const opened = await browser.context.newPage();
		const editor = new Editor(opened, n8n);
		await editor.load();
		return { page: opened, editor };
	}

	beforeAll(async () => {
		page = await browser.context.newPage();
		await new Editor(page, n8n).signIn();
	}, 120_000);
	beforeEach(async () => {
		let editor = new Editor(page, n8n);
		if (!(await editor.leave())) {
			await page.close();
			({ page, editor } = await open());
		}
		keepPage({ page, editor });
	}, 120_000);
	return open;
}
