import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, publishTrigger, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { misarMail } from '../../testkit/triggers';
import { templateBed } from './templateBed';
import type { Imported } from './templateHost';

/** The templates that look after endpoints: started by their schedule's node, or by a form. */

const WAIT_MS = 60_000;
const FOREIGN = 'https://elsewhere.example.org/hook';

const bed = templateBed();

afterEach(async () => {
	for (const { provider, id } of bed.host.sandbox.endpoints())
		bed.host.sandbox.removeEndpoint(provider, id);
});

function endpoint(url: string, active = true) {
	return bed.host.sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'], active });
}

describe('endpoint audit', () => {
	it('flags endpoints that are inactive, foreign or left over, and no others', async () => {
		const imported = await bed.host.publish('endpoint-audit', {
			chatWebhookUrl: `${bed.address}/hook`,
		});
		const good = endpoint(`${ORIGIN}/webhook/a/misar`);
		await bed.host.run(imported, 'Every Monday');
		await bed.host.finished(imported, 1);
		expect(bed.collector.requests).toEqual([]);
		expect(await bed.host.rows('endpoint_inventory')).toMatchObject([
			{ endpoint_id: good.id, url: good.url, events: 'email.bounced', problem: '' },
		]);

		const off = endpoint(`${ORIGIN}/webhook/b/misar`, false);
		const foreign = endpoint(FOREIGN);
		const both = endpoint('https://n8n.example.com.evil.example.org/webhook/c/misar', false);
		const leftover = endpoint(`${ORIGIN}/webhook-test/d/misar`);
		bed.collector.statuses = [500];
		await bed.host.run(imported, 'Every Monday');
		await bed.host.finished(imported, 2);
		const expected = [
			[off, 'inactive'],
			[foreign, 'foreign'],
			[both, 'inactive, foreign'],
			[leftover, 'test'],
		] as const;
		expect(bed.collector.requests).toHaveLength(2);
		expect(bed.collector.requests[1]).toMatchObject({
			method: 'POST',
			path: '/hook',
			body: {
				text: 'Webhook endpoints to look at: 4',
				endpoints: expected.map(([{ id, url }, problem]) => ({ endpoint_id: id, url, problem })),
			},
		});
		// The same rows as before, brought up to date.
		bed.host.sandbox.changeEndpoint('misar.mail', off.id, { active: true });
		await bed.host.run(imported, 'Every Monday');
		await bed.host.finished(imported, 3);
		const rows = await bed.host.rows('endpoint_inventory');
		expect(rows.map(({ endpoint_id, problem }) => [endpoint_id, problem])).toEqual([
			[good.id, ''],
			[off.id, ''],
			...expected.slice(1).map(([{ id }, problem]) => [id, problem]),
		]);
	}, 120_000);

	it('accepts endpoints of the named systems', async () => {
		const imported = await bed.host.publish('endpoint-audit', {
			chatWebhookUrl: `${bed.address}/hook`,
			otherAddresses: ` ${new URL(FOREIGN).origin} ,https://third.example.org/hooks/`,
		});
		endpoint(FOREIGN);
		endpoint('https://third.example.org/hooks/1');
		const unlike = [
			'https://elsewhere.example.org.evil.example/hook',
			'https://third.example.org/2',
		];
		for (const url of unlike) endpoint(url);
		await bed.host.run(imported, 'Every Monday');
		await bed.host.finished(imported, 1);
		expect(bed.collector.requests).toMatchObject([
			{ body: { endpoints: unlike.map((url) => ({ url, problem: 'foreign' })) } },
		]);
	}, 60_000);
});

