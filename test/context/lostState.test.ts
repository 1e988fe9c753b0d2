import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import { seal } from '../../nodes/shared/state/secretVault';
import { buildDelivery, type Sandbox } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { until } from '../../testkit/n8n-host/poll';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { endProcess, useProcess } from './process';
import {
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	type TriggerUnderTest,
} from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';

/** n8n loses what a trigger remembers, or goes back to an older copy of it. Genuine deliveries are not refused. */

const ORIGIN = 'https://n8n.example.com';
const FORGED = 'whsec_of_a_forger';
const ENTRY = 'n8n-nodes-misar-metigan';

let sandbox: Sandbox;
let workflows = 0;
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started));

beforeEach(() => {
	sandbox.setBehaviour('misar.reach', { deleteOffered: true });
	sandbox.setBehaviour('misar.post', { pingOnCreate: false });
	recordWarnings();
});

type Row = readonly [string, TriggerUnderTest, (() => void)?];

/** Every process knows the secret at any time. */
const derived: readonly Row[] = [
	['Misar Mail', misarMail],
	['Mail Panda', mailPanda],
	[
		'Metigan, where it takes ours',
		metigan,
		() => sandbox.setBehaviour('metigan', { secretMode: 'accept' }),
	],
];
/** The secret is nowhere but in the record. */
const issued: readonly Row[] = [
	['Misar Reach', misarReach],
	['Misar Post', misarPost],
	['Metigan, where it makes its own', metigan],
];

function openHost(
	trigger: TriggerUnderTest,
	options: Partial<ContextHostOptions> = {},
	beside?: ContextHost,
): ContextHost {
	return open(
		{
			// A credential is cached for a few seconds, so each test has its own workflow.
			workflowId: `lost state ${workflows++}`,
			...selfRegistering(trigger, sandbox, { nodeParameters: { options: { checkInterval: 1 } } }),
			webhookOrigin: ORIGIN,
			...options,
		},
		beside,
	);
}

async function publish(trigger: TriggerUnderTest, prepare?: () => void): Promise<ContextHost> {
	prepare?.();
	const host = openHost(trigger);
	await host.publish();
	return host;
}

/** What the database holds from now on. */
function setDatabase(host: ContextHost, staticData: IDataObject): void {
	host.savedStaticData = structuredClone(staticData);
	host.restart();
}

const endpointOf = ({ provider }: TriggerUnderTest) => {
	const [endpoint, ...others] = sandbox.endpoints(provider);
	if (endpoint === undefined || others.length > 0) throw new Error('not exactly one endpoint');
	return endpoint;
};
const secretOf = (trigger: TriggerUnderTest) => endpointOf(trigger).secret ?? '';

/** A delivery's answer, and the items of its run. */
async function deliver(host: ContextHost, trigger: TriggerUnderTest, secret = secretOf(trigger)) {
	const { provider, events, scheme } = trigger;
	const signed = buildDelivery({ provider, event: events[0], scheme, secret });
	const { status, run, headers } = await host.deliver(signed);
	return { status, run, retryAfter: headers.get('retry-after') };
}

/** Neither what is forged nor what is not signed starts a run. */
async function expectNoRunOfForgeries(
	host: ContextHost,
	trigger: TriggerUnderTest,
	statuses: readonly number[],
): Promise<void> {
	const before = structuredClone(host.savedStaticData);
	const unsigned = await host.deliver({ headers: {}, body: '{}' });
	for (const { status, run } of [await deliver(host, trigger, FORGED), unsigned]) {
		expect(statuses).toContain(status);
		expect(run).toBeUndefined();
	}
	expect(host.savedStaticData).toEqual(before);
}

/** A process that does not check the endpoint cannot know whether another secret was issued since. */
function refusalsElsewhere(host: ContextHost): readonly number[] {
	return 'sealedSecret' in Object(host.remembered['registration']) ? [401, 503] : [401];
}

