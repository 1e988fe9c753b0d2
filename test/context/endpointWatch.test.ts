import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ICredentialDataDecryptedObject, WorkflowActivateMode } from 'n8n-workflow';

import { startSandbox, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import {
	instantiate,
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	type TriggerUnderTest,
} from './providers';

/** The checks of an endpoint while its workflow is published, and at a start of n8n. */

const OLD_SECRET = 'whsec_before_the_rotation_0123456789';
const NEW_SECRET = 'whsec_after_the_rotation_9876543210';
const OTHERS = { 'node:Another': { cursor: 7 } };

let sandbox: Sandbox;
let published = 0;
const opened: Array<() => Promise<void>> = [];

beforeAll(async () => {
	sandbox = await startSandbox({ allowHttp: true });
});
afterEach(async () => {
	jest.restoreAllMocks();
	await Promise.all(opened.splice(0).map(async (close) => await close()));
	sandbox.reset();
});
afterAll(async () => {
	await sandbox.close();
});

const api = [misarMail, misarReach, misarPost, mailPanda, metigan];
/** They make the secret themselves, whatever the credential holds. */
const issuers: readonly TriggerUnderTest[] = [misarReach, misarPost];

/** A published trigger that is checked once a minute, and whose webhook URL is served. */
async function publish(
	trigger: TriggerUnderTest,
	credential: ICredentialDataDecryptedObject = {},
	options: Record<string, boolean | number> = {},
) {
	const host = new ContextHost({
		// What was reported of a workflow is remembered in the process.
		workflowId: `workflow ${published++}`,
		...selfRegistering(trigger, sandbox, {
			credential,
			nodeParameters: { options: { checkInterval: 1, ...options } },
		}),
		staticData: structuredClone(OTHERS),
	});
	host.restart({ webhookOrigin: await host.listen() });
	await host.publish();
	const watch = await host.startTrigger();
	opened.push(async () => {
		await watch.close();
		await host.close();
	});
	return { host, tick: watch.tick, close: watch.close };
}

const endpointsAt = ({ provider }: TriggerUnderTest, { webhookUrl }: ContextHost) =>
	sandbox.endpoints(provider).filter(({ url }) => url === webhookUrl);

async function answerOf(trigger: TriggerUnderTest, endpointId: string) {
	const [delivery] = await sandbox.fire({
		provider: trigger.provider,
		event: trigger.events[0],
		scheme: trigger.scheme,
		endpointId,
		retry: false,
	});
	return delivery?.attempts.at(-1)?.status;
}

interface Fault {
	readonly credential?: ICredentialDataDecryptedObject;
	breakIt(trigger: TriggerUnderTest, host: ContextHost, own: SandboxEndpoint): void;
	/** The problem that is reported. */
	readonly wrong: string;
}

const faults: Array<[string, Fault]> = [
	[
		'switched off',
		{
			wrong: 'switchedOff',
			breakIt: ({ provider }, _, { id }) => sandbox.changeEndpoint(provider, id, { active: false }),
		},
	],
	[
		'deleted',
		{
			wrong: 'deleted',
			breakIt: ({ provider }, _, { id }) => sandbox.removeEndpoint(provider, id),
		},
	],
	[
		'changed to other events',
		{
			wrong: 'changed',
			breakIt: ({ provider, events }, _, { id }) =>
				sandbox.changeEndpoint(provider, id, { events: [events[1]] }),
		},
	],
	[
		'changed to another URL',
		{
			wrong: 'changed',
			breakIt: ({ provider }, _, { id }) =>
				sandbox.changeEndpoint(provider, id, { url: 'http://127.0.0.1:1/hook' }),
		},
	],
	[
		'left behind by a rotation of the secret',
		{
			wrong: 'secretChanged',
			credential: { signingSecret: OLD_SECRET },
			breakIt: (_, host) => {
				host.credential = {
					...host.credential,
					signingSecret: NEW_SECRET,
					previousSigningSecret: OLD_SECRET,
				};
			},
		},
	],
	[
		'left behind by another API key',
		{
			wrong: 'secretChanged',
			breakIt: ({ provider }, host) => {
				host.credential = { ...host.credential, apiKey: sandbox.replaceKey(provider) };
			},
		},
	],
];

describe.each(faults)('an endpoint that was %s', (_, fault) => {
	it.each(api.map((trigger) => [trigger.title, trigger] as const))(
		'is repaired by the next check at %s',
		async (_title, trigger) => {
			const warnings = recordWarnings();
			const { host, tick } = await publish(trigger, fault.credential, { reportProblems: true });
			const [former] = endpointsAt(trigger, host);
			if (former === undefined) throw new Error('nothing was registered');
			fault.breakIt(trigger, host, former);
			const changed = fault.credential === undefined || !issuers.includes(trigger);

			if (changed) {
				await until('the problem to be reported', 10_000, () => {
					tick();
					return host.emitted.some(({ items }) => items[0]?.json['problem']) || undefined;
				});
				const reported = host.emitted.flatMap(({ outputs }) => outputs[1] ?? []);
				expect(reported.map(({ json }) => json)).toMatchObject([
					{ problem: 'endpointRepaired', wrong: [fault.wrong] },
				]);
				expect(warnings.filter((text) => text.includes('It was repaired'))).toHaveLength(1);
			} else {
				await until('the new fingerprint to be saved', 10_000, () => {
					tick();
					return host.emitted.length > 0 || undefined;
				});
			}

			// Reach has no call to delete one.
			const [own, ...others] = endpointsAt(trigger, host).reverse();
			if (trigger !== misarReach) expect(others).toEqual([]);
			expect(own).toMatchObject({
				active: true,
				events: expect.arrayContaining([...trigger.events]),
			});
			expect(await answerOf(trigger, own?.id ?? '')).toBe(200);
			expect(host.savedStaticData).toMatchObject({
				...OTHERS,
				'node:Trigger': { registration: { endpointId: own?.id } },
			});

			const before = sandbox.requests().length;
			const runs = host.emitted.length;
			await until('the next check', 10_000, () => {
				tick();
				return sandbox.requests().length > before || undefined;
			});
			expect(
				sandbox
					.requests()
					.slice(before)
					.filter(({ method }) => method !== 'GET'),
			).toEqual([]);
			expect(host.emitted).toHaveLength(runs);

			host.restart();
			await host.unpublish();
			if (trigger !== misarReach) expect(endpointsAt(trigger, host)).toEqual([]);
		},
	);
});

describe('a check', () => {
	it('costs one call each, writes nothing and runs nothing while all is well', async () => {
		for (const trigger of api) {
			const { host, tick } = await publish(trigger);
			const saved = structuredClone(host.savedStaticData);
			const before = sandbox.requests().length;
			for (const checks of [1, 2, 3]) {
				await until('a check', 10_000, () => {
					tick();
					return sandbox.requests().length - before >= checks || undefined;
				});
			}
			const calls = sandbox.requests().slice(before);
			expect(new Set(calls.map(({ method, path }) => `${method} ${path}`)).size).toBe(1);
			expect(host.emitted).toEqual([]);
			expect(host.savedStaticData).toEqual(saved);
		}
	});

	it('does not begin while the last one is at work', async () => {
		const { tick, host } = await publish(misarMail);
		const calls = () =>
			sandbox
				.requests()
				.filter(({ provider, method }) => provider === 'misar.mail' && method === 'GET');
		const before = calls().length;
		for (let times = 0; times < 20; times++) tick();
		await until('the check', 10_000, () => calls().length > before || undefined);
		await answerOf(misarMail, endpointsAt(misarMail, host)[0]?.id ?? '');
		expect(calls().slice(before)).toHaveLength(1);
	});

	it('tries again what a failed run did not save, and ends with one endpoint', async () => {
		recordWarnings();
		const { host, tick } = await publish(metigan);
		const [former] = endpointsAt(metigan, host);
		sandbox.removeEndpoint('metigan', former?.id ?? '');
		host.failRuns = true;
		tick();
		await until('a run that fails', 10_000, () => host.emitted.length > 0 || undefined);
		host.failRuns = false;
		await until('the registration to be saved', 10_000, () => {
			tick();
			const [own] = endpointsAt(metigan, host);
			return JSON.stringify(host.savedStaticData).includes(own?.id ?? 'none') || undefined;
		});
		expect(endpointsAt(metigan, host)).toHaveLength(1);
	});

	it('undoes what it created when the workflow is unpublished meanwhile', async () => {
		const { host, tick, close } = await publish(metigan);
		const [former] = endpointsAt(metigan, host);
		sandbox.removeEndpoint('metigan', former?.id ?? '');
		let created = 0;
		host.beforeRun = async () => {
			created = endpointsAt(metigan, host).length;
			await close();
		};
		tick();
		await until('the run that saves', 10_000, () => host.emitted.length > 0 || undefined);
		await until('it to be removed', 10_000, () =>
			endpointsAt(metigan, host).length === 0 ? true : undefined,
		);
		expect(created).toBe(1);
	});

	it('leaves a provider alone as long as it asks, and tells of it once', async () => {
		const warnings = recordWarnings();
		const { tick } = await publish(misarMail);
		const before = sandbox.requests().length;
		sandbox.fault({ kind: 'status', status: 429, headers: { 'retry-after': '3600' }, times: 5 });
		await until('the warning', 10_000, () => {
			tick();
			return warnings.length > 0 || undefined;
		});
		for (let times = 0; times < 5; times++) tick();
		expect(sandbox.requests().slice(before)).toHaveLength(1);
		expect(warnings).toHaveLength(1);
	});

	it('reports a provider that cannot be asked after two checks, once', async () => {
		const warnings = recordWarnings();
		const { host, tick } = await publish(misarMail, {}, { reportProblems: true });
		host.credential = { ...host.credential, apiKey: 'revoked' };
		await until('the problem', 10_000, () => {
			tick();
			return host.emitted.length > 0 || undefined;
		});
		const before = sandbox.requests().length;
		await until('more checks', 10_000, () => {
			tick();
			return sandbox.requests().length >= before + 3 || undefined;
		});
		expect(host.emitted.flatMap(({ items }) => items.map(({ json }) => json))).toMatchObject([
			{
				problem: 'endpointUnreachable',
				provider: 'misar',
				product: 'mail',
				reason: expect.stringContaining('did not accept the API key'),
			},
		]);
		expect(warnings).toHaveLength(1);
		expect(endpointsAt(misarMail, host)).toHaveLength(1);
	});

	it('comes at another second for each node', async () => {
		const seconds = new Set<string>();
		for (let index = 0; index < 50; index++) {
			const options = { ...selfRegistering(misarMail, sandbox), workflowId: `workflow ${index}` };
			const watch = await new ContextHost(options).startTrigger();
			watch.crons.forEach((expression) => seconds.add(expression));
			await watch.close();
		}
		expect(seconds.size).toBeGreaterThan(20);
	});
});

describe.each<WorkflowActivateMode>(['init', 'leadershipChange', 'update'])(
	'an activation of kind %s',
	(activation) => {
		it('leaves a good endpoint alone when the provider cannot be asked, and checks it soon', async () => {
			const warnings = recordWarnings();
			// Without checks, so that only the failed start makes one due.
			const { host, close } = await publish(metigan, {}, { checkInterval: 0 });
			await close();
			const saved = structuredClone(host.savedStaticData);
			host.restart({ activation });
			sandbox.fault({ kind: 'status', status: 500, times: 1 });
			expect(await host.checkExists()).toBe(true);
			host.save();
			expect(host.savedStaticData).toEqual(saved);
			expect(warnings).toHaveLength(1);

			const watch = await host.startTrigger();
			opened.push(watch.close);
			const before = sandbox.requests().length;
			watch.tick();
			await until('the check', 10_000, () => sandbox.requests().length > before || undefined);
			for (let times = 0; times < 5; times++) watch.tick();
			expect(sandbox.requests().slice(before)).toHaveLength(1);
			expect(endpointsAt(metigan, host)).toHaveLength(1);
		});

		it('registers an endpoint that is gone again', async () => {
			recordWarnings();
			const { host, close } = await publish(metigan);
			await close();
			sandbox.removeEndpoint('metigan', endpointsAt(metigan, host)[0]?.id ?? '');
			host.restart({ activation });
			await host.publish();
			const [own] = endpointsAt(metigan, host);
			expect(await answerOf(metigan, own?.id ?? '')).toBe(200);
		});
	},
);

it('a trigger whose settings cannot be used is not checked, and nothing is thrown', async () => {
	const warnings = recordWarnings();
	const host = new ContextHost(
		selfRegistering(metigan, sandbox, { nodeParameters: { options: { checkInterval: -1 } } }),
	);
	const watch = await host.startTrigger();
	expect(watch.crons).toEqual([]);
	expect(warnings).toHaveLength(1);
});

it('every credential signs its calls with a function, which needs no expression', () => {
	for (const { credentialFile } of api) {
		const { authenticate } = instantiate<{ authenticate: unknown }>(credentialFile);
		expect(authenticate).toBeInstanceOf(Function);
	}
});
