import { randomUUID } from 'node:crypto';

import { sleep, type IDataObject, type ITriggerFunctions } from 'n8n-workflow';

import { ApiClient } from '../api/request';
import { hideSecrets } from '../api/hideSecrets';
import { unmetCondition } from '../conditions';
import { readCredential, type ProviderCredential } from '../credential';
import { readBounceType } from '../delivery/event';
import { reasonToIgnore } from '../delivery/selection';
import { messageOf, warn } from '../log';
import type { ListedEvent, Provider, RecoveryApi } from '../provider';
import type { TriggerSettings } from '../settings';
import { Attempts } from '../state/attempts';
import { commandItem, PROCESS } from '../state/commands';
import { triggerKey, type Owner } from '../state/perTrigger';
import type { RecordStore } from '../state/recordStore';
import type { Runs } from '../state/runs';
import type { RecoveryCursor } from '../state/triggerState';
import { readAnswer } from './claims';
import { keysAround } from './identity';
import { listEvents, type MissedEvent } from './listEvents';
import { recoveredItem } from './item';
import { LongWork } from './longWork';
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
/** Largest number of events in one question, which n8n answers at one go; after their runs the cursor is saved. */
const QUESTION_SIZE = 100;

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

/** What was found at one look. */
interface Round {
	readonly client: PacedClient;
	/** Of those that this process knows nothing of, the oldest first: not asked about yet. */
	readonly unknown: MissedEvent[];
	/** Those that have not run, the oldest first. */
	readonly queue: MissedEvent[];
	/** Epoch milliseconds up to when everything is covered once they have run. */
	readonly upperBound: number;
	/** How many were found missing, and how many of them have been started. */
	missing: number;
	started: number;
}

/**
 * Starts a run for each event whose delivery was lost. Works in slices, because a long outage can
 * leave thousands of events, and the endpoint has to be checked meanwhile.
 */
export class Recovery {
	private readonly activatedAt = Date.now();
	private due = true;
	private readonly looking = new LongWork();
	private readonly attempts = new Attempts(MAX_RETRY_MINUTES);
	/** What the last look has found. */
	private round: Round | undefined;
	/** Runs under way, the oldest event first. */
	private readonly running = new Map<ListedEvent, Promise<void>>();
	/** Keys of events whose runs have ended, and the ids of the runs, not yet noted in n8n's database. */
	private readonly ended: string[] = [];
	/** Why n8n could not start a run. */
	private refusal: Error | undefined;
	/** The trigger's key in the memory of the process. */
	private readonly trigger: string;

	constructor(private readonly deps: RecoveryDeps) {
		this.trigger = triggerKey(deps.owner);
		this.processed.recoverHere();
	}

	/** The provider is asked again at the next opportunity. */
	request(): void {
		this.due = true;
	}

	/**
	 * Continues the recovery. Never throws.
	 * @param now epoch milliseconds
	 * @param endAt epoch milliseconds at which no more runs are started; a list is read on after it
	 */
	async work(now: number, endAt: number): Promise<void> {
		if (this.attempts.mustWait(now)) return;
		let secrets: readonly string[] = [];
		try {
			const credential = await readCredential(this.deps.context, this.deps.provider);
			({ secrets } = credential);
			const look = async () => await this.look(now, credential);
			const isLooking = this.looking.isUnderWay || (this.isIdle && this.due);
			if (isLooking && !(await this.looking.endsWithin(endAt - Date.now(), look))) return;
			if (this.round !== undefined && !this.isIdle) await this.startRuns(this.round, endAt);
			this.attempts.noteSuccess();
		} catch (error) {
			if (!this.deps.isClosed()) this.failed(error, secrets, now);
		}
	}

	private get isIdle(): boolean {
		const { unknown = [], queue = [] } = this.round ?? {};
		return unknown.length + queue.length + this.running.size === 0;
	}

