import { afterEach } from '@jest/globals';

import type { Sandbox, Tamper } from '../../sandbox';
import { ContextHost, type StartedTrigger } from '../../testkit/contextHost';
import { stopClock } from './conformanceForgeries';
import { selfRegistering, type Differences } from './hosts';
import { endProcess } from './process';
import type { TriggerUnderTest } from './providers';
import { useTicks } from './useTicks';

const MINUTE_MS = 60_000;
const ORIGIN = 'https://n8n.example.com';

const ticks = useTicks();
let lives: Life[] = [];
let count = 0;

afterEach(async () => {
	await Promise.all(lives.map(async (life) => await life.end()));
	lives = [];
});

/** What n8n does with one trigger from the first publish on; its endpoint is checked each minute. */
export class Life {
	readonly host: ContextHost;
	private watched: StartedTrigger | undefined;
	private now = Date.now();

	constructor(
		private readonly sandbox: Sandbox,
		private readonly trigger: TriggerUnderTest,
		{ nodeParameters, credential }: Differences = {},
	) {
		// No document names a call of Misar Reach to delete an endpoint.
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		sandbox.setBehaviour('misar.post', { pingOnCreate: false });
		this.host = new ContextHost({
			...selfRegistering(trigger, sandbox, {
				credential,
				nodeParameters: { options: { checkInterval: 1, reportProblems: true }, ...nodeParameters },
			}),
			workflowId: `life ${count++}`,
			webhookOrigin: ORIGIN,
		});
		lives.push(this);
	}

	/** The endpoints of the account. */
	get endpoints() {
		return this.sandbox.endpoints(this.trigger.provider);
	}

	/** The calls to the provider so far that may change something. */
	get changes(): string[] {
		return this.sandbox
			.requests()
			.map(({ method }) => method)
			.filter((method) => method !== 'GET');
	}

	/** The problems that were reported. */
	get problems() {
		return this.host.emitted.flatMap(({ outputs }) => (outputs[1] ?? []).map(({ json }) => json));
	}

	/** A person publishes, in a process that knows what n8n's database knows. */
	async publish(): Promise<void> {
		await this.activate('activate');
	}

	/** n8n starts, and looks at the endpoint. */
	async start(): Promise<void> {
		await this.activate('init');
		await this.check();
	}

	/** The check of the next minute. */
	async check(): Promise<void> {
		this.now += MINUTE_MS;
		stopClock(this.now);
		this.watched?.tick();
		await ticks.begun().at(-1);
		await this.host.runsEnded();
	}

	async unpublish(): Promise<void> {
		await this.close();
		this.host.restart();
		await this.host.unpublish();
	}

	/** Six checks, publishes and starts each. */
	async goOn(): Promise<void> {
		for (let round = 0; round < 6; round++) {
			await this.check();
			await this.publish();
			await this.start();
		}
	}

	/** Fires an event at one endpoint. @returns the status of the answer */
	async answerTo(endpointId: string | undefined, tamper?: Tamper): Promise<number | undefined> {
		const { provider, events, scheme } = this.trigger;
		this.sandbox.setRoute(ORIGIN, await this.host.listen());
		const [delivery] = await this.sandbox.fire({
			provider,
			event: events[0],
			scheme,
			endpointId: endpointId ?? '',
			retry: false,
			timestampMs: Date.now(),
			...(tamper !== undefined && { tamper }),
		});
		return delivery?.attempts.at(-1)?.status;
	}

	async end(): Promise<void> {
		await this.close();
		await this.host.close();
	}

	private async activate(activation: 'activate' | 'init'): Promise<void> {
		await this.close();
		endProcess();
		this.host.restart({ activation });
		await this.host.publish();
		this.watched = await this.host.startTrigger();
	}

	private async close(): Promise<void> {
		await this.watched?.close();
		this.watched = undefined;
	}
}
