import { randomUUID } from 'node:crypto';

import { startSandbox, type Fault, type Sandbox, type SandboxEndpoint } from '../../sandbox';
import { HostError, type N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE } from '../../testkit/publishTrigger';
import type { Variant } from './variants';

/** All of a test file. */
const started: Harness[] = [];

const FIRE_TRIES = 5;
const SETTLE_MS = 90_000;
const CHECK_MS = 120_000;
const QUIET_MS = 5_000;
/** In the message of a call that had to be given up. */
const NO_ANSWER = 'no answer in time';
const FOREIGN_URL = 'https://other-app.example.com/hook';

/**
 * One trigger in a workflow of its own at a sandbox of its own, so that many scenarios can go on in
 * one n8n at the same time without sharing faults.
 */
export class Harness {
	private readonly nodeId = randomUUID();
	private readonly webhookId = randomUUID();
	private readonly foreign: SandboxEndpoint;
	private workflowId = '';
	/** The workflow's newest version. */
	private versionId = '';
	private credentialId = '';
	private events: readonly string[];
	/** Deliveries answered with 200 so far, each of which has to run. */
	private accepted = 0;
	/** Deliveries that a busy n8n did not answer in time; they may run nevertheless. */
	private unanswered = 0;
	/** Calls before the step under test. */
	private mark = 0;

	private constructor(
		private readonly n8n: N8nHost,
		readonly variant: Variant,
		readonly sandbox: Sandbox,
	) {
		this.events = variant.trigger.events;
		this.foreign = sandbox.addEndpoint(variant.trigger.provider, {
			url: FOREIGN_URL,
			events: [...variant.trigger.events],
		});
	}

	/**
	 * Ends the sandboxes of all harnesses. Only once n8n has ended: it would go on calling their
	 * addresses, which other sandboxes may get.
	 */
	static async closeAll(): Promise<void> {
		await Promise.all(started.splice(0).map(async ({ sandbox }) => await sandbox.close()));
	}

	/** A stored workflow that was never published. */
	static async start(n8n: N8nHost, variant: Variant): Promise<Harness> {
		const sandbox = await startSandbox();
		try {
			variant.setUp?.(sandbox);
			sandbox.setRoute(ORIGIN, n8n.url);
			const harness = new Harness(n8n, variant, sandbox);
			await harness.store();
			started.push(harness);
			return harness;
		} catch (error) {
			await sandbox.close();
			throw error;
		}
	}

	async publish(): Promise<void> {
		await this.n8n.publish(this.workflowId, this.versionId);
	}

	/** A publish without faults, repeated while a busy machine keeps the sandbox from answering. */
	async publishWell(): Promise<void> {
		await until('a publish', CHECK_MS, async () => {
			try {
				await this.publish();
				return true;
			} catch (error) {
				if (error instanceof HostError && error.message.includes(NO_ANSWER)) return undefined;
				throw error;
			}
		});
	}

	async unpublish(): Promise<void> {
		await this.n8n.unpublish(this.workflowId);
	}

	/** Saves the workflow with only one of the two events. */
	async edit(): Promise<void> {
		this.events = this.variant.trigger.events.slice(0, 1);
		const nodes = [this.node()];
		({ versionId: this.versionId } = await this.n8n.updateWorkflow(this.workflowId, { nodes }));
	}

	/** Whether n8n has the workflow stored as published. */
	async active(): Promise<boolean> {
		return (await this.n8n.getWorkflow(this.workflowId)).active;
	}

	/** Changes the endpoint behind n8n's back. */
	drift(): void {
		const { provider, events } = this.variant.trigger;
		for (const { id } of this.endpoints()) {
			this.sandbox.changeEndpoint(provider, id, { events: [events[1]] });
		}
	}

	/** Lets `index` calls from now on pass and makes those after it fail. */
	arm(index: number, fault: Fault): void {
		const { provider } = this.variant.trigger;
		this.begin();
		if (index > 0) this.sandbox.fault({ provider, kind: 'delay', times: index });
		this.sandbox.fault({ ...fault, provider });
	}