describe('failed deliveries', () => {
	it('are reported once each for the last day', async () => {
		const imported = await bed.host.publish('failed-deliveries', {
			chatWebhookUrl: `${bed.address}/hook`,
		});
		const good = endpoint(`${bed.address}/good`.replace('http:', 'https:'));
		const bad = endpoint(`${bed.address}/bad`.replace('http:', 'https:'));
		bed.host.sandbox.setRoute(new URL(good.url).origin, bed.address);
		const fire = async (endpointId: string, id: string, statuses: number[], retry: boolean) => {
			bed.collector.statuses = statuses;
			await bed.host.sandbox.fire({
				provider: 'misar.mail',
				event: 'email.bounced',
				endpointId,
				id,
				retry,
			});
		};
		await fire(good.id, 'evt_taken', [200], false);
		const delivered = bed.collector.requests.length;
		await bed.host.run(imported, 'Every Morning');
		await bed.host.finished(imported, 1);
		expect(bed.collector.requests).toHaveLength(delivered);

		await fire(bad.id, 'evt_refused', [500], false);
		await fire(bad.id, 'evt_twice', [500, 502], true);
		await fire(good.id, 'evt_gone', [410], false);
		const before = bed.collector.requests.length;
		await bed.host.run(imported, 'Every Morning');
		await bed.host.finished(imported, 2);
		const reports = bed.collector.requests.slice(before);
		expect(reports).toMatchObject([
			{ path: '/hook', body: { text: 'Deliveries that failed in the last 24 hours: 3' } },
		]);
		const expected = [
			{ delivery_id: 'evt_gone', endpoint_url: good.url, status: 410 },
			{ delivery_id: 'evt_refused', endpoint_url: bad.url, status: 500 },
			{ delivery_id: 'evt_twice', endpoint_url: bad.url, status: 502 },
		];
		const byId = (a: { delivery_id?: unknown }, b: { delivery_id?: unknown }) =>
			String(a.delivery_id).localeCompare(String(b.delivery_id));
		expect((await bed.host.rows('failed_deliveries')).sort(byId)).toMatchObject(
			expected.map((row) => ({
				...row,
				event: 'email.bounced',
				attempted_at: expect.stringMatching(/^\d{4}-/),
			})),
		);

		// The next morning's log still has them: the table does not.
		await bed.host.run(imported, 'Every Morning');
		await bed.host.finished(imported, 3);
		expect(await bed.host.rows('failed_deliveries')).toHaveLength(3);
	}, 180_000);
});

