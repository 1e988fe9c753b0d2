import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

import { startSandbox, type Sandbox } from '../../sandbox';
import { until } from '../../testkit/n8n-host/poll';
import { freePorts } from '../../testkit/n8n-host/ports';
import { call, startReceiver, statuses, text, type Receiver } from '../unit/sandboxSupport';
import type { Chromium } from './chromium';
import { SandboxPage } from './sandboxPage';
import { keepScreenshot } from './screenshots';
import { useChromium } from './useChromium';

/** The page of the sandbox in a real browser, with a small receiver in place of n8n. */

const WAIT_MS = 60_000;

/** Finds accessibility problems of a page. */
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser: Chromium;
let sandbox: Sandbox;
let receiver: Receiver;
let tab: Page;
let page: SandboxPage;

useChromium((launched) => (browser = launched));

beforeEach(async () => {
	receiver = await startReceiver();
	const [port = 0] = await freePorts(1);
	sandbox = await startSandbox({ port, allowHttp: true, fixedKeys: true });
	tab = await browser.context.newPage();
	page = new SandboxPage(tab);
	await page.open(sandbox);
});

afterEach(async () => {
	await tab.close();
	await Promise.all([sandbox.close(), receiver.close()]);
});

const addEndpoint = () =>
	sandbox.addEndpoint('metigan', { url: `${receiver.origin}/hook`, events: ['email.bounced'] });

/** A call as n8n makes it. */
const api = async (method: string, path: string, body?: unknown) =>
	await call(sandbox, method, `/api/webhooks${path}`, {
		headers: { 'x-api-key': sandbox.keys.metigan },
		body,
	});

describe('endpoints', () => {
	it('appear, change and disappear while the page is open', async () => {
		const url = `${receiver.origin}/hook`;
		const { json } = await api('POST', '', { url, events: ['email.bounced'] });
		const id = text(json, '_id');
		const shown = page.endpoint(id);
		await shown.getByText(url).waitFor();
		expect(await shown.innerText()).toBe(`on email.bounced ${url}`);
		await api('PATCH', `/${id}`, { events: ['email.sent'] });
		await shown.getByText('email.sent').waitFor();
		await api('DELETE', `/${id}`);
		await shown.waitFor({ state: 'detached' });
	});

	it('can be switched on and off, deleted and given a new secret', async () => {
		const { id, secret = '' } = addEndpoint();
		await page.openEndpoint(id);
		await page.button(`Switch off endpoint ${id}`).click();
		await page.says(`Endpoint ${id} is switched off.`);
		await page.endpoint(id).getByText('off', { exact: true }).waitFor();
		expect(sandbox.endpoints()[0]?.active).toBe(false);
		await page.button(`Switch on endpoint ${id}`).click();
		await page.endpoint(id).getByText('on', { exact: true }).waitFor();

		await page.button(`Rotate secret of endpoint ${id}`).click();
		await page.says(`Endpoint ${id} has a new signing secret.`);
		const [rotated] = sandbox.endpoints();
		await page
			.endpoint(id)
			.getByText(rotated?.secret ?? '', { exact: true })
			.waitFor();
		expect(rotated?.secret).not.toBe(secret);

		tab.once('dialog', (question) => void question.dismiss());
		await page.button(`Delete endpoint ${id}`).click();
		expect(sandbox.endpoints()).toHaveLength(1);
		tab.once('dialog', (question) => void question.accept());
		await page.button(`Delete endpoint ${id}`).click();
		await page.endpoint(id).waitFor({ state: 'detached' });
		expect(sandbox.endpoints()).toEqual([]);
		expect(await tab.evaluate('document.activeElement.textContent')).toBe('Endpoints');
	});
});

