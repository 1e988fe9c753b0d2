import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import type * as runsModule from '../../nodes/shared/state/runs';
import type * as processedEvents from '../../nodes/shared/recovery/processedEvents';
import { buildDelivery, type FireInput, type Sandbox } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import { processedData } from '../../testkit/processedData';
import { endProcess } from './process';
import { stopClock } from './conformanceForgeries';
import { registeredByHand } from './hosts';
import { metigan, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';
import { reachWithoutNetwork } from './withoutNetwork';

/** A trigger that recovers missed events, beside the sandbox, on a clock that tests set. */

const dist = (file: string) => path.join(__dirname, '../../dist/nodes/shared', file);
const { Runs } = jest.requireActual<typeof runsModule>(dist('state/runs.js'));
export const { ProcessedEvents } = jest.requireActual<typeof processedEvents>(
	dist('recovery/processedEvents.js'),
);

export const SECRET = 'whsec_of_this_test';
export const MINUTE_MS = 60_000;
export const START = Date.parse('2036-03-01T12:00:30Z');

export let sandbox: Sandbox;
let workflows = 0;
/** Writes to n8n's table that are still under way. */
export const confirming: Array<Promise<void>> = [];
afterAll(async () => await Promise.all(confirming));
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started), { allowHttp: true });

beforeAll(() => {
	const { confirm } = ProcessedEvents.prototype;
	ProcessedEvents.prototype.confirm = async function confirmed(store) {
		const work = confirm.call(this, store);
		confirming.push(work);
		await work;
	};
});
beforeEach(() => {
	reachWithoutNetwork(sandbox);
	setTime(0);
	sandbox.setBehaviour('misarBlog', { callsPerMinute: 60_000 });
});
afterEach(() => {
	processedData.broken = false;
});

/** @param minute after the start */
export function setTime(minute: number): void {
	stopClock(START + minute * MINUTE_MS);
}

interface Start {
	readonly trigger?: TriggerUnderTest;
	readonly events?: readonly string[];
	readonly options?: IDataObject;
	readonly apiKey?: string;
}

/** A published trigger that recovers missed events, registered by hand. */
export async function publish({ trigger = metigan, events, options, apiKey }: Start = {}) {
	const host = open({
		workflowId: `workflow ${workflows++}`,
		...registeredByHand(trigger, SECRET, {
			events: [...(events ?? trigger.events)],
			options: { recoverMissed: true, checkInterval: 1, ...options },
		}),
		credential: {
			baseUrl: sandbox.url,
			signingSecret: SECRET,
			apiKey: apiKey ?? sandbox.keys[trigger.provider],
		},
	});
	await host.publish();
	return { trigger, host, ...(await watch(host)) };
}

/** n8n starts the trigger of a published workflow. */
export async function watch(host: ContextHost) {
	const { tick: next, close } = await ticks.start(host);
	/** The tick of a minute, to its end. @returns the items that went on from new runs */
	const tick = async (minute: number): Promise<IDataObject[]> => {
		setTime(minute);
		const before = host.emitted.length;
		await next();
		return outputsOf(host.emitted.slice(before));
	};
	return { tick, close };
}

function outputsOf(runs: ReadonlyArray<{ outputs: INodeExecutionData[][] }>): IDataObject[] {
	return runs.flatMap(({ outputs: [items = []] }) => items.map(({ json }) => json));
}

/** An event whose delivery is lost. */
export async function miss(
	event: string,
	minute: number,
	more: Partial<FireInput> = {},
): Promise<void> {
	const provider = event.startsWith('article.') ? 'misarBlog' : 'metigan';
	await sandbox.fire({ provider, event, timestampMs: START + minute * MINUTE_MS, ...more });
}

export const mailTo = (recipient: string, more: IDataObject = {}) => ({
	data: { recipient, subject: 'Hi', status: 'bounced', bounceType: 'hard', ...more },
});

/**
 * An event that arrives: the delivery, and the run that it starts.
 * @param told `untold`: the provider's list does not show it on account of this
 */
export async function arrive(
	host: ContextHost,
	event: string,
	minute: number,
	more: Partial<FireInput> = {},
	told: 'listed' | 'untold' = 'listed',
): Promise<IDataObject[]> {
	const timestampMs = START + minute * MINUTE_MS;
	if (told === 'listed') await miss(event, minute, more);
	const provider = event.startsWith('article.') ? 'misarBlog' : 'metigan';
	return await receive(
		host,
		buildDelivery({ provider, event, secret: SECRET, timestampMs, ...more }),
	);
}

/** A delivery, and the run that it starts. @returns the items that went on from it */
export async function receive(
	host: ContextHost,
	delivery: Parameters<ContextHost['deliver']>[0],
): Promise<IDataObject[]> {
	const { run = [] } = await host.deliver(delivery);
	const [items = []] = run.length === 0 ? [] : await host.execute([...run], 'webhook');
	return items.map(({ json }) => json);
}

/**
 * Kills n8n in one of the runs that the tick of the third minute starts, and starts it again.
 * @param nth which of the runs, counted from 1; the first one is the question
 */
export async function killInRun(
	host: ContextHost,
	{ tick, close }: Awaited<ReturnType<typeof watch>>,
	nth: number,
) {
	let runs = 0;
	const killed = new Promise<void>((resolve) => {
		host.beforeSave = async () => {
			runs += 1;
			host.killRuns ||= runs === nth;
			if (host.killRuns) resolve();
		};
	});
	const ended = tick(3);
	await killed;
	await close();
	await ended;
	host.killRuns = false;
	host.beforeSave = async () => {};
	return await restart(host);
}

/** n8n starts again, in a new process. */
export async function restart(host: ContextHost) {
	endProcess();
	host.restart({ activation: 'init' });
	await host.publish();
	return await watch(host);
}

/** Does something just before, and just after, a recovery starts its first run. */
export function atFirstStart(before: () => void, after: () => void): void {
	const { toEnd } = Runs.prototype;
	jest.spyOn(Runs.prototype, 'toEnd').mockImplementationOnce(async function first(
		this: runsModule.Runs,
		...run
	) {
		before();
		const end = toEnd.call(this, ...run);
		after();
		return await end;
	});
}

/** How many calls the provider got whose paths begin like this. */
export const callsTo = (start: string) =>
	sandbox.requests().filter(({ path: called }) => called.startsWith(start)).length;