describe('rotation of a signing secret', () => {
	const OLD = 'whsec_the_old_one_of_the_endpoint';
	const NEW = 'whsec_the_new_one_of_the_endpoint';
	const EVENTS = ['email.bounced', 'email.complained'];
	const LOGIN = { user: 'ada', password: 'opens the form' };
	let rotation: Imported;
	let receiver: TriggerWorkflow;

	beforeAll(async () => {
		rotation = await bed.host.publish(
			'rotate-signing-secret',
			{},
			{
				Ask: { type: 'httpBasicAuth', data: LOGIN },
			},
		);
	}, 60_000);

	beforeEach(async () => {
		receiver = await publishTrigger(bed.host, misarMail, 'manual', account(OLD, ''));
		const { webhookUrl: url } = receiver;
		bed.host.sandbox.addEndpoint('misar.mail', { url, events: EVENTS, secret: OLD });
	});

	afterEach(async () => {
		await bed.host.n8n.deleteWorkflow(receiver.workflowId);
	});

	function account(signingSecret: string, previousSigningSecret: string) {
		const apiKey = bed.host.sandbox.keys['misar.mail'];
		return { apiKey, signingSecret, previousSigningSecret };
	}

	/** Step 1 of the notes: what the user does to the credential. */
	async function enterNewSecret() {
		await receiver.setCredential(account(NEW, OLD));
	}

	/** Fills in the form as a browser does; the status of its answer comes when the run has ended. */
	async function submit(url: string, login = LOGIN): Promise<number> {
		const form = new FormData();
		form.append('field-0', url);
		form.append('field-1', NEW);
		const ask = rotation.template.nodes.find(({ name }) => name === 'Ask');
		const credentials = Buffer.from(`${login.user}:${login.password}`).toString('base64');
		const answer = await fetchOnNewConnection(`${bed.host.n8n.url}/form/${ask?.webhookId ?? ''}`, {
			method: 'POST',
			headers: { authorization: `Basic ${credentials}` },
			body: form,
		});
		await answer.arrayBuffer();
		return answer.status;
	}

	const secrets = () =>
		bed.host.sandbox
			.endpoints('misar.mail')
			.filter(({ url }) => url === receiver.webhookUrl)
			.map(({ secret }) => secret);

	async function bounce(): Promise<string[]> {
		const fired = await bed.host.sandbox.fire({ provider: 'misar.mail', event: 'email.bounced' });
		return fired.map(({ state }) => state);
	}

	it('replaces the endpoint, and every event verifies on the way', async () => {
		expect(await bounce()).toEqual(['delivered']);
		await enterNewSecret();
		expect(await bounce()).toEqual(['delivered']);
		const before = bed.host.sandbox.requests().length;
		expect(await submit(receiver.webhookUrl)).toBe(200);
		const calls = bed.host.sandbox.requests().slice(before);
		expect(calls.map(({ method, status }) => [method, status])).toEqual([
			['GET', 200],
			['POST', 201],
			['POST', 200],
			['DELETE', 204],
		]);
		expect(bed.host.sandbox.endpoints('misar.mail')).toMatchObject([
			{ url: receiver.webhookUrl, active: true, events: EVENTS, secret: NEW },
		]);
		expect(await bounce()).toEqual(['delivered']);
		expect(await bed.host.n8n.waitForExecutions(receiver.workflowId, 3)).toHaveLength(3);
	});

	it('restores everything if the new secret was not entered first', async () => {
		expect(await submit(receiver.webhookUrl)).toBe(500);
		expect(bed.host.sandbox.requests().at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
		expect(secrets()).toEqual([OLD]);
		expect(await bounce()).toEqual(['delivered']);
	});

	it('runs an event once while there are two endpoints', async () => {
		await enterNewSecret();
		bed.host.sandbox.addEndpoint('misar.mail', {
			url: receiver.webhookUrl,
			events: EVENTS,
			secret: NEW,
		});
		await bounce();
		await bed.host.sandbox.settled();
		await bounce();
		await bed.host.sandbox.settled();
		expect(await bed.host.n8n.waitForExecutions(receiver.workflowId, 2)).toHaveLength(2);
	});

	it('changes nothing for another URL or another person', async () => {
		const before = bed.host.sandbox.endpoints();
		expect(await submit(`${receiver.webhookUrl}/other`)).toBe(500);
		expect(await submit(receiver.webhookUrl, { ...LOGIN, password: 'wrong' })).toBe(401);
		expect(bed.host.sandbox.endpoints()).toEqual(before);
	});

	it('stores no run, and shows the secret nowhere', async () => {
		await enterNewSecret();
		expect(await submit(receiver.webhookUrl)).toBe(200);
		expect(await submit(`${receiver.webhookUrl}/other`)).toBe(500);
		await until('its runs to be forgotten', WAIT_MS, async () =>
			(await bed.host.n8n.executions(rotation.id)).length === 0 ? true : undefined,
		);
		const shown = JSON.stringify(await bed.host.n8n.getWorkflow(rotation.id)) + bed.host.n8n.log();
		for (const secret of [OLD, NEW]) expect(shown).not.toContain(secret);
	});
});

describe('tell me when webhooks break', () => {
	it('sends a readable problem once, and no event', async () => {
		const imported = await bed.host.publish('webhook-problems', { url: `${bed.address}/hook` });
		const [own] = bed.host.sandbox.endpoints('misar.mail');
		const fire = async (more: { secret?: string }) =>
			await bed.host.sandbox.fire({
				provider: 'misar.mail',
				event: 'email.bounced',
				endpointId: own?.id ?? '',
				retry: false,
				...more,
			});
		const texts = () => bed.collector.requests.map(({ body }) => body);
		const nodesOf = async (at: number) => {
			const runs = await bed.host.n8n.executions(imported.id);
			const { data } = await bed.host.n8n.execution(runs[at]?.id ?? '');
			return Object.keys(data.resultData.runData).sort();
		};

		for (let times = 0; times < 50; times++) await fire({ secret: 'whsec_of_a_forger' });
		await bed.host.finished(imported, 1);
		expect(texts()).toEqual([
			{
				text: expect.stringMatching(
					/^Misar Mail in workflow “.*”: A delivery was refused at .*: signature does not match\. No valid delivery has arrived since n8n started: .* http\S+\/workflow\/\w+$/,
				),
			},
		]);
		expect(await nodesOf(0)).toEqual(['Misar Mail', 'Send Message']);

		await fire({});
		await bed.host.finished(imported, 2);
		expect(await nodesOf(1)).toEqual(['Misar Mail']);
		await bed.host.n8n.unpublish(imported.id);
	});
});
