import {
	ManualExecutionCancelledError,
	sleep,
	type IDataObject,
	type ITriggerFunctions,
	type IWebhookFunctions,
} from 'n8n-workflow';

import { eventKey, seeDelivery } from '../delivery/duplicates';
import type { EventIdentity } from '../delivery/event';
import { warn } from '../log';
import type { Provider } from '../provider';
import type { TriggerSettings } from '../settings';
import { PerTrigger, triggerKey, type Owner } from '../state/perTrigger';
import { problemsOf } from '../state/problems';
import { startRun } from '../state/runs';

/**
 * Answers a delivery when its run has ended, as the option Answer says: 200 where it succeeded, else 503, so that
 * the provider's own retries run it again. What is known of runs and failed attempts is this process's own.
 */

/** Part of the time a provider waits that may pass before it is answered: the answer has to get there. */
const SHARE_OF_WAIT = 0.8;
/** Part of the failures in a row that a provider endures which the answers may use up: others fail, too. */
const SHARE_OF_FAILURES = 0.5;
/** A run whose end n8n has not reported by then counts as lost: n8n 1.x reports none that it could not store. */
const LOST_AFTER_MS = 60 * 60_000;
/** When to send an event again whose run goes on, and one whose run has failed. */
const RETRY_RUNNING_SECONDS = 60;
const RETRY_FAILED_SECONDS = 300;
const MAX_EVENTS = 10_000;
const MAX_TRIGGERS = 1_000;

/** How a delivery is answered. */
export interface Answer {
	readonly status: 200 | 503;
	readonly body: IDataObject;
	readonly retryAfterSeconds?: number;
}

/** A delivery that is to be answered after its run. */
export interface AwaitedDelivery {
	/** The same for each delivery of an event. */
	readonly key: string;
	/** Milliseconds after which it is answered although the run goes on. */
	readonly limitMs: number;
	/** Whether it is answered with 200 then. */
	readonly acceptsLongRuns: boolean;
	/** Answers of 503 for one event, and for any in a row, before the next one is 200 in any case. */
	readonly maxRefusals: number;
	readonly maxRefusalsInARow: number;
	/** The provider will not send the event again: it is a duplicate if it comes. */
	readonly onAccepted: () => void;
	/** It will not, although the event's run has failed. */
	readonly onGivenUp: () => void;
}

/** What is known of an event that has not succeeded yet. */
interface AwaitedEvent {
	/** How often it was answered with 503. */
	refusals: number;
	run?: AwaitedRun | undefined;
}

/** A run that goes on. */
interface AwaitedRun {
	/** Epoch milliseconds. */
	readonly since: number;
	/** Resolves at its end to what those are answered who wait for it; never rejects. */
	readonly verdict: Promise<Answer>;
	/** It was answered with 200 before its end. */
	isAccepted: boolean;
}

/** The runs that decide about answers of one trigger. */
export class AwaitedRuns {
	/** n8n's trigger of this process, where it has one: a webhook processor of queue mode has none. */
	trigger: ITriggerFunctions | undefined;

	/** The least recently started first. */
	private readonly events = new Map<string, AwaitedEvent>();
	/** Answers of 503 since the last one of 200. */
	private refusalsInARow = 0;

	/** The answer to a copy of a delivery whose run goes on; undefined where none does. */
	join(delivery: AwaitedDelivery): Promise<Answer> | undefined {
		const event = this.events.get(delivery.key);
		if (event?.run === undefined || Date.now() - event.run.since > LOST_AFTER_MS) return undefined;
		return this.answer(delivery, event, event.run);
	}

	/** Runs a delivery. @returns its answer; never rejects */
	async start(
		delivery: AwaitedDelivery,
		trigger: ITriggerFunctions,
		items: readonly IDataObject[],
	): Promise<Answer> {
		const event = this.eventOf(delivery.key);
		const verdict = endOf(trigger, items).then((end) => this.end(delivery, event, run, end));
		const run: AwaitedRun = { since: Date.now(), isAccepted: false, verdict };
		event.run = run;
		return await this.answer(delivery, event, run);
	}

	private eventOf(key: string): AwaitedEvent {
		const event = this.events.get(key) ?? { refusals: 0 };
		this.events.delete(key);
		this.events.set(key, event);
		if (this.events.size > MAX_EVENTS) {
			const [oldest = ''] = this.events.keys();
			this.events.delete(oldest);
		}
		return event;
	}

	/** The answer to one of those who wait for a run. */
	private async answer(
		delivery: AwaitedDelivery,
		event: AwaitedEvent,
		run: AwaitedRun,
	): Promise<Answer> {
		if (run.isAccepted) return accept({ duplicate: true });
		const verdict = await Promise.race([run.verdict, sleep(delivery.limitMs)]);
		if (verdict !== undefined) return verdict;
		if (!delivery.acceptsLongRuns && this.mayRefuse(delivery, event)) {
			return this.refuse(event, 'the run goes on', RETRY_RUNNING_SECONDS);
		}
		run.isAccepted = true;
		return this.accepted(delivery, { running: true });
	}

