import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { lastAnswer, startSandbox, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import {
	outputOf,
	type Execution,
	type N8nHost,
	type NodeDefinition,
} from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE } from '../../testkit/publishTrigger';
import type { Gate } from './gate';
import type { Variant } from './variants';

/** What a run goes through before it saves something of its own in static data. */
export type Middle = 'wait' | 'hold' | 'fail';

/**
 * A delivery that is put off is sent again for longer than three checks take: on a busy machine the run that saves
 * an issued secret may fail, and the check after it waits for two minutes.
 */
const RETRIED_MS = 300_000;
/** A check comes once a minute here; the repair itself takes seconds. */
const CHECKED_MS = 150_000;
/** n8n looks once a minute for runs that have waited long enough. */
const RESUMED_MS = 150_000;
const RAN_MS = 180_000;
const UNFINISHED = new Set(['new', 'running', 'unknown']);

/** All of a test file. */
const started: Subject[] = [];
/** The n8ns in which static data that a Code node wrote has been seen stored. */
const savingCodeNodesData = new Set<N8nHost>();

const isAccepted = (status: number | undefined) =>
	status !== undefined && status >= 200 && status < 300;
/** A provider sends it again. */
const isPutOff = (status: number | undefined) => status === undefined || status >= 500;

interface Trigger {
	readonly name: string;
	readonly nodeId: string;
	readonly webhookId: string;
	/** As the provider knows it. */
	readonly url: string;
}

/** Where a subject lives. */
export interface Place {
	readonly n8n: N8nHost;
	readonly gate: Gate;
	/** Where deliveries to n8n's public address go; default: n8n itself. */
	readonly entrance?: string;
	/** The public-looking address of n8n. */
	readonly origin?: string;
}

/**
 * A workflow of one trigger or several, at a sandbox of its own: what providers, senders and n8n's
 * list of executions see of it. Its first event ends at the trigger. The second goes on through a
 * slow node to a Code node that counts in the workflow's static data.
 */
export class Subject {
	readonly sandbox: Sandbox;
	private readonly place: Place;
	private readonly variant: Variant;
	private readonly middle: Middle;
	private readonly triggers: readonly Trigger[];
	private workflowId = '';
	/** Ids of deliveries that were answered with 2xx, and of forged ones. */
	private readonly accepted: string[] = [];
	private readonly forged: string[] = [];
	private readonly finished = new Map<string, Execution>();
	private reported = 0;
	private hasEndedRuns = false;
	/** What did not hold so far. */
	readonly wrong: string[] = [];

	private constructor(
		place: Place,
		variant: Variant,
		sandbox: Sandbox,
		{ middle = 'hold', triggers = 1 }: { middle?: Middle; triggers?: number },
	) {
		this.place = place;
		this.variant = variant;
		this.sandbox = sandbox;
		this.middle = middle;
		const { origin = ORIGIN } = place;
		this.triggers = Array.from({ length: triggers }, (_, index) => {
			const webhookId = randomUUID();
			const url = `${origin}/webhook/${webhookId}/${variant.trigger.path}`;
			return { name: `Trigger ${index + 1}`, nodeId: randomUUID(), webhookId, url };
		});
	}

	/** Ends all sandboxes; only once n8n has ended, which would go on calling their addresses. */
	static async closeAll(): Promise<void> {
		await Promise.all(started.splice(0).map(async ({ sandbox }) => await sandbox.close()));
	}

	/** A published workflow. */
	static async publish(
		place: Place,
		variant: Variant,
		how: { middle?: Middle; triggers?: number } = {},
	): Promise<Subject> {
		const sandbox = await startSandbox();
		try {
			variant.setUp?.(sandbox);
			sandbox.setRoute(place.origin ?? ORIGIN, place.entrance ?? place.n8n.url);
			const subject = new Subject(place, variant, sandbox, how);
			await subject.store();
			await place.n8n.publish(subject.workflowId);
			started.push(subject);
			return subject;
		} catch (error) {
			await sandbox.close();
			throw error;
		}
	}

	get isIssuedSecret(): boolean {
		return this.variant.issuesSecret === true;
	}

