import { createServer, type Server } from 'node:http';

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { listen, stop } from '../../testkit/loopback';
import { answerWith, mapEntries, rewriteAnswers } from './answers';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { useProcess } from './process';
import { mailPanda, metigan, misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * Whose endpoint it is. A database that was restored or copied to another n8n names production's
 * endpoint, and both have the same API key.
 */

let sandbox: Sandbox;
const servers: Server[] = [];

const open = useSandbox((started) => (sandbox = started), { allowHttp: true });
afterEach(async () => {
	jest.restoreAllMocks();
	await Promise.all(servers.splice(0).map(stop));
});

function startHost(
	trigger: TriggerUnderTest,
	options: Partial<ContextHostOptions> & { nodeParameters?: INodeParameters } = {},
): ContextHost {
	const { nodeParameters, ...rest } = options;
	return open({ ...selfRegistering(trigger, sandbox, { nodeParameters }), ...rest });
}

/** A published trigger whose webhook URL is served. */
async function startProduction(trigger: TriggerUnderTest): Promise<ContextHost> {
	const production = startHost(trigger);
	production.restart({ webhookOrigin: await production.listen() });
	await production.publish();
	return production;
}

/** An address at which every request gets the same answer; by default nothing listens there. */
async function addressThat(
	answer?: (path: string) => { status: number; body: string },
): Promise<string> {
	// Below the range that free ports are assigned from, so no other test can be listening.
	if (answer === undefined) return 'http://127.0.0.1:9';
	const server = createServer((request, response) => {
		const { status, body } = answer(request.url ?? '');
		response.writeHead(status, { 'content-type': 'application/json' }).end(body);
	});
	servers.push(server);
	return await listen(server);
}

/** As n8n answers where it has no such webhook. */
const notRegistered = (path: string) => ({
	status: 404,
	body: JSON.stringify({
		code: 404,
		message: `The requested webhook "POST ${path.replace('/webhook/', '')}" is not registered.`,
		hint: 'The workflow must be active for a production URL to run successfully.',
	}),
});

const urlsAt = ({ provider }: TriggerUnderTest) =>
	sandbox.endpoints(provider).map(({ url }) => url);

/** Fires an event. @returns how many runs it started at a host */
async function runsOfOneEvent(trigger: TriggerUnderTest, host: ContextHost): Promise<number> {
	const before = host.runs.length;
	await sandbox.fire({ provider: trigger.provider, event: trigger.events[0], retry: false });
	return host.runs.length - before;
}

describe.each([
	['Misar Mail', misarMail],
	['Misar Reach', misarReach],
	['Mail Panda', mailPanda],
	['Metigan', metigan],
])('a copy of the database at %s', (_name, trigger) => {
	const clone = async (production: ContextHost) => {
		useProcess('copy');
		return startHost(trigger, {
			staticData: structuredClone(production.savedStaticData),
			webhookOrigin: await addressThat(() => ({ status: 404, body: '{}' })),
		});
	};

	it('leaves the endpoint of a live original alone, and says so with both URLs and the ID', async () => {
		const production = await startProduction(trigger);
		const [original] = sandbox.endpoints(trigger.provider);
		const copy = await clone(production);
		const warnings = recordWarnings();
		await copy.publish();

		expect(urlsAt(trigger)).toEqual([production.webhookUrl, copy.webhookUrl]);
		expect(sandbox.endpoints(trigger.provider)[0]).toEqual(original);
		expect(warnings).toHaveLength(1);
		for (const part of [production.webhookUrl, copy.webhookUrl, original?.id]) {
			expect(warnings[0]).toContain(part);
		}
		expect(production.runs).toEqual([]);
		useProcess('');
		expect(await runsOfOneEvent(trigger, production)).toBe(1);

		useProcess('copy');
		copy.restart();
		await copy.publish();
		expect(urlsAt(trigger)).toEqual([production.webhookUrl, copy.webhookUrl]);
		expect(warnings).toHaveLength(1);
	});

	it('does not delete the endpoint of the original if the provider does not show it', async () => {
		const production = await startProduction(trigger);
		const [original] = sandbox.endpoints(trigger.provider);
		const copy = await clone(production);
		const others = (answer: unknown) =>
			mapEntries(answer, (list) => list.filter(({ url }) => url !== original?.url));
		rewriteAnswers(sandbox, trigger, others, { place: 'list' });
		answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		await copy.publish();
		expect(urlsAt(trigger)).toEqual([production.webhookUrl, copy.webhookUrl]);
	});

	it('does not delete the endpoint of the original if it is unpublished before it ever started', async () => {
		const production = await startProduction(trigger);
		const copy = await clone(production);
		const warnings = recordWarnings();
		await copy.unpublish();
		expect(urlsAt(trigger)).toEqual([production.webhookUrl]);
		expect(warnings[0]).toContain('was not deleted');
		await copy.publish();
		expect(urlsAt(trigger)).toEqual([production.webhookUrl, copy.webhookUrl]);
	});
});

describe.each([
	['Misar Mail, which updates', misarMail],
	['Misar Reach, which has neither update nor delete', misarReach],
])('a new public address of n8n at %s', (_name, trigger) => {
	it.each([
		['', async () => {}],
		[
			' and the workflow was unpublished first',
			async (host: ContextHost) => await host.unpublish(),
		],
	])(
		'takes the endpoint along if n8n keeps answering at the old one that it has no such webhook%s',
		async (_what, before) => {
			sandbox.setBehaviour('misar.reach', { deleteOffered: true });
			const host = startHost(trigger, { webhookOrigin: await addressThat(notRegistered) });
			await host.publish();
			host.restart({ webhookOrigin: await host.listen() });
			await before(host);
			await host.publish();
			expect(urlsAt(trigger)).toEqual([host.webhookUrl]);
			expect(await runsOfOneEvent(trigger, host)).toBe(1);
			await host.unpublish();
			expect(urlsAt(trigger)).toEqual([]);
		},
	);

	it('leaves the endpoint alone if the n8n at the old one was only starting', async () => {
		let isStarting = true;
		const old = await addressThat((path) =>
			isStarting ? notRegistered(path) : { status: 401, body: '{"error":"no signature"}' },
		);
		const host = startHost(trigger, { webhookOrigin: old });
		await host.publish();
		host.restart({ webhookOrigin: await host.listen() });
		const warnings = recordWarnings();
		const published = host.publish();
		setTimeout(() => (isStarting = false), 2_000);
		await published;
		expect(urlsAt(trigger)).toEqual([expect.stringContaining(old), host.webhookUrl]);
		expect(warnings[0]).toContain('where another n8n with this workflow answers');
	});

	/** Moves from an address where nobody can tell whose the endpoint is: it stays, beside a new one. */
	async function movedFrom(old: string): Promise<ContextHost> {
		const host = startHost(trigger, { webhookOrigin: old });
		await host.publish();
		host.restart({ webhookOrigin: await host.listen() });
		const warnings = recordWarnings();
		await host.publish();
		expect(urlsAt(trigger)).toEqual([expect.stringContaining(old), host.webhookUrl]);
		expect(warnings[0]).toContain('it is not clear whether');
		return host;
	}

	it.each([
		['nobody listens at the old one', undefined],
		['a router answers 404 at the old one', () => ({ status: 404, body: '{}' })],
		['a router answers 405 at the old one', () => ({ status: 405, body: '' })],
	])('leaves the endpoint alone if %s, because an n8n may be there', async (_what, answer) => {
		const host = await movedFrom(await addressThat(answer));
		expect(await runsOfOneEvent(trigger, host)).toBe(1);
	});

	it.each<[string, number, string]>([
		['an overloaded proxy', 502, '<h1>Bad gateway</h1>'],
		['the page of an n8n that is starting', 200, 'n8n is starting up. Please wait'],
		['a login page', 200, '<form>'],
		['a firewall', 403, 'Forbidden'],
		['an unavailable application', 503, '{"error":"down","code":7}'],
	])('leaves the endpoint alone if the old one shows %s', async (_what, status, body) => {
		await movedFrom(await addressThat(() => ({ status, body })));
	});
});

it('an endpoint that somebody pointed elsewhere is taken back if nothing of ours answers there', async () => {
	const host = await startProduction(misarMail);
	const [own] = sandbox.endpoints('misar.mail');
	const dead = `${await addressThat()}/webhook/moved`;
	sandbox.changeEndpoint('misar.mail', own?.id ?? '', { url: dead });
	host.restart();
	await host.publish();
	expect(sandbox.endpoints('misar.mail')).toMatchObject([{ id: own?.id, url: host.webhookUrl }]);
});

describe('the record of an endpoint', () => {
	it.each<[string, Partial<ContextHostOptions>]>([
		['a duplicated node', { nodeName: 'Trigger1', webhookId: 'of-the-duplicate' }],
		['a copied workflow', { workflowId: 'wf2', webhookId: 'of-the-copy' }],
	])('is not used by %s, even if nobody answers at its URL', async (_what, changes) => {
		const webhookOrigin = await addressThat();
		const original = startHost(misarMail, { webhookOrigin });
		await original.publish();
		const other = startHost(misarMail, {
			...changes,
			webhookOrigin,
			staticData: structuredClone(original.savedStaticData),
		});
		await other.publish();
		expect(urlsAt(misarMail)).toEqual([original.webhookUrl, other.webhookUrl]);
		await other.unpublish();
		expect(urlsAt(misarMail)).toEqual([original.webhookUrl]);
	});

	it('is not used after the product was changed, because the key cannot manage that endpoint', async () => {
		const host = await startProduction(misarMail);
		const callsToMail = () => sandbox.requests().filter(({ path }) => path.startsWith('/mail'));
		const before = callsToMail().length;
		host.restart({
			parameters: {
				...misarReach.parameters,
				registration: 'automatic',
				events: [...misarReach.events],
			},
		});
		host.credential = {
			...misarReach.parameters,
			baseUrl: sandbox.url,
			apiKey: sandbox.keys['misar.reach'],
		};
		await host.publish();
		expect(urlsAt(misarReach)).toEqual([host.webhookUrl]);
		expect(callsToMail()).toHaveLength(before);
		// Nor does the other product's secret verify.
		expect(host.remembered).not.toHaveProperty('replaced');
	});
});