	/** A run has ended. @returns what those are answered who wait for it */
	private end(
		delivery: AwaitedDelivery,
		event: AwaitedEvent,
		run: AwaitedRun,
		end: RunEnd,
	): Answer {
		if (event.run === run) event.run = undefined;
		if (end === 'failed' && !run.isAccepted && this.mayRefuse(delivery, event)) {
			return this.refuse(event, 'the run failed', RETRY_FAILED_SECONDS);
		}
		this.events.delete(delivery.key);
		if (end === 'failed') delivery.onGivenUp();
		return this.accepted(delivery, end === 'succeeded' ? {} : { [end]: true });
	}

	private mayRefuse(
		{ maxRefusals, maxRefusalsInARow }: AwaitedDelivery,
		{ refusals }: AwaitedEvent,
	): boolean {
		return refusals < maxRefusals && this.refusalsInARow < maxRefusalsInARow;
	}

	private refuse(event: AwaitedEvent, error: string, retryAfterSeconds: number): Answer {
		event.refusals += 1;
		this.refusalsInARow += 1;
		return { status: 503, body: { error }, retryAfterSeconds };
	}

	private accepted({ onAccepted }: AwaitedDelivery, details: IDataObject): Answer {
		this.refusalsInARow = 0;
		onAccepted();
		return accept(details);
	}
}

function accept(details: IDataObject): Answer {
	return { status: 200, body: { received: true, ...details } };
}

type RunEnd = 'succeeded' | 'failed' | 'canceled';

/** How a run ends. A person who cancels one does not want it to begin again. */
async function endOf(trigger: ITriggerFunctions, items: readonly IDataObject[]): Promise<RunEnd> {
	try {
		return (await startRun(trigger, items).succeeded) ? 'succeeded' : 'failed';
	} catch (error) {
		return error instanceof ManualExecutionCancelledError ? 'canceled' : 'failed';
	}
}

const awaited = new PerTrigger(() => new AwaitedRuns(), MAX_TRIGGERS);

/** Deliveries that this process receives start their runs with a trigger. @returns ends that */
export function startRunsWith(trigger: ITriggerFunctions, owner: Owner): () => void {
	const runs = awaited.of(triggerKey(owner));
	runs.trigger = trigger;
	return () => {
		// n8n may have started another one meanwhile.
		if (runs.trigger === trigger) runs.trigger = undefined;
	};
}

/** Of a delivery that was accepted: whose it is, and what it is. */
interface Received {
	readonly owner: Owner;
	readonly provider: Provider;
	readonly settings: TriggerSettings;
	readonly eventName: string;
	readonly identity: EventIdentity;
}

/** How a delivery is answered after its run. */
export interface AfterRun {
	/** Where the run of another delivery of the event goes on: that one decides. */
	join(): Promise<Answer> | undefined;
	/** Starts the run. */
	start(items: readonly IDataObject[]): Promise<Answer>;
}

/**
 * Reads all that is needed of n8n while it handles the delivery.
 * @returns undefined where it is to be answered when it is received
 */
export function afterRun(context: IWebhookFunctions, received: Received): AfterRun | undefined {
	const { owner, settings } = received;
	if (settings.answer === 'received' || context.getMode() === 'manual') return undefined;
	const runs = awaited.of(triggerKey(owner));
	const { trigger } = runs;
	if (trigger === undefined) {
		if (problemsOf(owner).isFirst('no trigger')) {
			warn(
				context,
				'This process of n8n cannot wait for runs (it is a webhook processor of queue mode, or n8n is starting), so it answers deliveries when they are received',
			);
		}
		return undefined;
	}
	const delivery = awaitedDelivery(trigger, received);
	return {
		join: () => runs.join(delivery),
		start: async (items) => await runs.start(delivery, trigger, items),
	};
}

function awaitedDelivery(
	trigger: ITriggerFunctions,
	{ owner, provider, settings, eventName, identity }: Received,
): AwaitedDelivery {
	const { answerWithinSeconds, switchesOffAfter = Number.POSITIVE_INFINITY } = provider.envelope;
	return {
		key: eventKey(identity),
		limitMs: answerWithinSeconds * 1000 * SHARE_OF_WAIT,
		acceptsLongRuns: settings.longRuns === 'received',
		maxRefusals: settings.maxAttempts - 1,
		maxRefusalsInARow: Math.floor(switchesOffAfter * SHARE_OF_FAILURES) - 1,
		onAccepted: () => {
			if (settings.skipDuplicates) seeDelivery(owner, identity);
		},
		onGivenUp: () => {
			problemsOf(owner).givenUp(identity.deliveryId, Date.now());
			warn(
				trigger,
				`The run of an event (${eventName}, ${identity.deliveryId}) failed, and ${provider.displayName} will not send it again`,
			);
		},
	};
}
