import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startSandbox, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, publishTrigger, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';

/**
 * What breaks an endpoint while n8n runs or is down, and that each trigger repairs it by itself: at
 * its next check, and at the next start.
 */

const OLD_SECRET = 'whsec_before_the_rotation_0123456789';
const NEW_SECRET = 'whsec_after_the_rotation_9876543210';
/** A check comes once a minute here; the repair itself takes seconds. */
const HEALED_MS = 150_000;

/** One trigger with an endpoint at a provider of its own. */
interface Patient {
	readonly trigger: TriggerCase;
	readonly sandbox: Sandbox;
	readonly workflow: TriggerWorkflow;
	/** How often it was broken and repaired before. */
	readonly round: number;
}

interface Fault {
	/** A credential is changed in n8n, just before it goes down. */
	readonly where: 'provider' | 'n8n';
	/** The credential's fields besides the API key. */
	readonly credential?: Record<string, string>;
	/** Breaks the endpoint, as the provider or a user may do. */
	breakIt(patient: Patient, own: SandboxEndpoint): Promise<void> | void;
	/** The endpoint has to be replaced by another one, except where the provider makes the secret. */
	readonly replaces?: true;
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
		replaces: true,
	},
	'the API key replaced': {
		where: 'n8n',
		breakIt: async ({ trigger, sandbox, workflow }) =>
			await workflow.setCredential({ apiKey: sandbox.replaceKey(trigger.provider) }),
	},
};

/** They issue secrets themselves: another signing secret in the credential changes nothing there. */
const issuesSecrets = ({ provider }: TriggerCase) =>
	provider === 'misar.reach' || provider === 'misar.post';
/** Its API has no call to delete an endpoint. */
const keepsEndpoints = ({ provider }: TriggerCase) => provider === 'misar.reach';

const endpointsAt = ({ trigger, sandbox, workflow }: Omit<Patient, 'round'>) =>
	sandbox.endpoints(trigger.provider).filter(({ url }) => url === workflow.webhookUrl);

/** Where replaced endpoints stay, the newest one is in use. */
const ownOf = (patient: Omit<Patient, 'round'>) => endpointsAt(patient).at(-1);

async function fire(patient: Omit<Patient, 'round'>, endpointId: string) {
	const { trigger, sandbox } = patient;
	const [event] = trigger.events;
	const [delivery] = await sandbox.fire({
		provider: trigger.provider,
		event,
		scheme: trigger.scheme,
		endpointId,
		retry: false,
	});
	return delivery?.attempts.at(-1)?.status;
}

/** Waits until the endpoint is as the node wants it, and its deliveries run. */
async function healed(n8n: N8nHost, patient: Patient, formerId: string | undefined): Promise<void> {
	const { trigger, workflow } = patient;
	const own = await until(`${trigger.title} to be repaired`, HEALED_MS, async () => {
		const endpoint = ownOf(patient);
		if (endpoint === undefined || !endpoint.active) return undefined;
		if ([...endpoint.events].sort().join() !== [...trigger.events].sort().join()) return undefined;
		if (endpoint.id === formerId) return undefined;
		return (await fire(patient, endpoint.id)) === 200 ? endpoint : undefined;
	});
	const runs = await n8n.waitForExecutions(workflow.workflowId, 1);
	expect(runs.filter(({ status }) => status !== 'success')).toEqual([]);
	// n8n saves what the private run wrote when that run ends.
	await until(`${trigger.title} to remember its endpoint`, 30_000, async () => {
		const { staticData } = await n8n.getWorkflow(workflow.workflowId);
		return JSON.stringify(staticData).includes(`"endpointId":"${own.id}"`) || undefined;
	});
	if (!keepsEndpoints(trigger)) expect(endpointsAt(patient)).toHaveLength(1);
}

const isOne = process.env['N8N_HOST_PIN'] === '1.x';
const services = isOne ? [undefined] : [undefined, false];