describe('calls of an API', () => {
	it('are listed in the timeline without the API key', async () => {
		const { text: answer } = await api('GET', '');
		await page.row('GET /api/webhooks').waitFor();
		const row = page.row('GET /api/webhooks');
		expect(await row.innerText()).toMatch(/200 Metigan GET \/api\/webhooks, \d+ ms$/);
		await row.click();
		expect(await page.detail(row, 'Request').innerText()).toBe('without a body');
		expect(await page.detail(row, 'Answer').innerText()).toBe(`200\n\n${answer}`);
		expect(await page.section('Timeline').innerText()).not.toContain(sandbox.keys.metigan);
	});

	it('are answered with the fault that was set, as often as it was set', async () => {
		await page.choose({ 'API of': 'Metigan', Answer: '429, too many requests' });
		await page.field('For the next calls').fill('2');
		await page.button('Set the fault').click();
		const waiting = page.section('Answer API calls badly').getByRole('listitem');
		await page.says(
			'The next 2 API calls of Metigan will be answered with: 429, too many requests.',
		);
		const words = 'Metigan: 429, too many requests, for the next';
		await waiting.filter({ hasText: `${words} 2 calls` }).waitFor();
		expect((await api('GET', '')).status).toBe(429);
		await waiting.filter({ hasText: `${words} call` }).waitFor();
		await page.button('Clear all').click();
		await waiting.waitFor({ state: 'detached' });
		expect((await api('GET', '')).status).toBe(200);

		await page.field('For the next calls').fill('1');
		await page.button('Set the fault').click();
		await page.says('The next API call of Metigan will be answered with');
	});

	it('show a fault that was set from a terminal', async () => {
		sandbox.fault({ kind: 'status', status: 503, delayMs: 10 });
		const waiting = page.section('Answer API calls badly').getByRole('listitem');
		await waiting.filter({ hasText: 'any provider: status, status 503, after 10 ms' }).waitFor();
	});

	it('use the key that the page issued last', async () => {
		await page.button('Issue a new key for Metigan').click();
		await page.says('Metigan has a new API key');
		expect(sandbox.keys.metigan).not.toBe('mtg_live_sandbox');
		await page.section('For the n8n credentials').getByText(sandbox.keys.metigan).waitFor();
	});

	it('have Base URL, key and secret copied by one button each', async () => {
		await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
		const { id, secret = '' } = addEndpoint();
		await page.openEndpoint(id);
		for (const [what, copied] of [
			['the Base URL', sandbox.url],
			['the API key of Metigan', sandbox.keys.metigan],
			[`the signing secret of endpoint ${id}`, secret],
		] as const) {
			await page.button(`Copy ${what}`).click();
			await page.says(`Copied ${what}.`);
			expect(await tab.evaluate('navigator.clipboard.readText()')).toBe(copied);
		}
	});

	it('have a message if the browser does not let the page copy', async () => {
		await tab.evaluate('Object.defineProperty(navigator, "clipboard", { value: undefined })');
		await page.button('Copy the Base URL').click();
		await page.says('The browser did not let the page copy the Base URL.');
	});
});

