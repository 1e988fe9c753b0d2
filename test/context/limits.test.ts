import path from 'node:path';

import { describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, INodeParameters } from 'n8n-workflow';

import { Mutex } from '../../nodes/shared/state/mutex';
import type * as watchModule from '../../nodes/shared/trigger/watch';
import { startSandbox, type Sandbox } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import * as actions from './actionHost';
import { BadProvider, MANNERS, type Manner } from './badProvider';
import { testCredential } from './credentialHost';
import { selfRegistering } from './hosts';
import { mailPanda, metigan, misarBlog, misarMail, type TriggerUnderTest } from './providers';

/**
 * Each call of each operation meets a provider that hangs, drips or floods, from this call on: the operation
 * ends in time, reads no more than the limit, keeps no connection, and can be repeated when the provider is well.
 */

process.env['N8N_LOG_LEVEL'] = 'silent';

/** All attempts of one call together. */
const CALL_LIMIT_MS = 15_000;
/** A hook of n8n begins no call after a minute. */
const HOOK_LIMIT_MS = 60_000 + CALL_LIMIT_MS;
/** For a machine that is busy. */
const SLACK_MS = 10_000;
/**
 * An answer that is too large is not asked for again; what both sides of a connection hold back comes on top. Before
 * there was a limit, 100 MB and more arrived in the same time.
 */
const FLOOD_LIMIT = 24e6;
const MINUTE_MS = 60_000;

const { EndpointWatch } = jest.requireActual<typeof watchModule>(
	path.join(__dirname, '../../dist/nodes/shared/trigger/watch.js'),
);
const ticks = jest.spyOn(EndpointWatch.prototype, 'tick');

/** An operation that is ready to begin. */
interface Prepared {
	readonly act: () => Promise<unknown>;
	/** What to check once the provider works again. */
	readonly after?: () => Promise<unknown>;
	readonly close?: () => Promise<unknown>;
}

interface Place {
	readonly sandbox: Sandbox;
	/** In front of the sandbox. */
	readonly provider: BadProvider;
	/** Different for each preparation. */
	readonly workflowId: string;
}

interface Operation {
	readonly title: string;
	readonly prepare: (place: Place) => Promise<Prepared>;
	/** In milliseconds. Default: that of one call, because one failed call ends the operation. */
	readonly limitMs?: number;
	/** Its failure is only logged, not thrown. */
	readonly quiet?: true;
}

function hostOf(
	{ sandbox, provider, workflowId }: Place,
	trigger: TriggerUnderTest,
	credential: ICredentialDataDecryptedObject = {},
	nodeParameters: INodeParameters = {},
): ContextHost {
	const options = selfRegistering(trigger, sandbox, {
		credential: { baseUrl: provider.url, ...credential },
		nodeParameters,
	});
	const webhookOrigin = `https://${workflowId}.example.com`;
	return new ContextHost({ ...options, workflowId, webhookOrigin });
}

/** Publishes, whatever is there, and expects one endpoint. */
async function publishOnce(host: ContextHost, { sandbox }: Place, trigger: TriggerUnderTest) {
	host.repeat();
	await host.publish();
	expect(sandbox.endpoints(trigger.provider)).toHaveLength(1);
}

function publishing(trigger: TriggerUnderTest, login = false): Operation {
	return {
		title: `a publish of ${trigger.title}${login ? ', with a login' : ''}`,
		limitMs: HOOK_LIMIT_MS,
		prepare: async (place) => {
			const session = { ...place.sandbox.login, authentication: 'session', apiKey: '' };
			const host = hostOf(place, trigger, login ? session : {});
			return {
				act: async () => await host.publish(),
				after: async () => await publishOnce(host, place, trigger),
				close: async () => await host.close(),
			};
		},
	};
}

async function tick(started: { tick: () => void }): Promise<void> {
	const before = ticks.mock.results.length;
	started.tick();
	await Promise.all(ticks.mock.results.slice(before).map(({ value }) => value));
}