	/** Calls are counted from here. */
	begin(): void {
		this.mark = this.sandbox.requests().length;
	}

	/**
	 * Waits for the check that follows a start of n8n or a publish, and its end.
	 * @param calls how many calls of it are enough; by default all, which are over when none follows for a while
	 */
	async checked(calls = Number.POSITIVE_INFINITY): Promise<void> {
		let last = { count: 0, at: Date.now() };
		await until('the first check after the start', CHECK_MS, () => {
			const count = this.calls().length;
			if (count >= calls) return true;
			if (count > last.count) last = { count, at: Date.now() };
			const isQuiet = count > 0 && Date.now() - last.at > QUIET_MS;
			return isQuiet && calls === Number.POSITIVE_INFINITY ? true : undefined;
		});
	}

	/** The calls since `begin`, e.g. `DELETE /post/webhooks/:id`. */
	calls(): string[] {
		const collection = this.variant.trigger.api?.path ?? '';
		return this.sandbox
			.requests()
			.slice(this.mark)
			.map(({ method, path }) => {
				const shown = path.startsWith(`${collection}/`) ? `${collection}/:id` : path;
				return `${method} ${shown.replace(/([?&]id=)[^&]+/, '$1:id')}`;
			});
	}

	/**
	 * What is wrong: there has to be one endpoint at the webhook URL, registered for the node's events,
	 * whose deliveries are answered with 200 and whose forged ones with 401, and another application's
	 * endpoint as it was. Where the provider keeps superseded endpoints, n8n's log has to name each.
	 *
	 * @param versions - the events of each version that may be the published one
	 */
	private async problems(versions: ReadonlyArray<readonly string[]>): Promise<string[]> {
		const { provider } = this.variant.trigger;
		const own = this.endpoints();
		// Each delivery costs n8n a run: none is sent while the endpoints themselves are wrong.
		if (this.variant.keepsEndpoints !== true) {
			const [only, ...others] = own;
			if (only === undefined || others.length > 0) return [`${own.length} endpoints`];
			const wrong = differences(only, versions);
			if (wrong.length > 0) return wrong;
		}
		const found: string[] = [];
		const verified: SandboxEndpoint[] = [];
		for (const endpoint of own) {
			const status = await this.fire(endpoint);
			if (status === 200) verified.push(endpoint);
			else if (this.variant.keepsEndpoints !== true) found.push(`a delivery got ${status}`);
			else if (!this.n8n.log().includes(`Remove endpoint ${endpoint.id} `)) {
				found.push(`the superseded endpoint ${endpoint.id} is not in the log`);
			}
		}
		const [endpoint] = verified;
		this.accepted += verified.length;
		if (endpoint === undefined || verified.length > 1) {
			return [...found, `${verified.length} endpoints whose secret verifies`];
		}
		found.push(...differences(endpoint, versions));
		const forged = await this.fire(endpoint, true);
		if (forged !== 401) found.push(`a forged delivery got ${forged}`);
		const others = this.sandbox.endpoints(provider).filter(({ id }) => id === this.foreign.id);
		if (JSON.stringify(others) !== JSON.stringify([this.foreign])) {
			found.push("another application's endpoint was changed");
		}
		return found;
	}

	/**
	 * Waits until n8n has repaired everything by itself, for the version before or after an edit,
	 * and has finished: otherwise a publish would run into n8n's own attempt to publish.
	 *
	 * @throws DeadlineError with what is wrong
	 */
	async wellAgain(timeoutMs: number): Promise<void> {
		let found: string[] = [];
		await until(
			() => `all to be well again: ${found.join('; ')}`,
			timeoutMs,
			async () => {
				found = await this.problems([this.variant.trigger.events, this.events]);
				return found.length === 0 && this.isActivated() ? true : undefined;
			},
		);
	}

	/** Whether n8n says that its start, or what it tried again by itself, brought the workflow up. */
	private isActivated(): boolean {
		const log = this.n8n.log();
		return [
			new RegExp(`Activated workflow "[^"]*" \\(ID: ${this.workflowId}\\)`),
			new RegExp(`Activation of workflow "[^"]*" \\(${this.workflowId}\\) was successful`),
		].some((line) => line.test(log));
	}