/** A genuine delivery runs, and its run saves the record and passes on the delivery only. */
async function expectHealing(host: ContextHost, trigger: TriggerUnderTest): Promise<void> {
	const { status, run = [] } = await deliver(host, trigger);
	expect(status).toBe(200);
	expect(run).toHaveLength(2);
	expect(await host.execute([...run], 'webhook')).toEqual([run.slice(0, 1)]);
	const next = await deliver(host, trigger);
	expect(next).toMatchObject({ status: 200, run: [{ json: { event: trigger.events[0] } }] });
	expect(next.run).toHaveLength(1);
}

/** Switches the endpoint off while updates fail, so that a publish replaces it. */
async function replaceEndpoint(host: ContextHost, { provider }: TriggerUnderTest): Promise<void> {
	const [former] = sandbox.endpoints(provider);
	sandbox.changeEndpoint(provider, former?.id ?? '', { active: false });
	for (const method of ['PATCH', 'PUT']) {
		sandbox.fault({ provider, method, kind: 'status', status: 404, times: 10 });
	}
	await host.publish();
	sandbox.clearFaults();
	expect(sandbox.endpoints(provider)[0]?.id).not.toBe(former?.id);
}

const losses: ReadonlyArray<[string, (host: ContextHost, older: IDataObject) => IDataObject]> = [
	['was erased', () => ({})],
	['was erased by a run that wrote something else', () => ({ global: { n: 1 } })],
	['was put back to an older copy', (_, older) => older],
];

describe.each([...derived, ...issued])('a record of %s', (_name, trigger, prepare) => {
	describe.each(losses)('that %s', (_loss, lose) => {
		let host: ContextHost;
		let newest: IDataObject;

		beforeEach(async () => {
			host = await publish(trigger, prepare);
			const older = structuredClone(host.savedStaticData);
			await replaceEndpoint(host, trigger);
			newest = host.remembered;
			setDatabase(host, lose(host, older));
			expect(host.remembered).not.toEqual(newest);
		});

		it('is known to the process, and saved again by the run of the next delivery', async () => {
			const others = structuredClone(host.savedStaticData);
			await expectNoRunOfForgeries(host, trigger, [401, 503]);
			// The database may lack a secret as well that another process has received since.
			expect(await deliver(host, trigger, FORGED)).toMatchObject({ status: 503 });
			await expectHealing(host, trigger);
			expect(host.remembered).toEqual(newest);
			expect(host.savedStaticData).toMatchObject({
				...others,
				global: { ...Object(others['global']), [ENTRY]: expect.anything() },
			});
			// Now every process knows it.
			useProcess('another');
			host.restart();
			expect(await deliver(host, trigger)).toMatchObject({ status: 200 });
			await expectNoRunOfForgeries(host, trigger, refusalsElsewhere(host));
		});

		it('is saved again by the next publish or check as well', async () => {
			await host.publish();
			expect(host.remembered).toEqual(newest);
			setDatabase(host, { global: { n: 1 } });
			// A delivery that starts no run shows what the database lacks; soon after a save it may have begun before.
			const later = Date.now() + 2 * 60_000;
			jest.spyOn(Date, 'now').mockImplementation(() => later);
			await deliver(host, trigger, FORGED);
			await (await ticks.start(host)).tick();
			expect(host.remembered).toEqual(newest);
			expect(newest).toMatchObject({ registration: { endpointId: endpointOf(trigger).id } });
		});

		it('is not restored by a late run, a retried run or one in the editor', async () => {
			const { run = [] } = await deliver(host, trigger);
			await replaceEndpoint(host, trigger);
			const saved = structuredClone(host.savedStaticData);
			for (const mode of ['webhook', 'retry', 'manual'] as const) {
				expect(await host.execute([...run], mode)).toEqual([run.slice(0, 1)]);
				expect(host.savedStaticData).toEqual(saved);
			}
			// A worker of n8n knows only what the run contains.
			useProcess('worker');
			expect(await host.execute([...run], 'webhook')).toEqual([run.slice(0, 1)]);
			expect(host.savedStaticData).toEqual(saved);
		});
	});
});

describe('a retried run', () => {
	it('writes nothing, although n8n gives it no static data', async () => {
		const host = await publish(misarMail);
		setDatabase(host, {});
		const { run = [] } = await deliver(host, misarMail);
		expect(await host.execute([...run], 'retry')).toEqual([run.slice(0, 1)]);
		expect(host.savedStaticData).toEqual({});
	});
});