const checking: Operation = {
	title: 'a check',
	limitMs: HOOK_LIMIT_MS,
	quiet: true,
	prepare: async (place) => {
		const host = hostOf(place, misarMail, {}, { options: { checkInterval: 1 } });
		await host.publish();
		const [endpoint] = place.sandbox.endpoints(misarMail.provider);
		const started = await host.startTrigger();
		// A check that has nothing to repair makes one call.
		if (endpoint !== undefined) endpoint.active = false;
		return {
			act: async () => await tick(started),
			after: async () => await publishOnce(host, place, misarMail),
			close: async () => {
				await started.close();
				await host.close();
			},
		};
	},
};

const unpublishing: Operation = {
	title: 'an unpublish',
	limitMs: HOOK_LIMIT_MS,
	prepare: async (place) => {
		const host = hostOf(place, misarMail);
		await host.publish();
		return {
			act: async () => await host.unpublish(),
			after: async () => {
				await host.unpublish();
				expect(place.sandbox.endpoints(misarMail.provider)).toEqual([]);
			},
			close: async () => await host.close(),
		};
	},
};

function recovering(trigger: TriggerUnderTest, event: string): Operation {
	return {
		title: `a recovery of ${trigger.title}`,
		quiet: true,
		prepare: async (place) => {
			const { sandbox, provider, workflowId } = place;
			const now = Date.now();
			const owner = { workflowId, nodeId: 'node-of-Trigger' };
			const recovery = { ...owner, from: now - 9 * MINUTE_MS, until: now - 9 * MINUTE_MS };
			const records = { [owner.nodeId]: { revision: 1, recovery } };
			const host = new ContextHost({
				workflowId,
				node: trigger.nodeType,
				credentialType: trigger.credentialType,
				credential: {
					baseUrl: provider.url,
					signingSecret: 'whsec_of_this_test',
					apiKey: sandbox.keys[trigger.provider],
				},
				parameters: {
					registration: 'manual',
					events: [event],
					options: { recoverMissed: true, checkInterval: 1 },
				},
				staticData: { global: { 'n8n-nodes-misar-metigan': records } },
			});
			await host.publish();
			await sandbox.fire({
				provider: trigger.provider,
				event,
				timestampMs: now - 3 * MINUTE_MS,
			});
			const started = await host.startTrigger();
			return {
				act: async () => await tick(started),
				close: async () => {
					await started.close();
					await host.runsEnded();
					await host.close();
				},
			};
		},
	};
}

/** A trigger whose webhook URL has changed asks who answers at the former one. */
const probing: Operation = {
	title: 'the look at who answers at a former address',
	quiet: true,
	prepare: async (place) => {
		const { sandbox, provider, workflowId } = place;
		const options = { ...selfRegistering(misarMail, sandbox), workflowId };
		const host = new ContextHost({ ...options, webhookOrigin: provider.url });
		await host.publish();
		host.restart({ webhookOrigin: 'http://127.0.0.1:9' });
		return { act: async () => await host.publish(), close: async () => await host.close() };
	},
};

function testing(trigger: TriggerUnderTest, login = false): Operation {
	const { credentialType, provider: api } = trigger;
	return {
		title: `a test of the ${credentialType.displayName} credential${login ? ', with a login' : ''}`,
		prepare: async ({ sandbox, provider }) => {
			const proof = login
				? { ...sandbox.login, authentication: 'session' }
				: { apiKey: sandbox.keys[api] };
			const act = async () => {
				const verdict = await testCredential(trigger, { ...proof, baseUrl: provider.url });
				if (verdict.status !== 'OK') throw new Error(verdict.message);
			};
			return { act, after: act };
		},
	};
}

