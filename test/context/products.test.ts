import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ICredentialDataDecryptedObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import { eventParameters } from '../../testkit/triggers';
import type { ContextHost, ContextHostOptions } from '../../testkit/contextHost';
import { holdAnswer } from './hosts';
import { endProcess } from './process';
import { mailPanda, misarBlog, misarPost, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** What only some providers do: endpoints that cannot be deleted, pings, styles, sessions, no secret. */

const ORIGIN = 'https://n8n.example.com';

let sandbox: Sandbox;
let workflows = 0;
const open = useSandbox((started) => (sandbox = started));

async function startHost(
	trigger: TriggerUnderTest,
	credential: ICredentialDataDecryptedObject = { apiKey: sandbox.keys[trigger.provider] },
	parameters: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
): Promise<ContextHost> {
	const host = open({
		node: trigger.nodeType,
		credentialType: trigger.credentialType,
		webhookOrigin: ORIGIN,
		parameters: {
			...trigger.parameters,
			...(trigger.api === undefined ? {} : { registration: 'automatic' }),
			...eventParameters(trigger),
			...parameters,
		},
		credential: { baseUrl: sandbox.url, ...credential },
		// Its own workflow, because the nodes' memory of deliveries is the process's.
		workflowId: `products ${++workflows}`,
		...changes,
	});
	sandbox.setRoute(ORIGIN, await host.listen());
	return host;
}

async function runsOfOneEvent(trigger: TriggerUnderTest, host: ContextHost): Promise<number> {
	const before = host.runs.length;
	const [event] = trigger.events;
	await sandbox.fire({ provider: trigger.provider, event, retry: false });
	return host.runs.length - before;
}

const requestsSince = (count: number) =>
	sandbox
		.requests()
		.slice(count)
		.map(({ method, status }) => `${method} ${status}`);

describe('A Misar credential that was changed to another product', () => {
	let host: ContextHost;

	beforeEach(async () => {
		host = await startHost(misarReach);
		await host.publish();
		host.credential = { ...host.credential, product: 'ink' };
	});

	it('does not refuse deliveries of the endpoint that is registered', async () => {
		expect(await runsOfOneEvent(misarReach, host)).toBe(1);
	});

	it('lets unpublish go on, without a call, and does not publish', async () => {
		const before = sandbox.requests().length;
		await host.unpublish();
		expect(requestsSince(before)).toEqual([]);
		await expect(host.publish()).rejects.toThrow(
			'This credential is for Misar.Ink, but this trigger is for Misar Reach. Choose a Misar Reach credential.',
		);
		expect(requestsSince(before)).toEqual([]);
	});
});

describe('Misar Reach, which documents no delete call', () => {
	const endpoints = () => sandbox.endpoints('misar.reach');

	it('names the workflow in the description of its endpoint', async () => {
		await (await startHost(misarReach, undefined, {}, { workflowId: 'wf-reach' })).publish();
		expect(endpoints()).toMatchObject([{ description: 'n8n workflow wf-reach, node Trigger' }]);
	});

	it.each([404, 405] as const)(
		'is unpublished if a delete is answered with %i, and its endpoint is used again',
		async (deleteMissingStatus) => {
			sandbox.setBehaviour('misar.reach', { deleteMissingStatus });
			const host = await startHost(misarReach);
			await host.publish();
			const [before] = endpoints();
			await host.unpublish();
			expect(endpoints()).toHaveLength(1);

			host.restart();
			await host.publish();
			expect(endpoints()).toMatchObject([{ id: before?.id }]);
			expect(await runsOfOneEvent(misarReach, host)).toBe(1);
		},
	);

	it('creates a new endpoint if the secret of the one left behind is lost', async () => {
		const host = await startHost(misarReach);
		await host.create();
		endProcess();
		host.restart();
		await host.publish();
		expect(endpoints()).toHaveLength(2);
		// Both get the event; the delivery of the lost one cannot be verified.
		expect(await runsOfOneEvent(misarReach, host)).toBe(1);
	});

	it('deletes the endpoint if the API offers it after all', async () => {
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		const host = await startHost(misarReach);
		await host.publish();
		await host.unpublish();
		expect(endpoints()).toEqual([]);
	});

	it('throws if a delete is answered with 500, and keeps the ID', async () => {
		const host = await startHost(misarReach);
		await host.publish();
		sandbox.fault({ provider: 'misar.reach', method: 'DELETE', kind: 'status', status: 500 });
		await expect(host.delete()).rejects.toThrow('is not available at the moment (HTTP 500)');
		host.save();
		expect(JSON.stringify(host.savedStaticData)).toContain(endpoints()[0]?.id);
	});

	it('registers the names its API knows for "all events", not those of the platform page', async () => {
		await (await startHost(misarReach, undefined, { events: ['*'] })).publish();
		expect([...(endpoints()[0]?.events ?? [])].sort()).toEqual([
			'campaign.completed',
			'deal.lost',
			'deal.won',
			'lead_search.completed',
			'reply.received',
		]);
	});

	it('names the event that its API refuses', async () => {
		const host = await startHost(misarReach, undefined, { events: ['lead.found'] });
		await expect(host.publish()).rejects.toMatchObject({
			message: expect.stringMatching(
				/^Misar Reach did not accept the request \(HTTP 422\) — .*lead\.found/,
			),
			description: expect.stringContaining('lead.found'),
		});
	});
});

describe('Misar Post, which pings a new endpoint', () => {
	it('answers the ping before it knows the secret, and starts no run', async () => {
		const host = await startHost(misarPost);
		await host.publish();
		expect(sandbox.endpoints('misar.post')).toHaveLength(1);
		expect(sandbox.deliveries()).toMatchObject([
			{ event: 'ping', state: 'delivered', attempts: [{ status: 200 }] },
		]);
		expect(host.runs).toEqual([]);
		expect(await runsOfOneEvent(misarPost, host)).toBe(1);
	});

	it('has every other event put off until the secret is known', async () => {
		const host = await startHost(misarPost);
		const delivery = buildDelivery({
			provider: 'misar.post',
			event: 'post.published',
			secret: 'a secret nobody was told',
		});
		expect(await host.deliver(delivery)).toMatchObject({ status: 503, run: undefined });
	});

	it('has its ping answered for an endpoint added by hand, whose secret is known only afterwards', async () => {
		const host = await startHost(
			misarPost,
			{ signingSecret: 'any text for now' },
			{ registration: 'manual' },
		);
		await host.publish();
		const deliver = async (event: string) =>
			await host.deliver(buildDelivery({ provider: 'misar.post', event, secret: 'the real one' }));
		expect(await deliver('ping')).toMatchObject({ status: 200, body: { ignored: 'ping' } });
		expect(await deliver('post.published')).toMatchObject({ status: 401, run: undefined });
	});

	it.each(['PATCH', 'none'] as const)(
		'has a disabled endpoint repaired, with an update call or without: %s',
		async (updateMethods) => {
			sandbox.setBehaviour('misar.post', { updateMethods });
			const host = await startHost(misarPost);
			await host.publish();
			const [before] = sandbox.endpoints('misar.post');
			sandbox.changeEndpoint('misar.post', before?.id ?? '', { active: false });
			await host.publish();
			const after = sandbox.endpoints('misar.post');
			expect(after).toMatchObject([{ active: true, url: before?.url }]);
			expect(after[0]?.id === before?.id).toBe(updateMethods === 'PATCH');
			expect(await runsOfOneEvent(misarPost, host)).toBe(1);
		},
	);

	it.each([true, false])(
		'unpublishes whether a delete is offered or not: %s',
		async (deleteOffered) => {
			sandbox.setBehaviour('misar.post', { deleteOffered });
			const host = await startHost(misarPost);
			await host.publish();
			await host.unpublish();
			expect(sandbox.endpoints('misar.post')).toHaveLength(deleteOffered ? 0 : 1);
		},
	);
});

describe('Mail Panda, whose update and delete are not documented', () => {
	const endpoints = () => sandbox.endpoints('mailPanda');
	const styles = (['query', 'body', 'path'] as const).flatMap((manageStyle) =>
		(['PUT', 'PATCH'] as const).map((updateMethods) => ({ manageStyle, updateMethods })),
	);

	it.each(styles)('finds out how to update and delete: %j', async (behaviour) => {
		sandbox.setBehaviour('mailPanda', behaviour);
		const host = await startHost(mailPanda);
		await host.publish();
		const [before] = endpoints();
		sandbox.changeEndpoint('mailPanda', before?.id ?? '', { active: false });
		await host.publish();
		expect(endpoints()).toMatchObject([{ id: before?.id, active: true }]);
		expect(await runsOfOneEvent(mailPanda, host)).toBe(1);

		host.restart();
		await host.unpublish();
		expect(endpoints()).toEqual([]);
	});

	it.each(['query', 'body', 'path'] as const)(
		'uses the chosen place for the ID: %s',
		async (style) => {
			sandbox.setBehaviour('mailPanda', { manageStyle: style, updateMethods: 'both' });
			const host = await startHost(mailPanda, undefined, { options: { itemAddress: style } });
			await host.publish();
			sandbox.changeEndpoint('mailPanda', endpoints()[0]?.id ?? '', { active: false });
			const seen = sandbox.requests().length;
			await host.publish();
			// The last one checks whether it was changed.
			expect(requestsSince(seen)).toEqual(['GET 200', 'PUT 200', 'GET 200']);
		},
	);

	it('replaces an endpoint that cannot be updated', async () => {
		sandbox.setBehaviour('mailPanda', { updateMethods: 'none' });
		const host = await startHost(mailPanda);
		await host.publish();
		sandbox.changeEndpoint('mailPanda', endpoints()[0]?.id ?? '', { active: false });
		await host.publish();
		expect(endpoints()).toMatchObject([{ active: true }]);
		expect(await runsOfOneEvent(mailPanda, host)).toBe(1);
	});

	it('registers short names, and accepts long ones as the same events', async () => {
		const host = await startHost(mailPanda);
		await host.publish();
		expect(endpoints()[0]?.events).toEqual(['bounce', 'unsubscribe']);
		sandbox.changeEndpoint('mailPanda', endpoints()[0]?.id ?? '', {
			events: ['email.unsubscribe', 'email.bounce'],
		});
		const seen = sandbox.requests().length;
		await host.publish();
		expect(requestsSince(seen)).toEqual(['GET 200']);

		await sandbox.fire({ provider: 'mailPanda', event: 'email.bounce' });
		expect(host.runs[0]?.[0]?.json).toMatchObject({ event: 'bounce' });
	});

	it.each(['/', '/api', '/api/webhooks/manage/'])(
		'signs in where its Base URL ends with %s',
		async (ending) => {
			sandbox.setBehaviour('mailPanda', { bearerOnManage: false });
			const baseUrl = `${sandbox.url}${ending}`;
			const login = { authentication: 'session', baseUrl, ...sandbox.login };
			const host = await startHost(mailPanda, login);
			await host.publish();
			expect(endpoints()).toHaveLength(1);
		},
	);

	it('signs in with email and password, and again when the session has expired', async () => {
		sandbox.setBehaviour('mailPanda', { bearerOnManage: false });
		const host = await startHost(mailPanda, { authentication: 'session', ...sandbox.login });
		await host.publish();
		expect(endpoints()).toHaveLength(1);
		const logins = () => sandbox.requests().filter(({ path }) => path === '/api/auth').length;
		await host.checkExists();
		expect(logins()).toBe(1);

		sandbox.expireSessions();
		await host.checkExists();
		expect(logins()).toBe(2);
		expect(await runsOfOneEvent(mailPanda, host)).toBe(1);
	});

	it('signs in once more if the login is not answered', async () => {
		sandbox.fault({ provider: 'mailPanda', path: '/api/auth', kind: 'hang' });
		const host = await startHost(mailPanda, { authentication: 'session', ...sandbox.login });
		await host.publish();
		expect(await runsOfOneEvent(mailPanda, host)).toBe(1);
	});

	it('says what to do if the webhook API refuses keys', async () => {
		sandbox.setBehaviour('mailPanda', { bearerOnManage: false });
		const host = await startHost(mailPanda);
		await expect(host.publish()).rejects.toThrow(
			'Mail Panda did not accept the API key (HTTP 401)',
		);
	});
});

describe('Misar.Blog, which sends a shared secret and signs nothing', () => {
	const delivery = (changes: Partial<Parameters<typeof buildDelivery>[0]> = {}) =>
		buildDelivery({
			provider: 'misarBlog',
			event: 'article.published',
			secret: 'the shared secret',
			...changes,
		});

	it('is published without any API call', async () => {
		const host = await startHost(misarBlog, { signingSecret: 'the shared secret' });
		await host.publish();
		await host.unpublish();
		expect(sandbox.requests()).toEqual([]);
	});

	it('needs a secret unless the user accepts unverified deliveries', async () => {
		const careful = await startHost(misarBlog, {});
		await expect(careful.publish()).rejects.toThrow(
			/^The signing secret is missing\. .* ask Misar .* X-Webhook-Secret.* Options → Accept Unverified Deliveries/,
		);
		expect(await careful.deliver(delivery())).toMatchObject({ status: 401, run: undefined });

		const careless = await startHost(misarBlog, {}, { options: { acceptUnverified: true } });
		await careless.publish();
		expect((await careless.deliver(delivery({ secret: 'anything' }))).run).toHaveLength(1);
		// Even so the header has to agree with the body.
		expect(await careless.deliver(delivery({ tamper: 'swappedEvent' }))).toMatchObject({
			status: 401,
		});
	});

	it('verifies as usual once there is a secret', async () => {
		const host = await startHost(
			misarBlog,
			{ signingSecret: 'the shared secret' },
			{ options: { acceptUnverified: true } },
		);
		expect(await host.deliver(delivery({ secret: 'another' }))).toMatchObject({ status: 401 });
		expect((await host.deliver(delivery())).run).toHaveLength(1);
	});

	it('verifies at once when the secret is entered', async () => {
		const host = await startHost(misarBlog, {}, { options: { acceptUnverified: true } });
		expect((await host.deliver(delivery({ secret: 'anything' }))).run).toHaveLength(1);
		host.credential = { ...host.credential, signingSecret: 'the shared secret' };
		expect(await host.deliver(delivery({ secret: 'another' }))).toMatchObject({ status: 401 });
		expect((await host.deliver(delivery())).run).toHaveLength(1);
	});

	it('verifies X-Misar-Signature instead where a delivery carries it', async () => {
		const host = await startHost(misarBlog, { signingSecret: 'the shared secret' });
		const signed = delivery({ scheme: 'platform' });
		const wrong = delivery({ scheme: 'platform', secret: 'another' });
		const withSharedSecret = {
			...wrong,
			headers: { ...wrong.headers, 'x-webhook-secret': 'the shared secret' },
		};
		expect(await host.deliver(withSharedSecret)).toMatchObject({ status: 401 });
		expect((await host.deliver(signed)).run).toHaveLength(1);
	});

	it('runs two updates of one article, and a repeated one once', async () => {
		const host = await startHost(
			misarBlog,
			{ signingSecret: 'the shared secret' },
			{ events: ['*'] },
		);
		const data = { article: { id: 'a1' }, author: {} };
		for (const timestampMs of [1_000, 2_000, 2_000]) {
			await host.deliver(delivery({ event: 'article.updated', timestampMs, data }));
		}
		expect(host.runs).toHaveLength(2);
	});

	it('has a copy answered with 200 even while the first is being handled, because it never retries', async () => {
		const host = await startHost(misarBlog, { signingSecret: 'the shared secret' });
		const { entered, release } = holdAnswer(host);
		const same = delivery();
		const first = host.deliver(same);
		await entered;
		expect(await host.deliver(same)).toMatchObject({ status: 200, body: { duplicate: true } });
		release();
		await first;
		expect(host.runs).toHaveLength(1);
	});
});