	/** Runs a step; a failure is recorded as wrong, so that everything else that is wrong is shown, too. */
	async play(work: (subject: Subject) => Promise<void>): Promise<void> {
		await work(this).catch((error: Error) => this.wrong.push(error.message));
	}

	/** The endpoints of all triggers, in the order in which they were made. */
	endpoints(): SandboxEndpoint[] {
		const urls = new Set(this.triggers.map(({ url }) => url));
		return this.sandbox.endpoints(this.variant.trigger.provider).filter(({ url }) => urls.has(url));
	}

	/** Breaks all endpoints as somebody in the provider's dashboard may. */
	breakEndpoints(how: 'delete' | 'switch off'): void {
		const { provider } = this.variant.trigger;
		for (const { id } of this.endpoints()) {
			if (how === 'delete') this.sandbox.removeEndpoint(provider, id);
			else this.sandbox.changeEndpoint(provider, id, { active: false });
		}
	}

	/** Waits until each trigger has an endpoint that is switched on, other than the former ones. */
	async repaired(formerIds: readonly string[]): Promise<void> {
		await until('the endpoints to be repaired', CHECKED_MS, () => {
			const fresh = this.endpoints().filter(({ id, active }) => active && !formerIds.includes(id));
			return this.triggers.every(({ url }) => fresh.some((each) => each.url === url)) || undefined;
		});
	}

	/** Waits until every trigger has looked at its endpoint once more. */
	async checkedAgain(): Promise<void> {
		const before = this.sandbox.requests().length;
		await until('one more check', CHECKED_MS, () => {
			const looks = this.sandbox
				.requests()
				.slice(before)
				.filter(({ method, status }) => method === 'GET' && status !== undefined);
			return looks.length >= this.triggers.length || undefined;
		});
	}

	/**
	 * Sends some events to each endpoint that is switched on, as the provider would, and a forged one.
	 * @param stage says when, in what is found wrong
	 * @param which `newest`: whichever is the last one of each trigger, where others cannot be deleted
	 */
	async deliver(stage: string, which: 'all' | 'newest' = 'all'): Promise<void> {
		for (const { url, name } of this.triggers) {
			const active = this.endpoints().filter((each) => each.active && each.url === url);
			if (active.length === 0) this.wrong.push(`${stage}: ${name} has no endpoint`);
			for (const endpoint of which === 'all' ? active : active.slice(-1)) {
				const send = async () =>
					await this.send(() => (which === 'all' ? this.current(endpoint) : this.newest(url)));
				const first = await send();
				const others = first === undefined ? [send(), send()] : [];
				const found = [first, ...(await Promise.all(others))].filter((each) => each !== undefined);
				this.wrong.push(...found.map((each) => `${stage}: ${name}: ${each}`));
				await this.forge(endpoint, stage);
			}
		}
	}

	/** Sends one event after the other to the endpoints there are, until `work` has ended. */
	async deliverWhile(work: Promise<void>, stage: string): Promise<void> {
		let ended = false;
		const ending = work.finally(() => {
			ended = true;
		});
		await Promise.all([
			ending,
			until('the end', CHECKED_MS, async () => {
				for (const endpoint of this.endpoints().filter(({ active }) => active)) {
					const found = await this.send(() => this.current(endpoint));
					if (found !== undefined) this.wrong.push(`${stage}: ${found}`);
				}
				return ended || undefined;
			}),
		]);
	}

	/** Waits until the newest endpoint of each trigger is one whose deliveries are accepted. */
	async settled(stage: string): Promise<void> {
		for (const { url, name } of this.triggers) {
			let last = 'no endpoint';
			await until('an endpoint to be accepted', RETRIED_MS, async () => {
				const endpoint = this.newest(url);
				if (endpoint === undefined) return undefined;
				const id = eventId();
				const { status, answer } = await this.fire(endpoint, { id });
				last = answer;
				if (!isAccepted(status)) return undefined;
				this.accepted.push(id);
				return true;
			}).catch(() => this.wrong.push(`${stage}: ${name} accepts nothing: ${last}`));
		}
	}