describe.each(issued)(
	'in a process without state, the secret that %s issued',
	(_name, trigger, prepare) => {
		it.each(losses.slice(0, 2))('is waited for if its record %s', async (_loss, lose) => {
			const host = await publish(trigger, prepare);
			setDatabase(host, lose(host, {}));
			useProcess('another');
			expect(await deliver(host, trigger)).toEqual({
				status: 503,
				run: undefined,
				retryAfter: '5',
			});
			await expectNoRunOfForgeries(host, trigger, [503]);
			// The process that knows it accepts the delivery when it is sent again, and tells the others.
			useProcess('');
			await expectHealing(host, trigger);
			useProcess('another');
			expect(await deliver(host, trigger)).toMatchObject({ status: 200 });
			await expectNoRunOfForgeries(host, trigger, refusalsElsewhere(host));
		});

		it('is waited for while another process creates the endpoint', async () => {
			const host = await publish(trigger, prepare);
			const former = secretOf(trigger);
			sandbox.removeEndpoint(trigger.provider, endpointOf(trigger).id);
			const saved: IDataObject[] = [];
			host.beforeRun = async () => void saved.push(structuredClone(host.savedStaticData));
			await (await ticks.start(host)).tick();
			expect(secretOf(trigger)).not.toBe(former);
			const [, announced = {}] = saved;
			setDatabase(host, trigger === metigan ? host.savedStaticData : announced);
			useProcess('another');
			if (trigger !== metigan) {
				expect(await deliver(host, trigger)).toMatchObject({ status: 503, run: undefined });
				await expectNoRunOfForgeries(host, trigger, [401, 503]);
			}
			expect(await deliver(host, trigger, former)).toMatchObject({ status: 200 });
		});
	},
);

describe.each(derived)('the secret sent to %s', (_name, trigger, prepare) => {
	it.each(losses.slice(0, 2))(
		'verifies in a process without state if its record %s',
		async (_loss, lose) => {
			const host = await publish(trigger, prepare);
			const secret = secretOf(trigger);
			expect(JSON.stringify(host.savedStaticData)).not.toContain(secret);
			setDatabase(host, lose(host, {}));
			useProcess('another');
			const { status, run } = await deliver(host, trigger);
			expect(status).toBe(200);
			expect(run).toHaveLength(1);
			await expectNoRunOfForgeries(host, trigger, [503]);
		},
	);
});

describe.each([...derived, ...issued])('a forged delivery for %s', (_name, trigger, prepare) => {
	it('is refused if the record is up to date', async () => {
		const host = await publish(trigger, prepare);
		for (const name of ['', 'another']) {
			useProcess(name);
			await expectNoRunOfForgeries(host, trigger, name === '' ? [401] : refusalsElsewhere(host));
		}
	});
});

describe('two triggers of one workflow that are repaired at once', () => {
	it('both become known to every process', async () => {
		const workflowId = `lost state of two ${workflows++}`;
		const optionsOf = (nodeName: string) => ({ workflowId, nodeName, webhookId: nodeName });
		const mail = openHost(misarMail, optionsOf('mail'));
		const reach = openHost(misarReach, optionsOf('reach'), mail);
		const both = [
			[mail, misarMail],
			[reach, misarReach],
		] as const;
		for (const [host] of both) await host.publish();
		const tickers = await Promise.all(both.map(async ([host]) => await ticks.start(host)));
		for (const [, trigger] of both) {
			sandbox.removeEndpoint(trigger.provider, endpointOf(trigger).id);
		}
		// The first run to save would overwrite the others unless they waited for it.
		mail.beforeSave = async () => {
			mail.beforeSave = async () => {};
			const othersSaved = until('the others', 500, () => reach.emitted.length > 1 || undefined);
			await othersSaved.catch(() => {});
		};
		const before = ticks.begun().length;
		await Promise.all(tickers.map(async ({ tick }) => await tick()));
		await Promise.all(ticks.begun().slice(before));
		await Promise.all(both.map(async ([host]) => await host.runsEnded()));
		useProcess('another');
		mail.restart();
		for (const [host, trigger] of both) {
			expect(host.remembered).toMatchObject({
				registration: { endpointId: endpointOf(trigger).id },
			});
			expect(await deliver(host, trigger)).toMatchObject({ status: 200 });
		}
	});

	it('are both saved by the run of one delivery', async () => {
		const workflowId = `lost state of two ${workflows++}`;
		const optionsOf = (nodeName: string) => ({ workflowId, nodeName, webhookId: nodeName });
		const mail = openHost(misarMail, optionsOf('mail'));
		const reach = openHost(misarReach, optionsOf('reach'), mail);
		for (const host of [mail, reach]) await host.publish();
		const [ofMail, ofReach] = [mail.remembered, reach.remembered];
		setDatabase(mail, { global: { n: 1 } });
		await expectHealing(mail, misarMail);
		expect([mail.remembered, reach.remembered]).toEqual([ofMail, ofReach]);
	});
});