	/** Asks the provider what happened. */
	private async look(now: number, credential: ProviderCredential): Promise<void> {
		const { api, context } = this.deps;
		const client = this.clientWith(credential);
		await this.reachBack(client);
		const { from, until } = this.cursorAt(now);
		const { events, complete } = await listEvents(client, api, Math.max(from, until - OVERLAP_MS));
		// One of the future shows that this clock is behind.
		const isYoung = ({ at }: ListedEvent) => Math.abs(now - at) < GRACE_MS;
		const [firstYoung] = events.filter(isYoung);
		const happened = events.filter((event) => !isYoung(event));
		const unknown = happened.filter(
			(event) => this.isSelected(event) && !this.processed.knows(keysAround(event.identity)),
		);
		if (!complete) {
			warn(
				context,
				`The list of ${api.noun} could not be read to its end; it is read again at the next check`,
			);
		}
		const newest = Math.min(now, happened.at(-1)?.at ?? until, (firstYoung?.at ?? now) - 1);
		const upperBound = complete ? newest : until;
		this.round = { client, unknown, queue: [], upperBound, missing: 0, started: 0 };
		this.due = false;
		if (unknown.length === 0) await this.advance(upperBound);
	}

	/** At the first activation: the cursor begins at the oldest of the newest events that are wanted from before it. */
	private async reachBack(client: PacedClient): Promise<void> {
		const { api, store } = this.deps;
		const { recovery } = store.state;
		if (recovery?.newest === undefined) return;
		const { newest, ...cursor } = recovery;
		const wanted = (events: readonly MissedEvent[]) =>
			events.filter((event) => event.at < cursor.from && this.isSelected(event));
		const { events } = await listEvents(client, api, 0, (found) => wanted(found).length >= newest);
		const [oldest] = wanted(events).slice(-newest);
		const from = oldest?.at ?? cursor.from;
		store.change({ recovery: { ...cursor, from, until: Math.min(cursor.until, from - 1) } });
	}

	/** Looked up each time: the process drops those of a trigger that was idle while many others were not. */
	private get processed(): ProcessedEvents {
		return processedEventsOf(this.trigger);
	}

	/** How far it got. A first activation in the future was dated by a clock that was ahead. */
	private cursorAt(now: number): RecoveryCursor {
		const { store, owner } = this.deps;
		const first = { ...owner, from: this.activatedAt, until: this.activatedAt };
		const cursor = store.state.recovery ?? first;
		if (cursor.from <= now) return cursor;
		return { ...cursor, from: now - OVERLAP_MS, until: now - OVERLAP_MS };
	}

	private clientWith(credential: ProviderCredential): PacedClient {
		const { context, provider, api, isClosed } = this.deps;
		const client = new ApiClient(context, provider, { ...credential, reads: api.noun });
		return new PacedClient(client, api.callsPerMinute, isClosed);
	}

	private isSelected({ event: name, data }: ListedEvent): boolean {
		const { provider, settings } = this.deps;
		const bounceType = readBounceType(provider.envelope, name, data);
		return reasonToIgnore(provider, settings, { name, named: true, bounceType }) === undefined;
	}

	/**
	 * Asks n8n's database which of the next events have not run: this process may have been started since, and in
	 * queue mode other processes run the deliveries.
	 */
	private async ask(round: Round): Promise<void> {
		const batch = round.unknown.slice(0, QUESTION_SIZE);
		const wanted = await this.meeting(round, batch);
		const identities = wanted.map(({ identity }) => identity);
		const answer = wanted.length === 0 ? undefined : await this.deps.runs.query(identities);
		const missing = new Set(answer === undefined ? [] : readAnswer(answer));
		for (const [index, event] of wanted.entries()) {
			if (missing.has(index)) round.queue.push(event);
			else this.processed.note(keysAround(event.identity));
		}
		round.unknown.splice(0, batch.length);
		if (round.missing === 0 && missing.size > 0) this.logInfo('missed events are recovered');
		round.missing += missing.size;
	}