describe('an event', () => {
	it('goes to every subscribed endpoint, and shows request and answer', async () => {
		addEndpoint();
		receiver.answer = (_, response) => void response.writeHead(202).end('taken');
		await page.button('Fire').click();
		await page.says('Fired email.bounced at 1 endpoint.');
		const row = page.row('email.bounced', '202');
		expect(await row.innerText()).toMatch(/202 Metigan email\.bounced, \d+ ms$/);
		await row.click();
		const [received] = receiver.received;
		const request = await page.detail(row, 'Request').innerText();
		expect(request).toContain(
			`X-Webhook-Signature: ${String(received?.headers['x-webhook-signature'])}`,
		);
		expect(request).toContain(received?.body.toString());
		expect(await page.detail(row, 'Answer').innerText()).toBe('202\n\ntaken');
	});

	it('shows when it is retried, and how many retries are left', async () => {
		const slow = await startSandbox({ allowHttp: true, retryTimeScale: 1 });
		try {
			receiver.answer = statuses(503);
			slow.addEndpoint('metigan', { url: receiver.origin, events: ['email.bounced'] });
			await page.open(slow);
			await page.button('Fire').click();
			await page.row('503', 'next try at').waitFor();
			expect(await page.row('503').innerText()).toMatch(/next try at [\d:.]{12}, 9 to come$/);
		} finally {
			await slow.close();
		}
	});

	it('can be edited, and is not sent while it is not JSON', async () => {
		addEndpoint();
		const data = page.field('Data of the event (JSON)');
		const showsSample = async () =>
			(await data.inputValue()).includes('"bounceType": "hard"') ? true : undefined;
		await until('the sample', WAIT_MS, showsSample);
		await data.fill('{"recipient": ');
		await page.button('Fire').click();
		await page.says('The data is not JSON');
		await data.fill('{"recipient": "grace@example.com"}');
		await page.button('Fire').click();
		await page.row('email.bounced', '200').waitFor();
		expect(receiver.received.map(({ body }) => JSON.parse(body.toString()))).toMatchObject([
			{ data: { recipient: 'grace@example.com' } },
		]);
		await page.button('Back to the sample').click();
		await until('the sample', WAIT_MS, showsSample);
	});

	it('goes to a pasted URL, signed with a pasted secret', async () => {
		await page.choose({
			Provider: 'Misar.Blog',
			Event: 'article.deleted',
			'Send to': 'a URL registered by hand',
		});
		await page.field('Webhook URL').fill(`${receiver.origin}/by-hand`);
		await page.field('Signing secret').fill('chosen by hand');
		await page.button('Fire').click();
		await page.row('Misar.Blog', 'article.deleted', '200').waitFor();
		expect(receiver.received).toMatchObject([
			{ path: '/by-hand', headers: { 'x-webhook-secret': 'chosen by hand' } },
		]);
	});

	it('may have an undocumented name', async () => {
		await page.choose({ Provider: 'Misar.Ink', 'Send to': 'a URL registered by hand' });
		await page.field('Name of the event').fill('drawing.made');
		await page.field('Webhook URL').fill(receiver.origin);
		await page.button('Fire').click();
		await page.row('Misar.Ink', 'drawing.made', '200').waitFor();
	});

	it('can be sent to one endpoint that is not subscribed to it', async () => {
		const { id } = addEndpoint();
		await page.openEndpoint(id);
		await page.button(`Use in form: endpoint ${id}`).click();
		await page.choose({ Event: 'email.opened' });
		await page.button('Fire').click();
		await page.row('email.opened', '200').waitFor();
		expect(receiver.received).toHaveLength(1);
	});

	it('can be signed by another scheme, which decides what can be forged', async () => {
		addEndpoint();
		const offered = page.field('How').getByRole('option', { disabled: true });
		expect(await offered.allInnerTexts()).toEqual(['Unsigned header names another event']);
		await page.choose({ 'Signature scheme': 'legacy' });
		expect(await offered.allInnerTexts()).toHaveLength(3);
		await page.button('Fire').click();
		await page.row('email.bounced', '200').waitFor();
		expect(receiver.received[0]?.headers).toHaveProperty('x-metigan-signature');
	});

	it('is not sent if no endpoint is subscribed', async () => {
		await page.button('Fire').click();
		await page.says('Nobody is subscribed to email.bounced: nothing was sent.');
	});
});

describe('events at a rate', () => {
	it('can be stopped', async () => {
		addEndpoint();
		await page.field('Times').fill('1000');
		// A rate that a slow machine can keep up with.
		await page.field('Per second').fill('5');
		await page.button('Fire').click();
		await page.row('email.bounced', '200').waitFor();
		await page.button('Stop').click();
		await page.says('No more events are fired.');
		const stopped = sandbox.deliveries().length;
		await page.field('Times').fill('1');
		await page.button('Fire').click();
		await page.says('Fired email.bounced');
		expect(sandbox.deliveries()).toHaveLength(stopped + 1);
	}, 120_000);
});

describe('a burst of 1,000 events', () => {
	it('leaves the page usable, with the last event on top', async () => {
		const { id } = addEndpoint();
		await page.field('Times').fill('1000');
		await page.field('Per second').fill('500');
		await page.button('Fire').click();
		await until('all events', WAIT_MS, () => receiver.received.length === 1000 || undefined);
		await sandbox.settled();

		await page.openEndpoint(id);
		await page.button(`Switch off endpoint ${id}`).click();
		await page.says(`Endpoint ${id} is switched off.`);
		// This comes after all earlier changes, while the notice above is shown at once.
		await page.endpoint(id).getByText('off', { exact: true }).waitFor();
		const last = sandbox.deliveries().at(-1)?.id ?? '';
		await page.rows.first().click();
		await page.section('Timeline').getByText(last, { exact: true }).waitFor();
		expect(await page.rows.count()).toBe(200);
	}, 120_000);
});