describe.each(services)('with the publication service %p', (publicationService) => {
	const sandboxes = new Map<string, Sandbox>();
	const patients = new Map<string, Array<Omit<Patient, 'round'>>>();
	let n8n: N8nHost;

	beforeAll(async () => {
		n8n = await startN8n({
			tarball: packedPackage(),
			webhookUrl: ORIGIN,
			...(publicationService === undefined ? {} : { publicationService }),
		});
		for (const [name, { credential = {} }] of Object.entries(faults)) {
			const sandbox = await startSandbox();
			sandbox.setRoute(ORIGIN, n8n.url);
			sandboxes.set(name, sandbox);
			const group: Array<Omit<Patient, 'round'>> = [];
			for (const trigger of triggerCases.filter(({ api }) => api !== undefined)) {
				const account = { apiKey: sandbox.keys[trigger.provider], ...credential };
				const options = { options: { checkInterval: 1 } };
				const bed = { n8n, sandbox };
				const workflow = await publishTrigger(bed, trigger, 'automatic', account, options);
				group.push({ trigger, sandbox, workflow });
			}
			patients.set(name, group);
		}
	}, 600_000);

	afterAll(async () => {
		await n8n?.stop();
		await Promise.all([...sandboxes.values()].map(async (sandbox) => await sandbox.close()));
	}, 60_000);

	/** All endpoints are broken at once, and have to be repaired each. */
	async function play(round: number, restart: boolean): Promise<string[]> {
		const broken = [...patients].flatMap(([name, group]) =>
			group.map((patient) => {
				const fault = faults[name];
				const replaced = fault?.replaces === true && !issuesSecrets(patient.trigger);
				const formerId = replaced ? ownOf(patient)?.id : undefined;
				return { name, fault, formerId, patient: { ...patient, round } };
			}),
		);
		const breakAll = async (kind: Fault['where']) => {
			for (const { fault, patient } of broken) {
				const own = ownOf(patient);
				if (own === undefined || fault === undefined) throw new Error('nothing to break');
				if (fault.where === kind) await fault.breakIt(patient, own);
			}
		};
		await breakAll('n8n');
		if (restart) await n8n.kill();
		await breakAll('provider');
		if (restart) await n8n.restart();
		const results = await Promise.allSettled(
			broken.map(async ({ patient, formerId }) => await healed(n8n, patient, formerId)),
		);
		return results.flatMap((result, index) =>
			result.status === 'rejected'
				? [`${broken[index]?.name} at ${broken[index]?.patient.trigger.title}: ${result.reason}`]
				: [],
		);
	}

	it('repairs what breaks while n8n runs', async () => {
		expect(await play(0, false)).toEqual([]);
	}, 300_000);

	it('is quiet afterwards: a check costs one call, and runs nothing', async () => {
		const all = [...patients.values()].flat();
		const runsOf = async () =>
			await Promise.all(
				all.map(async ({ workflow }) => (await n8n.executions(workflow.workflowId)).length),
			);
		const runs = await runsOf();
		const calls = () => [...sandboxes.values()].map((sandbox) => sandbox.requests().length);
		const before = calls();
		// Six sandboxes, five triggers each: every one is checked once a minute.
		await until('a check of each', 100_000, () =>
			calls().every((count, index) => count - (before[index] ?? 0) >= 5) ? true : undefined,
		);
		expect(await runsOf()).toEqual(runs);
		const recent = [...sandboxes.values()].flatMap((sandbox, index) =>
			sandbox.requests().slice(before[index]),
		);
		expect(new Set(recent.map(({ method }) => method))).toEqual(new Set(['GET']));
	}, 300_000);

	it('repairs at its start what broke while n8n was down', async () => {
		expect(await play(1, true)).toEqual([]);
	}, 400_000);

	it('deletes the endpoints when the workflows are unpublished', async () => {
		for (const patient of [...patients.values()].flat()) {
			await n8n.unpublish(patient.workflow.workflowId);
			if (!keepsEndpoints(patient.trigger)) expect(endpointsAt(patient)).toEqual([]);
		}
	}, 300_000);
});