describe.each<[string, TriggerUnderTest, boolean]>([
	['Misar Mail', misarMail, true],
	['Mail Panda', mailPanda, true],
	['Metigan', metigan, true],
	['Misar Reach', misarReach, false],
	['Misar Post', misarPost, false],
])('what version 0.1 wrote for %s', (_name, trigger, isDerivedNow) => {
	const SECRET_OF_0_1 = 'whsec_of_version_0_1_0123456789abcdef';
	let host: ContextHost;
	let column: IDataObject;
	let id: string;

	beforeEach(async () => {
		sandbox.setBehaviour('metigan', { secretMode: 'accept' });
		const workflowId = `lost state ${workflows++}`;
		const nodeId = 'node-of-Trigger';
		host = openHost(trigger, { workflowId });
		const { provider, parameters, events, api } = trigger;
		const input = { url: host.webhookUrl, events: [...events], secret: SECRET_OF_0_1 };
		({ id } = sandbox.addEndpoint(provider, input));
		const binding = { workflowId, nodeId, endpointId: id };
		const key = { text: sandbox.keys[provider], typed: false };
		const registration = {
			...binding,
			...parameters,
			apiPath: api?.path ?? '',
			url: host.webhookUrl,
			events: [...events],
			sealedSecret: seal(SECRET_OF_0_1, key, binding),
		};
		column = { 'node:Trigger': { registration, cursor: 7 } };
		setDatabase(host, column);
	});

	it('verifies without being written, and so does the secret of today', async () => {
		const { status, run } = await deliver(host, trigger);
		expect(status).toBe(200);
		expect(run).toHaveLength(1);
		await expectNoRunOfForgeries(host, trigger, [401, 503]);
		expect(host.savedStaticData).toEqual(column);
	});

	it.each([
		['a publish', async () => await host.publish()],
		[
			'the first check after a start',
			async () => {
				host.restart({ activation: 'init' });
				await host.publish();
				await (await ticks.start(host)).tick();
			},
		],
	])('is migrated by %s, which keeps the endpoint and its secret', async (_what, work) => {
		await work();
		expect(endpointOf(trigger)).toMatchObject({ id, secret: SECRET_OF_0_1 });
		expect(host.remembered).toMatchObject({ registration: { endpointId: id } });
		expect(host.savedStaticData['node:Trigger']).toEqual({ cursor: 7 });
		useProcess('another');
		host.restart();
		expect(await deliver(host, trigger)).toMatchObject({ status: 200 });
	});

	it('verifies until a day after the endpoint was replaced, beside its successor', async () => {
		await host.publish();
		await replaceEndpoint(host, trigger);
		expect(secretOf(trigger)).not.toBe(SECRET_OF_0_1);
		const { registration = {} } = host.remembered;
		expect('derived' in Object(registration)).toBe(isDerivedNow);
		endProcess();
		host.restart();
		expect(await deliver(host, trigger)).toMatchObject({ status: 200 });
		expect(await deliver(host, trigger, SECRET_OF_0_1)).toMatchObject({ status: 200 });
	});
});
