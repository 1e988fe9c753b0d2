import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { lastAnswer, startSandbox, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, publishTrigger, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';
import { ALL_FAULTS } from '../nightly';
import { useN8nAlone } from '../useN8n';

/**
 * What breaks an endpoint while n8n runs or is down, and that each trigger repairs it by itself: at
 * its next check, and at the next start.
 */

const OLD_SECRET = 'whsec_before_the_rotation_0123456789';
const NEW_SECRET = 'whsec_after_the_rotation_9876543210';
/** A check comes once a minute here; the repair itself takes seconds. */
const HEALED_MS = 150_000;

/** One trigger with an endpoint at a provider of its own. */
interface Subject {
	readonly trigger: TriggerCase;
	readonly sandbox: Sandbox;
	readonly workflow: TriggerWorkflow;
	/** How often it was broken and repaired before. */
	readonly round: number;
}

interface Fault {
	/** A credential is changed in n8n, just before it goes down. */
	readonly where: 'provider' | 'n8n';
	/** The credential's fields other than the API key. */
	readonly credential?: Record<string, string>;
	/** Breaks the endpoint, as the provider or a user may do. */
	breakIt(subject: Subject, own: SandboxEndpoint): Promise<void> | void;
	/** Whether the endpoint has to be replaced by another one. */
	replaces?(trigger: TriggerCase): boolean;
}

const secretOf = (round: number) => (round % 2 === 0 ? OLD_SECRET : NEW_SECRET);

const faults: Readonly<Record<string, Fault>> = {
	'switched off': {
		where: 'provider',
		breakIt: ({ trigger, sandbox }, { id }) =>
			sandbox.changeEndpoint(trigger.provider, id, { active: false }),
	},
	deleted: {
		where: 'provider',
		breakIt: ({ trigger, sandbox }, { id }) => sandbox.removeEndpoint(trigger.provider, id),
	},
	'its events changed': {
		where: 'provider',
		breakIt: ({ trigger, sandbox }, { id }) =>
			sandbox.changeEndpoint(trigger.provider, id, { events: [trigger.events[1]] }),
	},
	'its URL changed': {
		where: 'provider',
		breakIt: ({ trigger, sandbox }, { id }) =>
			sandbox.changeEndpoint(trigger.provider, id, { url: 'https://gone.example.com/hook' }),
	},
	'the secret rotated': {
		where: 'n8n',
		credential: { signingSecret: OLD_SECRET },
		breakIt: async ({ trigger, sandbox, workflow, round }) =>
			await workflow.setCredential({
				apiKey: sandbox.keys[trigger.provider],
				signingSecret: secretOf(round + 1),
				previousSigningSecret: secretOf(round),
			}),
		replaces: (trigger) => !issuesSecrets(trigger),
	},
	'the API key replaced': {
		// The key encrypts the secret.
		replaces: () => true,
		where: 'n8n',
		breakIt: async ({ trigger, sandbox, workflow }) =>
			await workflow.setCredential({ apiKey: sandbox.replaceKey(trigger.provider) }),
	},
};

/** Providers that issue the secret: another signing secret in the credential changes nothing there. */
const issuesSecrets = ({ provider }: TriggerCase) =>
	provider === 'misar.reach' || provider === 'misar.post';
/** Its API has no call to delete an endpoint. */
const keepsEndpoints = ({ provider }: TriggerCase) => provider === 'misar.reach';

const endpointsAt = ({ trigger, sandbox, workflow }: Omit<Subject, 'round'>) =>
	sandbox.endpoints(trigger.provider).filter(({ url }) => url === workflow.webhookUrl);

/** Where replaced endpoints stay, the newest one is in use. */
const ownOf = (subject: Omit<Subject, 'round'>) => endpointsAt(subject).at(-1);

async function fire(subject: Omit<Subject, 'round'>, endpointId: string) {
	const { trigger, sandbox } = subject;
	const [event] = trigger.events;
	const [delivery] = await sandbox.fire({
		provider: trigger.provider,
		event,
		scheme: trigger.scheme,
		endpointId,
		retry: false,
	});
	return lastAnswer(delivery);
}

/** Waits until the endpoint is as the node wants it, and is another one where it had to be replaced. */
async function repaired(subject: Subject, formerId: string | undefined): Promise<void> {
	const { trigger } = subject;
	await until(`${trigger.title} to be repaired`, HEALED_MS, () => {
		const own = ownOf(subject);
		if (own === undefined || !own.active || own.id === formerId) return undefined;
		return [...own.events].sort().join() === [...trigger.events].sort().join() || undefined;
	});
}

/** The next delivery runs, and there is one endpoint, which n8n remembers. */
async function expectToRun(n8n: N8nHost, subject: Subject): Promise<void> {
	const { trigger, workflow } = subject;
	// n8n saves what the private run wrote when that run ends.
	const id = await until(`${trigger.title} to remember its endpoint`, HEALED_MS, async () => {
		const { staticData } = await n8n.getWorkflow(workflow.workflowId);
		const own = ownOf(subject)?.id;
		return JSON.stringify(staticData).includes(`"endpointId":"${own}"`) ? own : undefined;
	});
	const runs = (await n8n.executions(workflow.workflowId)).length;
	expect([trigger.title, await fire(subject, id)]).toEqual([trigger.title, 200]);
	const after = await n8n.waitForExecutions(workflow.workflowId, runs + 1, 60_000);
	expect(after.filter(({ status }) => status !== 'success')).toEqual([]);
	if (!keepsEndpoints(trigger)) expect(endpointsAt(subject)).toHaveLength(1);
}

const isOne = process.env['N8N_HOST_PIN'] === '1.x';
const services = isOne ? [undefined] : [undefined, false];

const registering = triggerCases.filter(({ api }) => api !== undefined);

/** All triggers meet each fault in the newest n8n as it is by default, and at night; elsewhere they take turns. */
function triggersFor(fault: number, publicationService: boolean | undefined): TriggerCase[] {
	const isDefault = !isOne && publicationService === undefined;
	if (isDefault || ALL_FAULTS) return registering;
	return registering.filter((_trigger, index) => index === fault % registering.length);
}

describe.each(services)('with the publication service %p', (publicationService) => {
	const sandboxes = new Map<string, Sandbox>();
	const subjects = new Map<string, Array<Omit<Subject, 'round'>>>();
	let n8n: N8nHost;

	useN8nAlone((started) => (n8n = started), { env: FEW_ISOLATES, publicationService });

	beforeAll(async () => {
		for (const [index, [name, { credential = {} }]] of Object.entries(faults).entries()) {
			const sandbox = await startSandbox();
			sandbox.setRoute(ORIGIN, n8n.url);
			sandboxes.set(name, sandbox);
			const group: Array<Omit<Subject, 'round'>> = [];
			for (const trigger of triggersFor(index, publicationService)) {
				const account = { apiKey: sandbox.keys[trigger.provider], ...credential };
				const options = { options: { checkInterval: 1 } };
				const bed = { n8n, sandbox };
				const workflow = await publishTrigger(bed, trigger, 'automatic', account, options);
				group.push({ trigger, sandbox, workflow });
			}
			subjects.set(name, group);
		}
	}, 600_000);

	afterAll(async () => {
		await Promise.all([...sandboxes.values()].map(async (sandbox) => await sandbox.close()));
	}, 60_000);

	/** Breaks all endpoints at once; each has to be repaired. */
	async function play(round: number, restart: boolean): Promise<void> {
		const broken = [...subjects].flatMap(([name, group]) =>
			group.map((subject) => {
				const fault = faults[name];
				const replaced = fault?.replaces?.(subject.trigger) === true;
				const formerId = replaced ? ownOf(subject)?.id : undefined;
				return { fault, formerId, subject: { ...subject, round } };
			}),
		);
		const breakAll = async (kind: Fault['where']) => {
			for (const { fault, subject } of broken) {
				const own = ownOf(subject);
				if (own === undefined || fault === undefined) throw new Error('nothing to break');
				if (fault.where === kind) await fault.breakIt(subject, own);
			}
		};
		await breakAll('n8n');
		if (restart) await n8n.kill();
		await breakAll('provider');
		if (restart) await n8n.restart();
		await Promise.all(
			broken.map(async ({ subject, formerId }) => await repaired(subject, formerId)),
		);
		// One after the other: thirty at once would keep n8n from answering in time.
		for (const { subject } of broken) await expectToRun(n8n, subject);
	}

	it('every trigger repairs its endpoint while n8n runs', async () => {
		await play(0, false);
	}, 400_000);

	it('a check takes one call afterwards, and starts no run', async () => {
		const all = [...subjects.values()].flat();
		const runsOf = async () =>
			await Promise.all(
				all.map(async ({ workflow }) => (await n8n.executions(workflow.workflowId)).length),
			);
		const runs = await runsOf();
		const calls = () => [...sandboxes.values()].map((sandbox) => sandbox.requests().length);
		const before = calls();
		// Every one is checked once a minute.
		const wanted = [...subjects.values()].map((group) => group.length);
		await until('a check of each', 100_000, () =>
			calls().every((count, index) => count - (before[index] ?? 0) >= (wanted[index] ?? 0))
				? true
				: undefined,
		);
		expect(await runsOf()).toEqual(runs);
		const recent = [...sandboxes.values()].flatMap((sandbox, index) =>
			sandbox.requests().slice(before[index]),
		);
		expect(new Set(recent.map(({ method }) => method))).toEqual(new Set(['GET']));
	}, 300_000);

	it('every trigger repairs at the start what broke while n8n was down', async () => {
		await play(1, true);
	}, 400_000);

	it('every trigger deletes its endpoint when the workflow is unpublished', async () => {
		for (const subject of [...subjects.values()].flat()) {
			await n8n.unpublish(subject.workflow.workflowId);
			if (!keepsEndpoints(subject.trigger)) expect(endpointsAt(subject)).toEqual([]);
		}
	}, 300_000);
});