describe('the page', () => {
	it('reconnects by itself after the sandbox has restarted', async () => {
		const { id } = addEndpoint();
		await page.endpoint(id).waitFor();
		const port = Number(new URL(sandbox.url).port);
		await sandbox.close();
		await page.connection('Not connected, trying again').waitFor();
		sandbox = await startSandbox({ port, allowHttp: true });
		await page.connection('Connected').waitFor();
		await page.endpoint(id).waitFor({ state: 'detached' });
		const next = addEndpoint();
		await page.endpoint(next.id).waitFor();
		await page.button('Fire').click();
		await page.row('email.bounced', '200').waitFor();
	});

	it('can be used with the keyboard alone', async () => {
		const { id } = addEndpoint();
		await page.endpoint(id).waitFor();
		const { keyboard } = tab;
		await page.tabTo('event');
		await keyboard.type('email.cl');
		await page.tabTo('target');
		await keyboard.press('ArrowDown');
		await page.tabTo('times');
		await keyboard.press('Enter');
		await page.row('email.clicked', '200').waitFor();
		await page.tabTo('shown');
		await keyboard.press('Tab');
		await keyboard.press('Enter');
		await page.detail(page.rows.first(), 'Request').waitFor();
	});

	it.each([
		['light', 1024],
		['dark', 1024],
		['light', 360],
		['dark', 360],
	] as const)(
		'is accessible and fits in %s mode, %i pixels wide',
		async (colorScheme, width) => {
			await tab.emulateMedia({ colorScheme });
			await tab.setViewportSize({ width, height: 900 });
			const { id } = addEndpoint();
			receiver.answer = statuses(401, 200);
			sandbox.addEndpoint('misar.mail', {
				url: 'https://n8n.example.com/webhook/6f1b62c2-7a3e-4a7b-9a57-bc2a1f3b2d54/misar',
				events: ['email.bounced', 'email.unsubscribed', 'email.complained'],
				active: false,
			});
			sandbox.fault({ kind: 'rateLimit', times: 3 });
			await sandbox.fire({ provider: 'metigan', event: 'email.bounced', tamper: 'signature' });
			await sandbox.fire({ provider: 'metigan', event: 'email.bounced' });
			await page.openEndpoint(id);
			await page.row('200').click();
			await page.detail(page.row('200'), 'Answer').waitFor();

			await tab.evaluate(axe);
			const found: AxeResults = await tab.evaluate('axe.run()');
			expect(found.violations.map(({ id: rule, nodes }) => [rule, nodes[0]?.html])).toEqual([]);
			expect(found.passes.length).toBeGreaterThan(20);
			expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width);
			if (colorScheme === 'dark') return;
			await tab.evaluate('scrollTo(0, 0)');
			const name = width === 360 ? 'sandbox-phone' : 'sandbox';
			await keepScreenshot(name, await tab.screenshot({ animations: 'disabled' }));
		},
		240_000,
	);

	it.each([1024, 390])(
		'shows the Fire button and its result without scrolling, %i pixels wide',
		async (width) => {
			await tab.setViewportSize({ width, height: 800 });
			receiver.answer = statuses(202);
			for (let more = 0; more < 9; more += 1) addEndpoint();
			await page.button('Fire').click();
			const newest = tab.getByText('Newest: Metigan, email.bounced: 202');
			await newest.waitFor();
			for (const shown of [page.button('Fire'), newest]) {
				const { y = Infinity, height = 0 } = (await shown.boundingBox()) ?? {};
				expect(y).toBeGreaterThan(0);
				expect(y + height).toBeLessThan(800);
			}
			const lines = await tab.getByRole('listitem', { name: /^Endpoint / }).all();
			expect(lines).toHaveLength(9);
			for (const line of lines) expect((await line.boundingBox())?.height).toBeLessThan(50);
		},
	);

	it('loads nothing from another host', async () => {
		await page.button('Fire').click();
		await page.says('Nobody is subscribed');
		expect([...page.hosts]).toEqual([new URL(sandbox.url).host]);
	});
});