function acting(
	action: actions.ActionNodeCase,
	resource: string,
	operation: string,
	more: (endpointId: string) => INodeParameters = () => ({}),
): Operation {
	return {
		title: `${action.title}, ${operation} of ${resource}`,
		prepare: async ({ sandbox, provider }) => {
			const article = { id: 'art-1', slug: 'first', title: 'First' };
			await sandbox.fire({ provider: 'misarBlog', event: 'article.published', data: { article } });
			const data = { recipient: 'ana@example.com' };
			await sandbox.fire({ provider: 'metigan', event: 'email.bounced', data });
			const register = async (): Promise<string> => {
				const [created] = await actions.runForData(sandbox, action, {
					parameters: { resource: 'endpoint', operation: 'create', ...NEW },
				});
				return String(created?.['id']);
			};
			const needsOne = ['endpoint', 'delivery'].includes(resource) && operation !== 'create';
			const id = needsOne ? await register() : '';
			const parameters = { resource, operation, ...more(id) };
			const account = { url: provider.url, keys: sandbox.keys };
			const act = async () => {
				const { error, outputs } = await actions.runAction(account, action, { parameters });
				if (error !== undefined) throw new Error(error.message);
				// Diagnose does not fail, whatever the provider does.
				const { finding, verdict } = outputs[0]?.[0]?.json ?? {};
				if (finding === 'providerNotAsked') throw new Error(String(verdict));
			};
			return { act };
		},
	};
}

const NEW = { url: 'https://app.example.com/hooks', events: ['email.bounced'] };
const byId = (value: string) => ({ endpoint: { __rl: true, mode: 'id', value } });
const actionOperations = [
	acting(actions.misarMail, 'endpoint', 'create', () => NEW),
	acting(actions.misarMail, 'endpoint', 'createOrUpdate', () => NEW),
	acting(actions.misarMail, 'endpoint', 'get', byId),
	acting(actions.misarMail, 'endpoint', 'getAll', () => ({ returnAll: true })),
	acting(actions.misarMail, 'endpoint', 'update', (id) => ({
		...byId(id),
		updateFields: { active: false },
	})),
	acting(actions.misarMail, 'endpoint', 'test', byId),
	acting(actions.misarMail, 'endpoint', 'diagnose', () => ({ by: 'url', url: NEW.url })),
	acting(actions.misarMail, 'endpoint', 'delete', byId),
	acting(actions.misarMail, 'delivery', 'getAll', (id) => ({ ...byId(id), returnAll: true })),
	acting(actions.mailPanda, 'event', 'record', () => ({
		eventType: 'email.opened',
		emailId: 'msg_1',
	})),
	acting(actions.metigan, 'suppression', 'add', () => ({ emails: 'ana@example.com' })),
	acting(actions.metigan, 'suppression', 'get', () => ({ email: 'ana@example.com' })),
	acting(actions.metigan, 'suppression', 'getAll', () => ({ returnAll: true })),
	acting(actions.metigan, 'suppression', 'remove', () => ({ email: 'ana@example.com' })),
	acting(actions.misarBlog, 'article', 'getAll', () => ({ returnAll: true })),
	acting(actions.misarBlog, 'article', 'get', () => ({
		article: { __rl: true, mode: 'id', value: 'art-1' },
	})),
];

const operations: readonly Operation[] = [
	publishing(misarMail),
	publishing(metigan),
	publishing(mailPanda, true),
	checking,
	unpublishing,
	recovering(metigan, 'email.bounced'),
	recovering(misarBlog, 'article.published'),
	probing,
	testing(misarMail),
	testing(misarBlog),
	testing(mailPanda, true),
	testing(metigan),
	...actionOperations,
];

const LATE = /no answer in time|\(E(?:CONNABORTED|TIMEDOUT)\)/;
const TOO_LARGE = /sent an answer of more than 5 MB, which is too large/;
const SAID: Readonly<Record<Manner, readonly RegExp[]>> = {
	hangs: [LATE],
	'drips its head': [LATE],
	'drips its body': [LATE],
	// A busy machine may not read that much in time.
	floods: [TOO_LARGE, LATE],
};

