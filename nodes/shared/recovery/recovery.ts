import { randomUUID } from 'node:crypto';

import { sleep, type IDataObject } from 'n8n-workflow';

import { ApiClient } from '../api/request';
import { hideSecrets } from '../api/hideSecrets';
import { readCredential, type ProviderCredential } from '../credential';
import { readBounceType } from '../delivery/event';
import { reasonToIgnore } from '../delivery/selection';
import { messageOf, warn } from '../log';
import type { ListedEvent } from '../recoveryApi';
import { Attempts } from '../state/attempts';
import { commandItem, PROCESS } from '../state/commands';
import { triggerKey } from '../state/perTrigger';
import type { RecoveryCursor } from '../state/triggerState';
import { keysAround } from './identity';
import { listEvents, type MissedEvent } from './listEvents';
import { LongWork } from './longWork';
import { PacedClient } from './pacedClient';
import { processedEventsOf, type ProcessedEvents } from './processedEvents';
import { Round, type RecoveryDeps } from './round';

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
	private readonly running = new Map<MissedEvent, Promise<void>>();
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
	 * @param endAt epoch milliseconds from which on no more runs are started; reading a list goes on
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
		return (this.round === undefined || this.round.isOver) && this.running.size === 0;
	}

	/** Asks the provider what happened. */
	private async look(now: number, credential: ProviderCredential): Promise<void> {
		const { api, context } = this.deps;
		const client = this.clientWith(credential);
		await this.reachBack(client);
		const { from, until } = this.cursorAt(now);
		const { events, complete } = await listEvents(client, api, Math.max(from, until - OVERLAP_MS));
		// An event in the future shows that this clock is behind.
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
		this.round = new Round(this.deps, client, unknown, upperBound);
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

	/** Looked up each time, because the process drops those of the triggers that were least recently used. */
	private get processed(): ProcessedEvents {
		return processedEventsOf(this.trigger);
	}

	/** How far the recovery got. A first activation in the future was dated by a clock that was ahead. */
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

	/** Starts runs until the slice is over; those under way go on. @throws where n8n starts none */
	private async startRuns(round: Round, endAt: number): Promise<void> {
		const { isClosed } = this.deps;
		while (!isClosed() && (await this.hasEnded(MAX_RUNS, endAt))) {
			const [event] = round.queue;
			if (event === undefined) {
				await this.advance(round.covered(this.running.keys()));
				if (round.isOver) break;
				await this.ask(round, endAt);
				continue;
			}
			const content = await round.itemOf(event);
			if (isClosed()) break;
			this.start(round, event, content);
		}
		if (round.isOver) await this.hasEnded(1, endAt);
		if (isClosed()) return;
		await this.advance(round.covered(this.running.keys()));
		if (round.missing === 0) return;
		this.logInfo(`${round.started} of ${round.missing} missed events were recovered`);
	}

	private async ask(round: Round, endAt: number): Promise<void> {
		const known = round.missing;
		await round.ask(endAt, ({ identity }) => this.processed.note(keysAround(identity)));
		if (known === 0 && round.missing > 0) this.logInfo('missed events are recovered');
	}

	private start(round: Round, event: MissedEvent, content: IDataObject): void {
		const ended = this.ended.splice(0);
		const run = randomUUID();
		const keys = keysAround(event.identity);
		const item = commandItem({ do: 'recover', startedBy: PROCESS, run, ended }, content);
		round.noteStart(event);
		this.processed.begin(keys, run);
		const ending = this.deps.runs
			.toEnd(item, () => this.processed.knows(keys))
			.then(
				() => {
					this.processed.end(ended);
					// Otherwise the run itself has noted it.
					if (this.processed.isLatest(keys, run)) this.ended.push(...keys, run);
				},
				(error: unknown) => {
					this.ended.push(...ended);
					round.noteRefusal(event);
					this.refusal = error instanceof Error ? error : new Error(String(error));
				},
			);
		this.running.set(
			event,
			ending.finally(() => this.running.delete(event)),
		);
	}

	/** Waits until fewer runs than `count` are under way. @returns false when the slice is over first */
	private async hasEnded(count: number, endAt: number): Promise<boolean> {
		while (this.running.size >= count && Date.now() < endAt) {
			await Promise.race([...this.running.values(), sleep(LOOK_AGAIN_MS)]);
		}
		const { refusal } = this;
		this.refusal = undefined;
		if (refusal !== undefined) throw refusal;
		return Date.now() < endAt;
	}

	/** Moves the cursor forward, never back, even if the clock was set back, and saves it if it is new. */
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
