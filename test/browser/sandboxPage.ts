import type { Locator, Page } from 'playwright-core';

import type { Sandbox } from '../../sandbox';

const WAIT_MS = 30_000;

/** The page of the sandbox as a person uses it: by the names of its fields and buttons. */
export class SandboxPage {
	/** Addresses that the page has loaded something from. */
	readonly hosts = new Set<string>();

	constructor(private readonly page: Page) {
		page.setDefaultTimeout(WAIT_MS);
		page.on('request', (request) => this.hosts.add(new URL(request.url()).host));
	}

	/** Ends when the page shows the state of the sandbox. */
	async open({ pageUrl }: Sandbox): Promise<void> {
		await this.page.goto(pageUrl);
		await this.connection('Connected').waitFor();
		await this.section('Timeline').waitFor();
	}

	connection(text: string): Locator {
		return this.page.getByRole('status').getByText(text);
	}

	section(name: string): Locator {
		return this.page.getByRole('region', { name, exact: true });
	}

	endpoint(id: string): Locator {
		return this.page.getByRole('listitem', { name: `Endpoint ${id}`, exact: true });
	}

	/** Shows what is behind the line of an endpoint. */
	async openEndpoint(id: string): Promise<void> {
		await this.endpoint(id).locator('summary').click();
	}

	/** Lines of the timeline, newest first. */
	get rows(): Locator {
		return this.page.getByRole('log').locator('summary');
	}

	/** A line of the timeline with these texts. */
	row(...texts: string[]): Locator {
		return texts.reduce((rows, hasText) => rows.filter({ hasText }), this.rows).first();
	}

	/** The answers in the timeline, oldest first, once there are `count` and none is pending. */
	async answers(count: number): Promise<string[]> {
		await this.rows.nth(count - 1).waitFor();
		await this.rows.filter({ hasText: 'waiting' }).first().waitFor({ state: 'detached' });
		return (await this.rows.locator('.badge').allInnerTexts()).reverse();
	}

	/** What a line of the timeline shows when it is open. */
	detail(row: Locator, name: string): Locator {
		return row.locator('..').getByRole('region', { name });
	}

	field(name: string): Locator {
		return this.page.getByLabel(name, { exact: true });
	}

	button(name: string): Locator {
		return this.page.getByRole('button', { name, exact: true });
	}

	/** Waits until the notice of the last action has this text. */
	async says(text: string | RegExp): Promise<void> {
		await this.page.locator('.notice').filter({ hasText: text }).waitFor();
	}

	/** Chooses entries of choices by their names, in this order. */
	async choose(choices: Readonly<Record<string, string>>): Promise<void> {
		for (const [field, label] of Object.entries(choices)) {
			await this.field(field).selectOption({ label });
		}
	}

	/** Presses the Tab key until it reaches the element with this id. */
	async tabTo(id: string): Promise<void> {
		for (let presses = 0; presses < 100; presses += 1) {
			await this.page.keyboard.press('Tab');
			if ((await this.page.evaluate('document.activeElement.id')) === id) return;
		}
		throw new Error(`The Tab key does not reach ${id}`);
	}
}