/** Floods keep the processor busy, so they run one after the other. */
const floods = new Mutex();
let places = 0;
async function at<T>(work: (place: Place) => Promise<T>): Promise<T> {
	const sandbox = await startSandbox({ allowHttp: true });
	const provider = await BadProvider.start(sandbox.url);
	try {
		return await work({ sandbox, provider, workflowId: `limits-${places++}` });
	} finally {
		await provider.close();
		await sandbox.close();
	}
}

/** How many calls the operation makes where all is well. */
async function callsOf({ prepare }: Operation): Promise<number> {
	return await at(async (place) => {
		const { act, close } = await prepare(place);
		place.provider.misbehave(undefined);
		await act();
		await close?.();
		return place.provider.calls;
	});
}

/** What is wrong with the end of an operation whose calls are answered badly from this one on. */
async function complaints(
	{ prepare, quiet, limitMs = CALL_LIMIT_MS }: Operation,
	call: number,
	manner: Manner,
): Promise<string[]> {
	const meet = async () =>
		await at(async (place) => {
			const { provider } = place;
			const { act, after, close } = await prepare(place);
			provider.misbehave(manner, call);
			const begun = Date.now();
			const said = await act().then(
				() => undefined,
				(error: unknown) => (error instanceof Error ? error.message : String(error)),
			);
			const took = Date.now() - begun;
			// Later calls may fail.
			const isTold = said === undefined && (quiet === true || call > 1);
			const found = [
				...(took > limitMs + SLACK_MS ? [`took ${took} ms`] : []),
				...(provider.flooded > FLOOD_LIMIT ? [`took ${provider.flooded} bytes`] : []),
				...(isTold || SAID[manner].some((text) => text.test(said ?? '')) ? [] : [`said ${said}`]),
			];
			await until('connections to close', SLACK_MS, () => provider.open === 0 || undefined);
			provider.misbehave(undefined);
			await after?.();
			await close?.();
			return found.map((complaint) => `call ${call} ${manner}: ${complaint}`);
		});
	return manner === 'floods' ? await floods.run(meet) : await meet();
}

describe('a provider whose answer does not end', () => {
	it.concurrent.each(operations)(
		'keeps nobody waiting: $title',
		async (operation) => {
			const count = await callsOf(operation);
			expect(count).toBeGreaterThan(0);
			const calls = Array.from({ length: count }, (_, index) => index + 1);
			const rows = calls.flatMap((call) => MANNERS.map((manner) => [call, manner] as const));
			const found = await Promise.all(
				rows.map(async ([call, manner]) => await complaints(operation, call, manner)),
			);
			expect(found.flat()).toEqual([]);
		},
		180_000,
	);

	it('is distinguished from a slow one if its answer is too large', async () => {
		await at(async (place) => {
			const { act, close } = await publishing(misarMail).prepare(place);
			place.provider.misbehave('floods');
			await expect(act()).rejects.toMatchObject({
				message: expect.stringMatching(TOO_LARGE),
				description: expect.stringContaining('Check the Base URL in the credential'),
			});
			await close?.();
		});
	});

	it('is met by each operation that calls one: each has a row in actionOperations', () => {
		const offered = [...actions.nodesUnderTest, actions.misarBlog].flatMap(({ node }) =>
			node.description.properties
				.filter(({ name }) => name === 'operation')
				.flatMap(({ options = [], displayOptions }) =>
					(displayOptions?.show?.['resource'] ?? []).flatMap((resource) =>
						options.map(
							(option) => `${'value' in option ? String(option.value) : ''} of ${String(resource)}`,
						),
					),
				),
		);
		const local = [
			...['getSample of event', 'receive of delivery'],
			...['sign of signature', 'verify of signature'],
		];
		const tried = actionOperations.map(({ title }) => title.split(', ')[1] ?? '');
		expect([...new Set(offered)].sort()).toEqual([...tried, ...local].sort());
	});
});
