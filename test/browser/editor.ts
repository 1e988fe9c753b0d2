import type { Locator, Page } from 'playwright-core';

import type { N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';

/** n8n answers slowly while the machine is busy; a wait ends as soon as its condition holds. */
const WAIT_MS = 60_000;
/** The editor takes over a typed text within 200 ms, on the same clock. */
const LATER_THAN_DEBOUNCE_MS = 500;

/** The address of the list of workflows. */
const LIST = '/home/workflows';

/** The editor as a user drives it: n8n 2.41's test ids, and the texts that are on the screen. */
export class Editor {
	/** All texts that `readScreen` has read. */
	seen = '';

	constructor(
		private readonly page: Page,
		private readonly n8n: N8nHost,
	) {
		page.setDefaultTimeout(WAIT_MS);
	}

	async signIn(): Promise<void> {
		const { email, password } = this.n8n.owner;
		await this.page.goto(`${this.n8n.url}/signin`);
		await this.page.locator('input[type=email]').fill(email);
		await this.page.locator('input[type=password]').fill(password);
		await this.page.getByRole('button', { name: 'Sign in' }).click();
		await this.page.waitForURL((url) => !url.pathname.startsWith('/signin'));
	}

	/** Loads the editor; from then on it changes what it shows without loading again, which takes seconds. */
	async load(): Promise<void> {
		await this.page.goto(`${this.n8n.url}${LIST}`);
		await this.byId('universal-add').waitFor();
	}

	/**
	 * Goes from any workflow to the list of workflows, without the messages of an earlier test.
	 *
	 * @returns whether it could: not from below a dialog, or from another site
	 */
	async leave(): Promise<boolean> {
		const isCovered = async () => (await this.dialogs.count()) > 0;
		if (!this.page.url().startsWith(this.n8n.url) || (await isCovered())) return false;
		await this.follow(LIST);
		await until('the list of workflows', WAIT_MS, async () => {
			return (await isCovered()) || (await this.byId('canvas-wrapper').count()) === 0 || undefined;
		});
		// Where something is not saved yet, n8n asks what to do with it.
		if (await isCovered()) return false;
		await this.page.evaluate(
			`document.querySelectorAll('.el-notification__closeBtn').forEach((button) => button.click())`,
		);
		return true;
	}

	async openNewWorkflow(): Promise<void> {
		await this.byId('universal-add').click();
		await this.page.getByRole('menuitem', { name: 'New workflow', exact: true }).click();
		await this.byId('canvas-add-button').waitFor();
	}

	async openWorkflow(id: string): Promise<void> {
		await this.follow(`/workflow/${id}`);
		await this.byId('canvas-node').first().waitFor();
	}

	/** Imports a file into the open workflow, by the entries of the menus one after the other. */
	async importFile(menu: readonly string[], file: string): Promise<void> {
		await this.byId('workflow-menu').click();
		const chooser = this.page.waitForEvent('filechooser');
		for (const entry of menu) {
			await this.page.getByRole('menuitem', { name: entry, exact: true }).click();
		}
		await (await chooser).setFiles(file);
		await this.byId('canvas-node').first().waitFor();
	}

	/** Opens the panel of a node on the canvas. */
	async openNode(name: string): Promise<void> {
		await this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`).dblclick();
		await this.panel.waitFor();
	}

	/** The id of the workflow that is open; n8n gives it one with the first node. */
	async workflowId(): Promise<string> {
		const url = /\/workflow\/([^/?]+)/;
		await this.page.waitForURL((at) => url.test(at.pathname) && !at.pathname.endsWith('/new'));
		return url.exec(this.page.url())?.[1] ?? '';
	}

	/** Opens the list of nodes on an empty canvas. */
	async openNodeCreator(): Promise<void> {
		await this.byId('canvas-plus-button').first().click();
		await this.byId('node-creator-search-bar').waitFor();
	}

	/** Names that the list of nodes shows once it has found `expected`. */
	async searchNodes(query: string, expected: string): Promise<string[]> {
		const search = this.byId('node-creator-search-bar');
		// Clears the results of an earlier search first.
		await search.fill('');
		await this.nodeNamed(expected).waitFor({ state: 'detached' });
		await search.fill(query);
		await this.nodeNamed(expected).waitFor();
		return await this.byId('node-creator-item-name').allInnerTexts();
	}

	/** Adds a trigger by its name in the search and an entry below that, which opens its panel. */
	async addTrigger(query: string, name: string, entry: string): Promise<void> {
		await this.openNodeCreator();
		await this.searchNodes(query, name);
		await this.nodeNamed(name).click();
		await this.nodeNamed(entry).click();
		await this.panel.waitFor();
	}

	get panel(): Locator {
		return this.byId('ndv');
	}

	get credential(): Locator {
		return this.byId('credential-edit-dialog');
	}

	get output(): Locator {
		return this.byId('output-panel');
	}

	/** A field of the node before the one that is open. */
	schemaField(name: string): Locator {
		return this.panel
			.locator('[data-test-id="run-data-schema-item"]')
			.getByText(name, { exact: true });
	}

	/** The message of the error in the output. */
	get error(): Locator {
		return this.byId('node-error-message');
	}

	get notices(): Locator {
		return this.byId('node-parameters').locator('.notice-content');
	}

	get hints(): Locator {
		return this.byId('node-hint');
	}

	parameter(name: string): Locator {
		return this.byId(`parameter-input-${name}`);
	}

	/** Picks an entry of a choice by its name; a click elsewhere closes a multi-select. */
	async choose(parameter: string, option: string): Promise<void> {
		await this.parameter(parameter).click();
		await this.option(option).click();
		if (parameter === 'events') await this.byId('tab-params').click();
	}

	/** An entry of the choice that is open, by its name. */
	option(name: string): Locator {
		return this.page
			.locator('.el-select-dropdown__item:visible')
			.filter({ has: this.page.getByText(name, { exact: true }) });
	}

	/** Opens a choice, reads the lines of one of its entries, and closes it again. */
	async describeOption(parameter: string, option: string): Promise<string> {
		await this.parameter(parameter).click();
		const text = await this.option(option).innerText();
		await this.byId('tab-params').click();
		return text;
	}

	/** Shows the Production URL and copies it as a user does: by a click on it. */
	async copyProductionUrl(): Promise<string> {
		const urls = this.panel.getByText('Webhook URLs', { exact: true });
		await urls.waitFor();
		const production = this.byId('radio-button-production');
		// Only in n8n's Webhook node is it open from the start.
		if (!(await production.isVisible())) await urls.click();
		await production.click();
		const shown = this.byId('node-parameters').getByText(/^\s*https?:\/\/\S+\/webhook\/\S+\s*$/);
		const url = (await shown.innerText()).trim();
		await shown.click();
		await this.page.getByText('URL copied').waitFor();
		// n8n reports the copy before the browser has written it.
		return await until(`the clipboard to hold ${url}`, WAIT_MS, async () => {
			const copied = String(await this.page.evaluate('navigator.clipboard.readText()'));
			return copied === url ? copied : undefined;
		});
	}

	/** Opens the dialog for a new credential of the node. */
	async openNewCredential(): Promise<void> {
		const first = this.byId('node-credentials-empty-state').getByRole('button').first();
		const others = this.byId('node-credentials-select');
		await first.or(others).first().waitFor();
		if (await others.isVisible()) {
			await others.click();
			await this.byId('node-credentials-select-item-new').click();
		} else await first.click();
		await this.credential.waitFor();
	}

	/** Picks one of the credentials that there are for the node. */
	async chooseCredential(name: string): Promise<void> {
		await this.byId('node-credentials-select').click();
		await this.page
			.locator('[data-test-id^="node-credentials-select-item-"]:visible')
			.filter({ has: this.page.getByText(name, { exact: true }) })
			.click();
	}

	async fillCredential(fields: Readonly<Record<string, string>>): Promise<void> {
		for (const [name, value] of Object.entries(fields)) {
			await this.credentialField(name).fill(value);
		}
		// The editor takes over a text after a delay, and Save does not wait for it.
		await this.page.evaluate(async (ms) => {
			await new Promise((resolve) => setTimeout(resolve, ms));
		}, LATER_THAN_DEBOUNCE_MS);
	}

	/** The fields of the credential from top to bottom, each with its placeholder. */
	async credentialFields(): Promise<Array<[name: string, placeholder: string | null]>> {
		const prefix = 'parameter-input-';
		const fields = this.credential.locator(`[data-test-id^="${prefix}"]:has(input)`);
		await fields.first().waitFor();
		return await Promise.all(
			(await fields.all()).map(
				async (field): Promise<[string, string | null]> => [
					(await field.getAttribute('data-test-id'))?.slice(prefix.length) ?? '',
					await field.locator('input').first().getAttribute('placeholder'),
				],
			),
		);
	}

	/** Picks an entry of a choice in the credential. */
	async chooseInCredential(field: string, option: string): Promise<void> {
		await this.credential.locator(this.parameter(field)).click();
		await this.option(option).click();
	}

	/** Saves a credential whose test fails; ends when n8n shows why. */
	async saveFailingCredential(reason: RegExp): Promise<void> {
		await this.byId('credential-save-button').click();
		await this.credential.getByText('More details').click();
		await this.credential.getByText(reason).first().waitFor();
	}

	/** Saves a credential whose test passes: n8n closes the dialog then. */
	async saveCredential(): Promise<void> {
		await this.byId('credential-save-button').click();
		await this.credential.waitFor({ state: 'detached' });
	}

	/** Fills in the value of a field of an Edit Fields node. */
	async fillField(name: string, value: string): Promise<void> {
		const fields = this.byId('assignment');
		await fields.first().waitFor();
		for (const field of await fields.all()) {
			const title = field.locator(this.byId('assignment-name')).locator('input');
			if ((await title.inputValue()) !== name) continue;
			await field.locator(this.byId('assignment-value')).locator('input').fill(value);
			return;
		}
		throw new Error(`There is no field ${name}`);
	}

	/** Edits a parameter of the open node, by its name in the workflow. */
	async fillParameter(name: string, value: string): Promise<void> {
		await this.byId(`parameter-input-${name}`).locator('input').fill(value);
	}

	async executeStep(): Promise<void> {
		await this.byId('node-execute-button').click();
	}

	/** Ends when n8n listens. A click while the editor is still ending a run has no effect. */
	async listenForTestEvent(): Promise<void> {
		const button = this.byId('node-execute-button').filter({ hasText: /execute step/i });
		const listening = this.byId('trigger-listening');
		await listening.waitFor({ state: 'hidden' });
		await until('n8n to listen', WAIT_MS, async () => {
			await button.click();
			const begins = listening.waitFor({ timeout: WAIT_MS / 6 });
			return await begins.then(
				() => true,
				() => undefined,
			);
		});
	}

	async closePanel(): Promise<void> {
		await this.byId('ndv-close-button').click();
		await this.panel.waitFor({ state: 'detached' });
	}

	/** Shows the output as JSON, which fits best beside the parameters. */
	async showJson(): Promise<void> {
		// New data renders the panel again, which may undo the choice.
		await until('the output as JSON', WAIT_MS, async () => {
			await this.output.locator('[data-test-id="radio-button-json"]').click();
			return (await this.output.locator('.vjs-tree').first().isVisible()) || undefined;
		});
	}

	/** The texts at and below the node on the canvas. */
	async canvasNode(): Promise<string> {
		return await this.byId('canvas-node').first().innerText();
	}

	/** The labels of a node's outputs on the canvas; one output has none. */
	async outputLabels(count: number): Promise<string[]> {
		const handles = this.byId('canvas-node-output-handle');
		await handles.nth(count - 1).waitFor();
		return (await handles.allInnerTexts()).map((text) => text.trim());
	}

	/** Opens the dialog to publish and confirms it. */
	async publish(): Promise<void> {
		await this.byId('workflow-open-publish-modal-button').click();
		await this.byId('workflow-publish-button').click();
	}

	/** Adds what is on the screen now to what was seen. */
	async readScreen(): Promise<void> {
		this.seen += await this.page.locator('body').innerText();
	}

	/** Runs the workflow by the button below the canvas; ends when n8n says that it went well. */
	async executeWorkflow(): Promise<void> {
		await this.byId('execute-workflow-button').click();
		await this.text('Workflow executed successfully').waitFor();
	}

	/** Opens the list of executions and reads what it says of each, newest first. */
	async readExecutions(count: number): Promise<string[]> {
		await this.byId('radio-button-executions').click();
		const cards = this.page.locator('.execution-card');
		await cards.nth(count - 1).waitFor();
		return await cards.allInnerTexts();
	}

	/** What is red on the screen: nodes with an issue or an error, and messages of an error. */
	get red(): Locator {
		return this.page.locator(
			'[data-test-id="node-issues"], [data-test-id*="canvas-node-status-error"], .el-notification--error',
		);
	}

	/** Closes the dialog in which n8n says that the workflow is published. */
	async closePublished(): Promise<void> {
		await this.page.getByRole('button', { name: 'Got it' }).click();
		await this.text('Workflow published').waitFor({ state: 'hidden' });
	}

	/** A text on the screen, in whatever dialog or toast. */
	text(text: string | RegExp): Locator {
		return this.page.getByText(text).first();
	}

	async screenshot(): Promise<Buffer> {
		const style =
			'.el-notification, [role=tooltip], [data-test-id=tooltip-content] { display: none !important; }';
		return await this.page.screenshot({ animations: 'disabled', style });
	}

	/** What covers the page. */
	private get dialogs(): Locator {
		return this.panel.or(this.page.locator('[role=dialog]:visible'));
	}

	/** Goes to another address as a link within the editor does: its router reads it from the history. */
	private async follow(path: string): Promise<void> {
		await this.page.evaluate(
			`history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`,
		);
	}

	private credentialField(name: string): Locator {
		return this.credential.locator(this.parameter(name)).locator('input');
	}

	private nodeNamed(name: string): Locator {
		return this.byId('node-creator-item-name').filter({
			has: this.page.getByText(name, { exact: true }),
		});
	}

	private byId(id: string): Locator {
		return this.page.locator(`[data-test-id="${id}"]`);
	}
}
