import { sleep, type IDataObject, type ITriggerFunctions } from 'n8n-workflow';

import { ApiClient } from '../api/request';
import { hideSecrets } from '../api/hideSecrets';
import { backoffMs, pauseMs } from '../backoff';
import { readCredential, type ProviderCredential } from '../credential';
import { readBounceType, readRecipient } from '../delivery/event';
import { reasonToIgnore } from '../delivery/selection';
import { messageOf, warn } from '../log';
import { triggerKey, type Owner } from '../perTrigger';
import { sourceOf } from '../product';
import type { ListedEvent, Provider, RecoveryApi } from '../provider';
import {
	firstPoint,
	loadRecoveryPoint,
	saveRecoveryPoint,
	type NodeMemory,
	type RecoveryPoint,
} from '../registration/record';
import type { RunStarter } from '../registration/runStarter';
import type { TriggerSettings } from '../settings';
import { keysAround, questionItem, readAnswer, recoveredItem } from './admission';
import { listEvents } from './listEvents';
import { PacedClient } from './pacedClient';
import { settledEventsOf, type SettledEvents } from './settledEvents';

const MINUTE_MS = 60_000;
/** How far before the last point to look again: a provider may list an event late. */
const OVERLAP_MS = 15 * MINUTE_MS;
/** A younger event may still be on its way as a delivery. */
const GRACE_MS = MINUTE_MS;
/** Longest wait before another attempt. */
const MAX_RETRY_MINUTES = 30;
/** Largest number of runs under way at the same time. */
const MAX_RUNS = 5;
const LOOK_AGAIN_MS = 1_000;
/** Runs after which the point is saved. */
const SAVE_AFTER = 100;
/** Largest number of events in one question. */
const QUESTION_SIZE = 500;

/** What a recovery works with. */
export interface RecoveryPlace {
	readonly context: ITriggerFunctions;
	readonly owner: Owner;
	readonly provider: Provider;
	readonly api: RecoveryApi;
	readonly settings: TriggerSettings;
	readonly starter: RunStarter;
	/** What the node remembers. */
	readonly memory: () => NodeMemory;
	/** Saves it. @throws when it could not be saved */
	readonly persist: (memory: NodeMemory) => Promise<void>;
	readonly isClosed: () => boolean;
}

/**
 * Starts a run for each event whose delivery was lost. Works in slices, because a long outage can
 * leave thousands of events, and the endpoint has to be checked meanwhile.
 */
export class Recovery {
	private readonly activatedAt = Date.now();
	private due = true;
	private failures = { count: 0, retryAt: 0 };
	private lastWarning = '';
	/** What is to be started, the oldest first, and up to when everything is covered afterwards. */
	private queue: ListedEvent[] = [];
	/** Runs under way, the oldest event first. */
	private readonly running = new Map<ListedEvent, Promise<void>>();
	/** First keys of events whose runs have ended, not yet saved in n8n's database. */
	private readonly finished: string[] = [];
	private horizon = 0;
	private progress = { started: 0, all: 0 };
	private client: PacedClient | undefined;
	private reached: RecoveryPoint | undefined;
	/** Why n8n could not start a run. */
	private refusal: Error | undefined;
	/** The trigger's key in the memory of the process. */
	private readonly trigger: string;

	constructor(private readonly place: RecoveryPlace) {
		this.trigger = triggerKey(place.owner);
	}

	/** The provider is asked again at the next opportunity. */
	request(): void {
		this.due = true;
	}

	/**
	 * Continues the recovery. Never throws.
	 * @param now epoch milliseconds
	 * @param endAt epoch milliseconds at which no more runs are started
	 */
	async work(now: number, endAt: number): Promise<void> {
		if (now < this.failures.retryAt) return;
		let secrets: readonly string[] = [];
		try {
			const credential = await readCredential(this.place.context, this.place.provider);
			({ secrets } = credential);
			const idle = () => this.queue.length + this.running.size === 0;
			if (idle() && this.due) await this.look(now, credential);
			if (!idle()) await this.startRuns(endAt);
			this.failures = { count: 0, retryAt: 0 };
			this.lastWarning = '';
		} catch (error) {
			if (!this.place.isClosed()) this.failed(error, secrets, now);
		}
	}

	/** Asks the provider what happened, and finds out what of it has not run. */
	private async look(now: number, credential: ProviderCredential): Promise<void> {
		const { api } = this.place;
		const point = this.point();
		this.client = this.clientWith(credential);
		const since = Math.max(point.from, point.until - OVERLAP_MS);
		this.horizon = now - GRACE_MS;
		const listed = await listEvents(this.client, api, since);
		const happened = listed.filter((event) => event.at <= this.horizon && this.isSelected(event));
		const unknown = happened.filter((event) => !this.settled.knows(keysAround(api, event)));
		this.queue = await this.withoutDelivered(unknown);
		this.progress = { started: 0, all: this.queue.length };
		this.due = false;
		if (this.queue.length > 0)
			return this.logInfo(`missed events to recover: ${this.queue.length}`);
		// Where nothing happened, an older point costs nothing.
		await this.moveTo(Math.max(this.horizon, point.until), happened.length > 0);
	}

	/** Looked up each time: the process drops those of a trigger that was idle while many others were not. */
	private get settled(): SettledEvents {
		return settledEventsOf(this.trigger);
	}

	/** As saved before this activation, until it moves. */
	private point(): RecoveryPoint {
		const { memory, owner } = this.place;
		const first = firstPoint(owner, this.activatedAt);
		return (this.reached ??= loadRecoveryPoint(memory(), owner) ?? first);
	}