	/**
	 * The events that meet the conditions. The others are not asked for, because the question claims what is missing,
	 * and a late delivery, which may say more, has to find its event unclaimed.
	 */
	private async meeting(round: Round, events: readonly MissedEvent[]): Promise<MissedEvent[]> {
		const { provider, settings } = this.deps;
		if (settings.conditions.length === 0) return [...events];
		const met: MissedEvent[] = [];
		for (const event of events) {
			const item = recoveredItem(provider, event, await this.complete(round, event));
			if (unmetCondition(settings.conditions, item) === undefined) met.push(event);
			// So that the next look does not ask for it again.
			else this.processed.note(keysAround(event.identity));
		}
		return met;
	}

	/** Starts runs until the slice is over; those under way go on. @throws where n8n starts none */
	private async startRuns(round: Round, endAt: number): Promise<void> {
		const { isClosed, provider } = this.deps;
		const { queue, unknown } = round;
		while (!isClosed() && (await this.hasEnded(MAX_RUNS, endAt))) {
			if (queue.length === 0) {
				await this.advance(this.covered(round));
				if (unknown.length === 0) break;
				await this.ask(round);
				continue;
			}
			const [event] = queue;
			const complete = event && (await this.complete(round, event));
			if (event === undefined || complete === undefined || isClosed()) break;
			this.start(round, event, recoveredItem(provider, event, complete));
		}
		if (queue.length + unknown.length === 0) await this.hasEnded(1, endAt);
		if (isClosed()) return;
		await this.advance(this.covered(round));
		if (round.missing === 0) return;
		this.logInfo(`${round.started} of ${round.missing} missed events were recovered`);
	}

	private start(round: Round, event: MissedEvent, content: IDataObject): void {
		const { runs } = this.deps;
		const { queue } = round;
		const ended = this.ended.splice(0);
		const run = randomUUID();
		const keys = keysAround(event.identity);
		const item = commandItem({ do: 'recover', startedBy: PROCESS, run, ended }, content);
		// Not the first any more where a run was refused meanwhile.
		queue.splice(queue.indexOf(event), 1);
		round.started += 1;
		this.processed.begin(keys, run);
		const ending = runs
			.toEnd(item, () => this.processed.knows(keys))
			.then(
				() => {
					this.processed.end(ended);
					// Otherwise the run itself has noted it.
					if (this.processed.isLatest(keys, run)) this.ended.push(...keys, run);
				},
				(error: unknown) => {
					this.ended.push(...ended);
					round.started -= 1;
					queue.push(event);
					queue.sort((one, other) => one.at - other.at);
					this.refusal = error instanceof Error ? error : new Error(String(error));
				},
			);
		this.running.set(
			event,
			ending.finally(() => this.running.delete(event)),
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
	private covered({ unknown, queue, upperBound }: Round): number {
		const open = [...this.running.keys(), ...queue.slice(0, 1), ...unknown.slice(0, 1)];
		return Math.min(upperBound, ...open.map(({ at }) => at - 1));
	}

	/** Requests what the list leaves out; an entry that has gone meanwhile is used as it was listed. */
	private async complete({ client }: Round, event: ListedEvent): Promise<ListedEvent> {
		const { details } = this.deps.api;
		return (details && (await client.find(details(event)))) ?? event;
	}

	/** Moves the cursor, which goes back for no clock, and saves it where that is new. */
	private async advance(upTo: number): Promise<void> {
		const { store, runs, isClosed } = this.deps;
		if (isClosed()) return;
		const ended = [...this.ended];
		if (ended.length > 0) await runs.query([], ended);
		this.processed.end(ended);
		this.ended.splice(0, ended.length);
		const cursor = this.cursorAt(Date.now());
		const moved = { ...cursor, until: Math.max(cursor.until, upTo) };
		if (JSON.stringify(store.state.recovery) !== JSON.stringify(moved)) {
			store.change({ recovery: moved });
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
