import { sleep, type IDataObject, type ITriggerFunctions } from 'n8n-workflow';

import { ApiClient } from '../api/request';
import { hideSecrets } from '../api/hideSecrets';
import { readCredential, type ProviderCredential } from '../credential';
import { readBounceType, readRecipient } from '../delivery/event';
import { reasonToIgnore } from '../delivery/selection';
import { messageOf, warn } from '../log';
import { sourceOf } from '../product';
import type { ListedEvent, Provider, RecoveryApi } from '../provider';
import type { TriggerSettings } from '../settings';
import { Attempts } from '../state/attempts';
import { commandItem, PROCESS } from '../state/commands';
import { triggerKey, type Owner } from '../state/perTrigger';
import type { RecordStore } from '../state/recordStore';
import type { Runs } from '../state/runs';
import type { RecoveryCursor } from '../state/triggerState';
import { keysAround, readAnswer } from './claims';
import { listEvents } from './listEvents';
import { PacedClient } from './pacedClient';
import { processedEventsOf, type ProcessedEvents } from './processedEvents';

const MINUTE_MS = 60_000;
/** How far before the cursor to look again: a provider may list an event late. */
const OVERLAP_MS = 15 * MINUTE_MS;
/** A younger event may still be on its way as a delivery. */
const GRACE_MS = MINUTE_MS;
/** Longest wait before another attempt. */
const MAX_RETRY_MINUTES = 30;
/** Largest number of runs under way at the same time. */
const MAX_RUNS = 5;
const LOOK_AGAIN_MS = 1_000;
/** Runs after which the cursor is saved. */
const SAVE_AFTER = 100;
/** Largest number of events in one question. */
const QUESTION_SIZE = 500;

/** What a recovery works with. */
export interface RecoveryDeps {
	readonly context: ITriggerFunctions;
	readonly owner: Owner;
	readonly provider: Provider;
	readonly api: RecoveryApi;
	readonly settings: TriggerSettings;
	readonly runs: Runs;
	/** What the trigger remembers. */
	readonly store: RecordStore;
	readonly isClosed: () => boolean;
}

/** Events that were found missing at one look. */
interface Round {
	readonly client: PacedClient;
	/** How many there were. */
	readonly all: number;
	/** Those still to be started, the oldest first. */
	readonly queue: ListedEvent[];
	/** Epoch milliseconds up to when everything is covered once they have run. */
	readonly upperBound: number;
}

/**
 * Starts a run for each event whose delivery was lost. Works in slices, because a long outage can
 * leave thousands of events, and the endpoint has to be checked meanwhile.
 */
export class Recovery {
	private readonly activatedAt = Date.now();
	private due = true;
	private readonly attempts = new Attempts(MAX_RETRY_MINUTES);
	/** What the last look has found. */
	private round: Round | undefined;
	/** Runs under way, the oldest event first. */
	private readonly running = new Map<ListedEvent, Promise<void>>();
	/** First keys of events whose runs have ended, not yet saved in n8n's database. */
	private readonly finished: string[] = [];
	/** How far it got; the saved one may lag behind where nothing happened. */
	private cursor: RecoveryCursor | undefined;
	/** Why n8n could not start a run. */
	private refusal: Error | undefined;
	/** The trigger's key in the memory of the process. */
	private readonly trigger: string;

	constructor(private readonly deps: RecoveryDeps) {
		this.trigger = triggerKey(deps.owner);
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
		if (this.attempts.mustWait(now)) return;
		let secrets: readonly string[] = [];
		try {
			const credential = await readCredential(this.deps.context, this.deps.provider);
			({ secrets } = credential);
			if (this.isIdle && this.due) await this.look(now, credential);
			if (this.round !== undefined && !this.isIdle) await this.startRuns(this.round, endAt);
			this.attempts.noteSuccess();
		} catch (error) {
			if (!this.deps.isClosed()) this.failed(error, secrets, now);
		}
	}

	private get isIdle(): boolean {
		return (this.round?.queue.length ?? 0) + this.running.size === 0;
	}

	/** Asks the provider what happened, and finds out what of it has not run. */
	private async look(now: number, credential: ProviderCredential): Promise<void> {
		const { api } = this.deps;
		const cursor = this.currentCursor();
		const client = this.clientWith(credential);
		// A cursor in the future was moved there by a clock that was ahead.
		const since = Math.max(cursor.from, Math.min(cursor.until, now) - OVERLAP_MS);
		const upperBound = now - GRACE_MS;
		const listed = await listEvents(client, api, since);
		const happened = listed.filter((event) => event.at <= upperBound && this.isSelected(event));
		const unknown = happened.filter((event) => !this.processed.knows(keysAround(api, event)));
		const queue = await this.withoutDelivered(unknown);
		this.round = { client, queue, all: queue.length, upperBound };
		this.due = false;
		if (queue.length > 0) return this.logInfo(`missed events to recover: ${queue.length}`);
		// Where nothing happened, an older cursor costs nothing.
		await this.advance(upperBound, happened.length > 0);
	}

	/** Looked up each time: the process drops those of a trigger that was idle while many others were not. */
	private get processed(): ProcessedEvents {
		return processedEventsOf(this.trigger);
	}