	private clientWith(credential: ProviderCredential): PacedClient {
		const { context, provider, api } = this.place;
		const client = new ApiClient(context, provider, { ...credential, reads: api.things });
		return new PacedClient(client, api.callsPerMinute);
	}

	private isSelected({ event: name, data }: ListedEvent): boolean {
		const { provider, settings } = this.place;
		const bounceType = readBounceType(provider.envelope, name, data);
		return reasonToIgnore(provider, settings, { name, named: true, bounceType }) === undefined;
	}

	/**
	 * Asks n8n's database about events that this process knows nothing of: it may have been started
	 * since, and in queue mode other processes run the deliveries.
	 */
	private async withoutDelivered(events: readonly ListedEvent[]): Promise<ListedEvent[]> {
		const { api, starter } = this.place;
		const point = this.point();
		if (events.length === 0 || point.unsure === true) return [...events];
		await this.save({ ...point, unsure: true });
		const missing: ListedEvent[] = [];
		for (let start = 0; start < events.length; start += QUESTION_SIZE) {
			const batch = events.slice(start, start + QUESTION_SIZE);
			const keys = batch.map((event) => keysAround(api, event));
			const delivered = new Set(readAnswer(await starter.ask(questionItem(keys))));
			for (const [index, event] of batch.entries()) {
				if (delivered.has(index)) this.settled.note(keys[index] ?? []);
				else missing.push(event);
			}
		}
		return missing;
	}

	/** Starts runs until the slice is over; those under way go on. @throws where n8n starts none */
	private async startRuns(endAt: number): Promise<void> {
		const { isClosed } = this.place;
		let unsaved = 0;
		for (let event = this.queue[0]; event !== undefined; event = this.queue[0]) {
			if (isClosed() || !(await this.hasEnded(MAX_RUNS, endAt))) break;
			this.start(event, await this.complete(event));
			if (++unsaved % SAVE_AFTER === 0) await this.moveTo(this.covered());
		}
		if (this.queue.length === 0) await this.hasEnded(1, endAt);
		if (isClosed()) return;
		await this.moveTo(this.covered());
		const { started, all } = this.progress;
		this.logInfo(`${started} of ${all} missed events were recovered`);
	}

	private start(event: ListedEvent, complete: ListedEvent): void {
		const { api, starter } = this.place;
		const item = recoveredItem(this.itemOf(complete), this.finished.splice(0));
		this.queue.shift();
		this.progress.started += 1;
		const isSeen = () => this.settled.knows(keysAround(api, event));
		const run = starter.start(item, isSeen).then(
			() => void this.finished.push(...api.keys(event).slice(0, 1)),
			(error: unknown) => {
				this.queue.unshift(event);
				this.progress.started -= 1;
				this.refusal = error instanceof Error ? error : new Error(String(error));
			},
		);
		this.running.set(
			event,
			run.finally(() => this.running.delete(event)),
		);
	}

	/** Waits until fewer runs than `count` are under way. @returns false when the slice is over before */
	private async hasEnded(count: number, endAt: number): Promise<boolean> {
		while (this.running.size >= count && Date.now() < endAt) {
			await Promise.race([...this.running.values(), sleep(LOOK_AGAIN_MS)]);
		}
		const { refusal } = this;
		this.refusal = undefined;
		if (refusal !== undefined) throw refusal;
		return Date.now() < endAt;
	}

	/** Epoch milliseconds up to which every event has run: not those that are still under way. */
	private covered(): number {
		const [oldest] = [...this.running.keys(), ...this.queue];
		return oldest === undefined ? this.horizon : oldest.at - 1;
	}

	/** Requests what the list leaves out; an entry that has gone meanwhile is used as it was listed. */
	private async complete(event: ListedEvent): Promise<ListedEvent> {
		const { details } = this.place.api;
		if (details === undefined || this.client === undefined) return event;
		return (await this.client.find(details(event))) ?? event;
	}

	private itemOf({ event, at, data, source }: ListedEvent): IDataObject {
		const { provider, api } = this.place;
		return {
			...sourceOf(provider),
			event,
			deliveryId: api.keys({ event, at, data })[0] ?? '',
			occurredAt: new Date(at).toISOString(),
			recipient: readRecipient(provider.envelope, data),
			data,
			recovered: true,
			source,
		};
	}

	private async moveTo(until: number, persist = true): Promise<void> {
		const { unsure, ...point } = this.point();
		const moved = { ...point, until: Math.max(point.until, until) };
		if (persist || unsure === true) await this.save(moved);
		else this.reached = moved;
	}

	private async save(point: RecoveryPoint): Promise<void> {
		const { memory, persist, starter } = this.place;
		const finished = this.finished.splice(0);
		if (finished.length > 0) await starter.ask(questionItem([], finished));
		this.reached = point;
		const place = memory();
		saveRecoveryPoint(place, point);
		await persist(place);
	}

	private logInfo(message: string): void {
		const { context, owner, provider } = this.place;
		context.logger.info(`${provider.displayName}: ${message}`, {
			workflowId: owner.workflowId,
			node: context.getNode().name,
		});
	}

	private failed(error: unknown, secrets: readonly string[], now: number): void {
		const reason = hideSecrets(messageOf(error), secrets);
		if (reason !== this.lastWarning) {
			warn(this.place.context, `Missed events could not be recovered: ${reason}`);
			this.lastWarning = reason;
		}
		const { count } = this.failures;
		const retryAt = now + Math.max(pauseMs(error), backoffMs(count, MAX_RETRY_MINUTES));
		this.failures = { count: count + 1, retryAt };
	}
}