	/**
	 * At most one endpoint of each trigger is there, where the provider can delete; elsewhere at most as many
	 * as given.
	 */
	async expectEndpoints(stage: string, most = 1): Promise<void> {
		const limit = this.triggers.length * (this.variant.keepsEndpoints === true ? most : 1);
		const count = () => this.endpoints().length;
		await until('no endpoint too many', RETRIED_MS, () => count() <= limit || undefined).catch(() =>
			this.wrong.push(`${stage}: there are ${count()} endpoints`),
		);
	}

	/** At most one problem of each trigger has been reported since the last call, besides forged deliveries. */
	async expectOneProblem(stage: string): Promise<void> {
		const all = (await this.outputs(1)).map(({ problem }) => String(problem));
		const problems = all.filter((problem) => problem !== 'deliveriesRefused');
		const fresh = problems.slice(this.reported);
		this.reported = problems.length;
		if (fresh.length > this.triggers.length) {
			this.wrong.push(`${stage}: ${fresh.length} problems: ${fresh.join()}`);
		}
	}

	/** Each delivery that was accepted has run once, and no forged one. */
	async expectOneRunEach(): Promise<void> {
		const times = async () => {
			const ran = (await this.outputs(0)).map(eventIn);
			return this.accepted.map((id) => ran.filter((each) => each === id).length);
		};
		await until('each delivery to run', RAN_MS, async () =>
			(await times()).every((count) => count > 0) ? true : undefined,
		).catch(() => undefined);
		const counts = await times();
		const off = counts.filter((count) => count !== 1);
		if (off.length > 0) {
			this.wrong.push(`of ${counts.length} deliveries ${off.length} ran ${off.join()} times`);
		}
		const ran = new Set((await this.outputs(0)).map(eventIn));
		if (this.forged.some((id) => ran.has(id))) this.wrong.push('a forged delivery has run');
		// Otherwise the test proves nothing. Not required of each run: a check that ends just after it overwrites it.
		if (this.hasEndedRuns && !savingCodeNodesData.has(this.place.n8n)) {
			this.wrong.push('n8n has saved nothing that a Code node wrote');
		}
	}

	/** Starts a run that will save something, and brings it to where it waits, is held, or has failed. */
	async beginRun(): Promise<string> {
		const id = eventId();
		const [endpoint] = this.endpoints();
		const [, event] = this.variant.trigger.events;
		if (endpoint === undefined) throw new Error('There is no endpoint that could begin a run');
		let last = '';
		await until(
			() => `a run to begin: ${last}`,
			RETRIED_MS,
			async () => {
				const { status, answer } = await this.fire(endpoint, { id, event });
				last = answer;
				return isPutOff(status) ? undefined : status;
			},
		);
		await until(`the run to reach the node that ${this.middle}s`, RAN_MS, async () => {
			if (this.middle === 'hold') return this.place.gate.holds(id) || undefined;
			return (await this.runOf(id, this.middle === 'wait' ? 'waiting' : 'error')) && true;
		});
		return id;
	}

	/** Lets such a run go on to its end, where n8n writes the workflow's static data. */
	async endRun(id: string): Promise<void> {
		const { n8n, gate } = this.place;
		gate.open(id);
		const failed = this.middle === 'fail' ? await this.runOf(id, 'error') : undefined;
		if (failed !== undefined) await n8n.retry(failed.id);
		await until('the run to end', RESUMED_MS, async () => await this.runOf(id, 'success'));
		this.hasEndedRuns = true;
		const { staticData } = await n8n.getWorkflow(this.workflowId);
		if (JSON.stringify(staticData).includes('countedByTheCodeNode')) savingCodeNodesData.add(n8n);
	}

	private newest(url: string): SandboxEndpoint | undefined {
		return this.endpoints()
			.filter((each) => each.active && each.url === url)
			.at(-1);
	}

	private current({ id }: SandboxEndpoint): SandboxEndpoint | undefined {
		return this.endpoints().find((each) => each.id === id);
	}

