import { beforeAll, describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import {
	accountOf,
	publishTrigger,
	SECRET,
	type TriggerWorkflow,
} from '../../testkit/publishTrigger';
import { metigan, misarDev } from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import type { Chromium } from './chromium';
import { SandboxPage } from './sandboxPage';
import { useChromium } from './useChromium';

/** The page of the sandbox beside a real n8n: what each way to fire an event leads to. */

/** An entry of the choice How, n8n's answer to each delivery, and how many runs it starts. */
type Way = [manner: string, answers: readonly string[], runs: number];

const REFUSED: ReadonlyArray<Way> = [
	['Forged: body changed after signing', ['401'], 0],
	['Forged: signature changed', ['401'], 0],
	['Forged: signed with another secret', ['401'], 0],
	['Forged: not signed', ['401'], 0],
];
const VALID: Way = ['Valid', ['200'], 1];
const DUPLICATE: Way = ['Valid, the same delivery several times', ['200', '200'], 1];

const WAIT_MS = 30_000;
/** A check each minute, on a busy machine. */
const CHECKED_MS = 150_000;

let browser: Chromium;
let sandbox: Sandbox;
let n8n: N8nHost;
let page: SandboxPage;

useChromium((launched) => (browser = launched));
useN8n((bed) => ({ n8n, sandbox } = bed));

beforeAll(async () => {
	page = new SandboxPage(await browser.context.newPage());
	await page.open(sandbox);
});

const tries = () => sandbox.deliveries().flatMap(({ attempts }) => attempts).length;

/** Fires in each way in turn, and checks the timeline and the runs after each. */
async function fireEachWay(workflowId: string, ways: readonly Way[]): Promise<void> {
	let runs = 0;
	for (const [manner, answers, started] of ways) {
		const before = { deliveries: sandbox.deliveries().length, tries: tries() };
		await page.choose({ How: manner });
		await page.button('Fire').click();
		await until('the deliveries', WAIT_MS, () => {
			return sandbox.deliveries().length === before.deliveries + answers.length || undefined;
		});
		await sandbox.settled();
		const shown = await page.answers(tries());
		// While n8n still works on the same delivery, its answer is to try again later.
		const final = shown.slice(before.tries).filter((answer) => answer !== '503');
		expect([manner, final]).toEqual([manner, answers]);
		runs += started;
		const finished = await n8n.waitForExecutions(workflowId, runs);
		expect([manner, finished.length]).toEqual([manner, runs]);
	}
}

describe('a trigger that registers itself', () => {
	it('appears when it is published, and answers each way to fire correctly', async () => {
		const { workflowId, webhookUrl }: TriggerWorkflow = await publishTrigger(
			{ n8n, sandbox },
			metigan,
			'automatic',
			accountOf(metigan, 'automatic', sandbox),
		);
		const [{ id = '' } = {}] = sandbox.endpoints('metigan');
		await page.endpoint(id).getByText(webhookUrl).waitFor();
		await page.row('Metigan', 'POST /api/webhooks', '201').waitFor();

		await page.choose({ Show: 'deliveries', Provider: 'Metigan', Event: 'email.bounced' });
		await fireEachWay(workflowId, [
			VALID,
			...REFUSED,
			['Stale: signed ten minutes ago', ['401'], 0],
			['Signed ten minutes ahead', ['401'], 0],
			DUPLICATE,
			VALID,
		]);

		await n8n.unpublish(workflowId);
		await page.endpoint(id).waitFor({ state: 'detached' });
	}, 300_000);
});

describe('an endpoint that was switched off on the page', () => {
	it('is switched on by the next check of its trigger', async () => {
		const { workflowId } = await publishTrigger(
			{ n8n, sandbox },
			metigan,
			'automatic',
			accountOf(metigan, 'automatic', sandbox),
			{ options: { checkInterval: 1 } },
		);
		const [{ id = '' } = {}] = sandbox.endpoints('metigan');
		await page.choose({ Show: 'deliveries and API calls' });
		await page.openEndpoint(id);
		await page.button(`Switch off endpoint ${id}`).click();
		await page.endpoint(id).getByText('off', { exact: true }).waitFor();

		const on = page.endpoint(id).getByText('on', { exact: true });
		await on.waitFor({ timeout: CHECKED_MS });
		await page.row('Metigan', `PATCH /api/webhooks/${id}`, '200').waitFor();
		expect(sandbox.endpoints('metigan')).toMatchObject([{ id, active: true }]);

		await n8n.unpublish(workflowId);
		await page.endpoint(id).waitFor({ state: 'detached' });
	}, 300_000);
});

describe('a trigger that was registered by hand', () => {
	it('accepts what is fired at its URL with its secret', async () => {
		const { workflowId, webhookUrl } = await publishTrigger(
			{ n8n, sandbox },
			misarDev,
			'manual',
			accountOf(misarDev, 'manual', sandbox),
		);
		await page.choose({
			Show: 'deliveries',
			Provider: 'Misar.Dev',
			Event: 'plugin.installed',
			'Send to': 'a URL registered by hand',
		});
		await page.field('Webhook URL').fill(webhookUrl);
		await page.field('Signing secret').fill(SECRET);
		await fireEachWay(workflowId, [
			VALID,
			...REFUSED,
			// n8n goes by the signed body.
			['Unsigned header names another event', ['200'], 1],
			DUPLICATE,
		]);
	}, 300_000);
});