	/**
	 * Waits for the runs of all deliveries that were answered with 200. A check of the endpoint that
	 * repairs it starts a run of its own, in mode `trigger`.
	 * @returns how many ran
	 */
	async runs(): Promise<number> {
		const executions = await this.n8n.waitForExecutions(
			this.workflowId,
			this.accepted,
			60_000,
			'webhook',
		);
		return executions.filter(({ status }) => status === 'success').length;
	}

	/**
	 * A clean publish of the newest version, and what is wrong then. The check that follows a failed
	 * start may be replacing the endpoint at that moment: what is only temporary is not wrong.
	 */
	async verdict(): Promise<string[]> {
		await this.publishWell();
		let found: string[] = [];
		await until('the endpoint to be settled', SETTLE_MS, async () => {
			found = await this.problems([this.events]);
			return found.length === 0 || undefined;
		}).catch(() => undefined);
		const ran = await this.runs();
		if (ran < this.accepted || ran > this.accepted + this.unanswered) {
			found.push(`${ran} runs for ${this.accepted} deliveries`);
		}
		return found;
	}

	/** The endpoints at the workflow's webhook URL. */
	private endpoints(): SandboxEndpoint[] {
		const { path, provider } = this.variant.trigger;
		const url = `${ORIGIN}/webhook/${this.webhookId}/${path}`;
		return this.sandbox.endpoints(provider).filter((endpoint) => endpoint.url === url);
	}

	/**
	 * Sends an event to one endpoint, and another one while there is no answer at all.
	 * @returns the status, or that n8n has removed the endpoint meanwhile
	 */
	private async fire(endpoint: SandboxEndpoint, forged = false): Promise<number | 'removed'> {
		const { provider, scheme } = this.variant.trigger;
		const [event = ''] = this.events;
		for (let tries = 1; tries <= FIRE_TRIES; tries++) {
			if (!this.endpoints().some(({ id }) => id === endpoint.id)) return 'removed';
			const [delivery] = await this.sandbox.fire({
				provider,
				event,
				scheme,
				endpointId: endpoint.id,
				retry: false,
				...(forged ? { tamper: 'signature' } : {}),
			});
			const status = delivery?.attempts.at(-1)?.status;
			if (status !== undefined) return status;
			if (!forged) this.unanswered += 1;
		}
		throw new Error(`n8n answered none of ${FIRE_TRIES} deliveries`);
	}

	private async store(): Promise<void> {
		const { title, trigger, credential } = this.variant;
		this.credentialId = await this.n8n.createCredential(title, trigger.credential, {
			...trigger.parameters,
			baseUrl: this.sandbox.url,
			...credential(this.sandbox),
		});
		const stored = await this.n8n.createWorkflow({ name: title, nodes: [this.node()] });
		this.workflowId = stored.id;
		this.versionId = stored.versionId;
	}

	private node() {
		const { title, trigger } = this.variant;
		return {
			id: this.nodeId,
			name: 'Trigger',
			type: `${PACKAGE}.${trigger.node}`,
			webhookId: this.webhookId,
			parameters: {
				...trigger.parameters,
				registration: 'automatic',
				events: [...this.events],
				// The calls of a check during a step would count as those of the step.
				options: { checkInterval: 0 },
			},
			credentials: { [trigger.credential]: { id: this.credentialId, name: title } },
		};
	}
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
	return [...some].sort().join() === [...others].sort().join();
}

/** How an endpoint, as the provider has it, differs from what may be published. */
function differences(
	endpoint: SandboxEndpoint,
	versions: ReadonlyArray<readonly string[]>,
): string[] {
	const registered = versions.some((events) => sameNames(endpoint.events, events));
	return [
		...(endpoint.active ? [] : ['the endpoint is not active']),
		...(registered ? [] : [`the endpoint is registered for ${endpoint.events.join()}`]),
	];
}