	/**
	 * Sends an event until it is accepted.
	 * @param endpointNow to which endpoint; nothing is sent again once there is none
	 * @returns what was wrong with it, as the provider saw it; undefined when it was accepted in the end
	 */
	private async send(endpointNow: () => SandboxEndpoint | undefined): Promise<string | undefined> {
		const id = eventId();
		const timestampMs = Date.now();
		const answers: string[] = [];
		try {
			return await until('the delivery', RETRIED_MS, async () => {
				const endpoint = endpointNow();
				if (endpoint === undefined) return { found: undefined };
				const { status, answer } = await this.fire(endpoint, { id, timestampMs });
				answers.push(answer);
				if (isAccepted(status)) {
					this.accepted.push(id);
					return { found: undefined };
				}
				return isPutOff(status) ? undefined : { found: `refused: ${answer}` };
			}).then(({ found }) => found);
		} catch {
			return `put off ${answers.length} times: ${answers.at(-1)}`;
		}
	}

	private async forge(endpoint: SandboxEndpoint, stage: string): Promise<void> {
		const id = eventId();
		this.forged.push(id);
		const { status, answer } = await this.fire(endpoint, { id, tamper: 'signature' });
		if (isAccepted(status)) this.wrong.push(`${stage}: a forged delivery got ${answer}`);
	}

	private async fire(
		{ id: endpointId }: SandboxEndpoint,
		event: {
			id: string;
			event?: string | undefined;
			timestampMs?: number;
			tamper?: 'signature';
		},
	): Promise<{ status: number | undefined; answer: string }> {
		const { provider, scheme, events } = this.variant.trigger;
		const known = this.endpoints().some(({ id }) => id === endpointId);
		if (!known) return { status: undefined, answer: 'the endpoint was removed' };
		const [delivery] = await this.sandbox.fire({
			provider,
			scheme,
			endpointId,
			retry: false,
			...event,
			event: event.event ?? events[0],
		});
		const { status, responseBody = '' } = delivery?.attempts.at(-1) ?? {};
		return { status, answer: `${lastAnswer(delivery)} ${responseBody.slice(0, 100)}` };
	}

	/** A run of an event that has come that far. */
	private async runOf(id: string, status: string): Promise<Execution | undefined> {
		const isOf = (run: Execution) =>
			this.triggers.some(({ name }) => outputOf(run, name).some((item) => eventIn(item) === id));
		return (await this.runs()).filter((run) => run.status === status && isOf(run)).at(-1);
	}

	/** What came out of the triggers in all runs, on an output. */
	private async outputs(output: number): Promise<Array<Record<string, unknown>>> {
		// A retried run holds what the trigger put out in the first one.
		const runs = (await this.runs()).filter(({ mode }) => mode !== 'retry');
		return runs.flatMap((run) => this.triggers.flatMap(({ name }) => outputOf(run, name, output)));
	}

	/** The runs that n8n has stored with what their nodes put out, oldest first. */
	private async runs(): Promise<Execution[]> {
		const { n8n } = this.place;
		const all = await n8n.executions(this.workflowId);
		const stored = all.filter(({ status }) => !UNFINISHED.has(status));
		return await Promise.all(
			stored.map(async ({ id, status }) => {
				const known = this.finished.get(id);
				if (known !== undefined) return known;
				const run = await n8n.execution(id);
				if (status !== 'waiting' && run.status === status) this.finished.set(id, run);
				return run;
			}),
		);
	}

	private async store(): Promise<void> {
		const { n8n } = this.place;
		const { title, trigger, credential } = this.variant;
		const data = {
			...trigger.parameters,
			baseUrl: this.sandbox.url,
			...credential(this.sandbox),
		};
		const credentialId = await n8n.createCredential(title, trigger.credential, data);
		const triggers = this.triggers.map(({ name, nodeId, webhookId }) => ({
			id: nodeId,
			name,
			type: `${PACKAGE}.${trigger.node}`,
			webhookId,
			parameters: {
				...trigger.parameters,
				registration: 'automatic',
				events: [...trigger.events],
				// The event's id comes out as well.
				simplify: false,
				options: { checkInterval: 1, reportProblems: true },
			},
			credentials: { [trigger.credential]: { id: credentialId, name: title } },
		}));
		const to = (node: string) => ({ main: [[{ node, type: 'main', index: 0 }]] });
		const { id } = await n8n.createWorkflow({
			name: `${title}, ${this.middle}`,
			nodes: [...triggers, this.selection(), this.slowNode(), COUNTER],
			connections: {
				...Object.fromEntries(this.triggers.map(({ name }) => [name, to('Is Second Event')])),
				'Is Second Event': to('Slow'),
				Slow: to('Count'),
			},
		});
		this.workflowId = id;
	}

