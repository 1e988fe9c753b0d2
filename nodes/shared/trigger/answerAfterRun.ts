import {
	ManualExecutionCancelledError,
	sleep,
	type IDataObject,
	type ITriggerFunctions,
	type IWebhookFunctions,
} from 'n8n-workflow';

import { eventKey, checkDelivery } from '../delivery/duplicates';
import type { EventIdentity } from '../delivery/event';
import { warn } from '../log';
import type { Provider } from '../provider';
import type { TriggerSettings } from '../settings';
import { PerTrigger, triggerKey, type Owner } from '../state/perTrigger';
import { problemsOf } from '../state/problems';
import { startRun } from '../state/runs';

/**
 * Answers a delivery when its run has ended, as the option Answer says: 200 if it succeeded, else 503, so that the
 * provider's own retries run it again. Each process knows only its own runs and failed attempts.
 */

/** A provider gets an answer after this share of the time it waits: the answer has to arrive in time. */
const SHARE_OF_WAIT = 0.8;
/**
 * The share of a provider's failures in a row that these answers may use up: deliveries fail for other reasons, too.
 */
const SHARE_OF_FAILURES = 0.5;
/** A run whose end n8n has not reported by then counts as lost: n8n 1.x does not report one that it could not store. */
const LOST_AFTER_MS = 60 * 60_000;
const MAX_EVENTS = 10_000;
const MAX_TRIGGERS = 10_000;

/** How a delivery is answered. */
export interface Answer {
	readonly status: 200 | 503;
	readonly body: IDataObject;
	readonly retryAfterSeconds?: number;
}

/** Answers to a delivery that is to be sent again. Whatever makes runs fail may take a while to pass. */
const REFUSALS = {
	running: { status: 503, body: { error: 'the run has not finished' }, retryAfterSeconds: 60 },
	failed: { status: 503, body: { error: 'the run failed' }, retryAfterSeconds: 300 },
} as const satisfies Readonly<Record<string, Answer>>;

/** A delivery that is to be answered after its run. */
export interface AwaitedDelivery {
	/** The same for each delivery of an event. */
	readonly key: string;
	/** Milliseconds after which it is answered although the run goes on. */
	readonly limitMs: number;
	/** Whether it is answered with 200 then. */
	readonly acceptsLongRuns: boolean;
	/** How many answers of 503 one event may get, and any events in a row, before the next answer is 200 in any case. */
	readonly maxRefusals: number;
	readonly maxRefusalsInARow: number;
	/** Called when the provider will not send the event again: it is a duplicate if it comes. */
	readonly onAccepted: () => void;
	/** Called when the provider will not send the event again, although its run has failed. */
	readonly onGivenUp: () => void;
}

type RunEnd = 'succeeded' | 'failed' | 'canceled';

/** What is known of an event that has not succeeded yet. */
interface AwaitedEvent {
	/** How often it was answered with 503. */
	refusals: number;
	run?: AwaitedRun | undefined;
}

/** A run that has not ended. */
interface AwaitedRun {
	/** Epoch milliseconds. */
	readonly since: number;
	/** Never rejects. */
	readonly end: Promise<RunEnd>;
	/** The event was answered with 200, and will not be sent again. */
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

	/** The answer to a copy of a delivery whose run has not ended; undefined if there is no such run. */
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
		const run = { since: Date.now(), end: endOf(trigger, items), isAccepted: false };
		event.run = run;
		void run.end.then((end) => this.ended(delivery, event, run, end));
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

	private ended(
		delivery: AwaitedDelivery,
		event: AwaitedEvent,
		run: AwaitedRun,
		end: RunEnd,
	): void {
		if (event.run === run) event.run = undefined;
		if (end !== 'failed') {
			this.events.delete(delivery.key);
			delivery.onAccepted();
		} else if (run.isAccepted) {
			this.giveUp(delivery);
		}
	}

	/** The answer to one of the deliveries that wait for a run. */
	private async answer(
		delivery: AwaitedDelivery,
		event: AwaitedEvent,
		run: AwaitedRun,
	): Promise<Answer> {
		if (run.isAccepted) return this.accept({ duplicate: true });
		const end = (await Promise.race([run.end, sleep(delivery.limitMs)])) ?? 'running';
		if (end === 'succeeded') return this.accept({});
		if (end === 'canceled') return this.accept({ canceled: true });
		if (!run.isAccepted) {
			if (this.mayRefuse(delivery, event, end)) return this.refuse(event, end);
			run.isAccepted = true;
			delivery.onAccepted();
			if (end === 'failed') this.giveUp(delivery);
		}
		return this.accept({ [end]: true });
	}

	private mayRefuse(
		{ acceptsLongRuns, maxRefusals, maxRefusalsInARow }: AwaitedDelivery,
		{ refusals }: AwaitedEvent,
		end: keyof typeof REFUSALS,
	): boolean {
		if (end === 'running' && acceptsLongRuns) return false;
		return refusals < maxRefusals && this.refusalsInARow < maxRefusalsInARow;
	}

	private refuse(event: AwaitedEvent, end: keyof typeof REFUSALS): Answer {
		event.refusals += 1;
		this.refusalsInARow += 1;
		return REFUSALS[end];
	}

	private accept(details: IDataObject): Answer {
		this.refusalsInARow = 0;
		return { status: 200, body: { received: true, ...details } };
	}

	private giveUp({ key, onGivenUp }: AwaitedDelivery): void {
		this.events.delete(key);
		onGivenUp();
	}
}

/** How a run ends. A person who cancels one does not want it to begin again. */
async function endOf(trigger: ITriggerFunctions, items: readonly IDataObject[]): Promise<RunEnd> {
	try {
		return (await startRun(trigger, items).succeeded) ? 'succeeded' : 'failed';
	} catch (error) {
		return error instanceof ManualExecutionCancelledError ? 'canceled' : 'failed';
	}
}

const awaited = new PerTrigger(() => new AwaitedRuns(), MAX_TRIGGERS);

/** Makes deliveries that this process receives start their runs with a trigger. @returns a function that ends that */
export function startRunsWith(trigger: ITriggerFunctions, owner: Owner): () => void {
	const runs = awaited.of(triggerKey(owner));
	runs.trigger = trigger;
	return () => {
		// n8n may have started another one meanwhile.
		if (runs.trigger === trigger) runs.trigger = undefined;
	};
}

/** An accepted delivery: which trigger it belongs to, and its event. */
interface Received {
	readonly owner: Owner;
	readonly provider: Provider;
	readonly settings: TriggerSettings;
	readonly eventName: string;
	readonly identity: EventIdentity;
}

/** How a delivery is answered after its run. */
export interface AfterRun {
	/** The answer, if the run of another delivery of the event has not ended: that run decides. */
	join(): Promise<Answer> | undefined;
	/** Starts the run. */
	start(items: readonly IDataObject[]): Promise<Answer>;
}

/**
 * Prepares the answer to a delivery. Reads everything it needs from n8n while n8n handles the delivery.
 * @returns undefined if the delivery is to be answered when it is received
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
			if (settings.skipDuplicates) checkDelivery(owner, identity);
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