	/** As saved before this activation, until it moves. */
	private currentCursor(): RecoveryCursor {
		const { store, owner } = this.deps;
		const first = { ...owner, from: this.activatedAt, until: this.activatedAt };
		return (this.cursor ??= store.state.recovery ?? first);
	}

	private clientWith(credential: ProviderCredential): PacedClient {
		const { context, provider, api } = this.deps;
		const client = new ApiClient(context, provider, { ...credential, reads: api.things });
		return new PacedClient(client, api.callsPerMinute);
	}

	private isSelected({ event: name, data }: ListedEvent): boolean {
		const { provider, settings } = this.deps;
		const bounceType = readBounceType(provider.envelope, name, data);
		return reasonToIgnore(provider, settings, { name, named: true, bounceType }) === undefined;
	}

	/**
	 * Asks n8n's database about events that this process knows nothing of: it may have been started
	 * since, and in queue mode other processes run the deliveries.
	 */
	private async withoutDelivered(events: readonly ListedEvent[]): Promise<ListedEvent[]> {
		const { api, runs } = this.deps;
		const cursor = this.currentCursor();
		if (events.length === 0 || cursor.unsure === true) return [...events];
		await this.save({ ...cursor, unsure: true });
		const missing: ListedEvent[] = [];
		for (let start = 0; start < events.length; start += QUESTION_SIZE) {
			const batch = events.slice(start, start + QUESTION_SIZE);
			const keys = batch.map((event) => keysAround(api, event));
			const delivered = new Set(readAnswer(await runs.query(keys)));
			for (const [index, event] of batch.entries()) {
				if (delivered.has(index)) this.processed.note(keys[index] ?? []);
				else missing.push(event);
			}
		}
		return missing;
	}

	/** Starts runs until the slice is over; those under way go on. @throws where n8n starts none */
	private async startRuns(round: Round, endAt: number): Promise<void> {
		const { isClosed } = this.deps;
		const { queue, all } = round;
		let unsaved = 0;
		while (queue.length > 0 && !isClosed() && (await this.hasEnded(MAX_RUNS, endAt))) {
			const [event] = queue;
			const complete = event && (await this.complete(round, event));
			if (event === undefined || complete === undefined || isClosed()) break;
			this.start(queue, event, complete);
			if (++unsaved % SAVE_AFTER === 0) await this.advance(this.covered(round));
		}
		if (queue.length === 0) await this.hasEnded(1, endAt);
		if (isClosed()) return;
		await this.advance(this.covered(round));
		this.logInfo(`${all - queue.length} of ${all} missed events were recovered`);
	}

	private start(queue: ListedEvent[], event: ListedEvent, complete: ListedEvent): void {
		const { api, runs } = this.deps;
		const finished = this.finished.splice(0);
		const command = { do: 'recover', startedBy: PROCESS, finished } as const;
		const item = commandItem(command, this.itemOf(complete));
		// Not the first any more where a run was refused meanwhile.
		queue.splice(queue.indexOf(event), 1);
		const isSeen = () => this.processed.knows(keysAround(api, event));
		const run = runs.toEnd(item, isSeen).then(
			() => void this.finished.push(...api.keys(event).slice(0, 1)),
			(error: unknown) => {
				this.finished.push(...finished);
				queue.push(event);
				queue.sort((one, other) => one.at - other.at);
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
	private covered({ queue, upperBound }: Round): number {
		const open = [...this.running.keys(), ...queue.slice(0, 1)];
		return Math.min(upperBound, ...open.map(({ at }) => at - 1));
	}

	/** Requests what the list leaves out; an entry that has gone meanwhile is used as it was listed. */
	private async complete({ client }: Round, event: ListedEvent): Promise<ListedEvent> {
		const { details } = this.deps.api;
		return (details && (await client.find(details(event)))) ?? event;
	}

	private itemOf({ event, at, data, source }: ListedEvent): IDataObject {
		const { provider, api } = this.deps;
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

	private async advance(until: number, persist = true): Promise<void> {
		const { unsure, ...cursor } = this.currentCursor();
		const moved = { ...cursor, until: Math.max(Math.min(cursor.until, Date.now()), until) };
		if (persist || unsure === true) await this.save(moved);
		else this.cursor = moved;
	}

	private async save(cursor: RecoveryCursor): Promise<void> {
		const { store, runs, isClosed } = this.deps;
		if (isClosed()) return;
		const finished = [...this.finished];
		if (finished.length > 0) await runs.query([], finished);
		this.finished.splice(0, finished.length);
		this.cursor = cursor;
		if (JSON.stringify(store.state.recovery) !== JSON.stringify(cursor)) {
			store.change({ recovery: cursor });
		}
		await store.commit();
	}

	private logInfo(message: string): void {
		const { context, owner, provider } = this.deps;
		context.logger.info(`${provider.displayName}: ${message}`, {
			workflowId: owner.workflowId,
			node: context.getNode().name,
		});
	}

	private failed(error: unknown, secrets: readonly string[], now: number): void {
		const reason = hideSecrets(messageOf(error), secrets);
		if (this.attempts.noteFailure(error, reason, now)) {
			warn(this.deps.context, `Missed events could not be recovered: ${reason}`);
		}
	}
}