	private selection(): NodeDefinition {
		const [, second] = this.variant.trigger.events;
		const condition = { value1: '={{ $json.event }}', operation: 'equal', value2: second };
		return {
			name: 'Is Second Event',
			type: 'n8n-nodes-base.if',
			parameters: { conditions: { string: [condition] } },
		};
	}

	private slowNode(): NodeDefinition {
		const { middle } = this;
		if (middle !== 'wait') {
			return {
				name: 'Slow',
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: { url: `=${this.place.gate.url(middle, '{{ $json.payload.id }}')}` },
			};
		}
		return {
			name: 'Slow',
			type: 'n8n-nodes-base.wait',
			typeVersion: 1.1,
			webhookId: randomUUID(),
			// n8n stores the run at once, as for more than 65 seconds, and resumes it when it looks next.
			parameters: {
				resume: 'webhook',
				limitWaitTime: true,
				limitType: 'afterTimeInterval',
				resumeAmount: 1,
				resumeUnit: 'seconds',
			},
		};
	}
}

/** Writes the workflow's static data, as many a workflow does. */
const COUNTER: NodeDefinition = {
	name: 'Count',
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: {
		// So long a list that it takes n8n a while to save it.
		jsCode: `const data = $getWorkflowStaticData('global');
data.countedByTheCodeNode = (data.countedByTheCodeNode ?? 0) + 1;
data.seen = Array.from({ length: 10000 }, (_, index) => 'evt_' + String(index).padStart(32, '0'));
return $input.all();`,
	},
};

const itemSchema = z.object({ payload: z.object({ id: z.string() }) });

/** The id of the event that a trigger has put out. */
function eventIn(item: Record<string, unknown>): string | undefined {
	return itemSchema.safeParse(item).data?.payload.id;
}

function eventId(): string {
	return `evt_${randomUUID()}`;
}

/** Settings that only an n8n with subjects needs. */
export const FOR_SUBJECTS = {
	// Code nodes run, in a separate process in n8n 1.x as well: in n8n's own process they would end it while its
	// stack traces are off.
	N8N_RUNNERS_ENABLED: 'true',
	N8N_RUNNERS_MODE: 'internal',
	// The default of 2.x. Version 1.x has a single connection, on which overlapping transactions can fail with
	// "SQLITE_ERROR: near \"-\"" (TypeORM asks for SAVEPOINT typeorm_-1).
	DB_SQLITE_POOL_SIZE: '3',
};

/** Creates of the same eight seconds are answered together: a client waits ten for an answer. */
const ANSWERED_EVERY_MS = 8_000;
/** n8n takes some milliseconds to save, and would save what ends at exactly the same moment together. */
const APART_MS = 8;

/**
 * The provider answers calls that create an endpoint together, every few seconds, one right after the other. Of
 * eight triggers that are checked at any second of the same minute, two at least are then repaired
 * at the same time.
 */
export function answerTogether(sandbox: Sandbox): void {
	sandbox.fault({
		kind: 'delay',
		method: 'POST',
		times: Number.POSITIVE_INFINITY,
		get delayMs() {
			const now = Date.now();
			return ANSWERED_EVERY_MS - (now % ANSWERED_EVERY_MS) + (now % 4) * APART_MS;
		},
	});
}

/** Deliveries after a restart, before which what a trigger remembers was lost once more. */
export async function deliverAfterRestart(subject: Subject): Promise<void> {
	// Nothing that n8n stores holds an issued secret then: the endpoint may have to be registered anew.
	if (subject.isIssuedSecret) await subject.settled('after the restart');
	await subject.deliver('after the restart', 'newest');
	await subject.expectEndpoints('after the restart', 2);
	await subject.expectOneProblem('after the restart');
	await subject.expectOneRunEach();
}
