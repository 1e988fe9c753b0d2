import type { IDataObject, ITriggerFunctions } from 'n8n-workflow';

import { unmetCondition } from '../conditions';
import type { Provider } from '../provider';
import type { ListedEvent, RecoveryApi } from '../recoveryApi';
import type { TriggerSettings } from '../settings';
import type { Owner } from '../state/perTrigger';
import type { RecordStore } from '../state/recordStore';
import type { Runs } from '../state/runs';
import { readAnswer } from './claims';
import { recoveredItem } from './item';
import type { MissedEvent } from './listEvents';
import type { PacedClient } from './pacedClient';

/** The most events to ask about at once; the cursor is saved after their runs. */
const QUESTION_SIZE = 100;

/** How often an event is requested in full, once at a look. */
const MAX_TRIES = 3;

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

/** The events that one look at the provider's list has found, and what has become of them. */
export class Round {
	/** Those that have not run, the oldest first. */
	readonly queue: MissedEvent[] = [];
	/** How many had not run, and how many of them have been started. */
	missing = 0;
	started = 0;
	/** Those of the queue that were requested in full to compare them with the conditions. */
	private readonly requested = new Map<MissedEvent, ListedEvent>();
	/** How often each has been requested in full. */
	private readonly tries = new Map<MissedEvent, number>();

	/**
	 * @param unknown those that this process knows nothing of and has not asked about, the oldest first
	 * @param upperBound epoch milliseconds up to when everything is covered once they have run
	 */
	constructor(
		private readonly deps: RecoveryDeps,
		private readonly client: PacedClient,
		private readonly unknown: MissedEvent[],
		private readonly upperBound: number,
	) {}

	/** Whether all have been started. */
	get isOver(): boolean {
		return this.unknown.length + this.queue.length === 0;
	}

	/**
	 * Asks n8n's database which of the next events have not run: this process may have started after they ran, and in
	 * queue mode other processes run the deliveries.
	 * @param endAt epoch milliseconds from which on no more events are requested in full
	 * @param noteProcessed is called for those that have run, or are not to run
	 */
	async ask(endAt: number, noteProcessed: (event: MissedEvent) => void): Promise<void> {
		const { wanted, read } = await this.compareNext(endAt, noteProcessed);
		const identities = wanted.map(({ identity }) => identity);
		const answer = wanted.length === 0 ? undefined : await this.deps.runs.query(identities);
		const missing = new Set(answer === undefined ? [] : readAnswer(answer));
		for (const [index, event] of wanted.entries()) {
			if (missing.has(index)) this.queue.push(event);
			else noteProcessed(event);
		}
		this.unknown.splice(0, read);
		this.missing += missing.size;
	}

	/** The item that an event starts its run with. */
	async itemOf(event: MissedEvent): Promise<IDataObject> {
		return recoveredItem(this.deps.provider, event, await this.complete(event));
	}

	noteStart(event: MissedEvent): void {
		// It is no longer the first if a run was refused meanwhile.
		this.queue.splice(this.queue.indexOf(event), 1);
		this.requested.delete(event);
		this.started += 1;
	}

	/** n8n did not start its run. */
	noteRefusal(event: MissedEvent): void {
		this.started -= 1;
		this.queue.push(event);
		this.queue.sort((one, other) => one.at - other.at);
	}

	/**
	 * Epoch milliseconds up to which every event has run.
	 * @param running those whose runs are under way
	 */
	covered(running: Iterable<MissedEvent>): number {
		const open = [...running, ...this.queue.slice(0, 1), ...this.unknown.slice(0, 1)];
		return Math.min(this.upperBound, ...open.map(({ at }) => at - 1));
	}

	/**
	 * Those of the next events that meet the conditions. The others are not asked about, because asking claims what is
	 * missing, and a late delivery, which may say more, has to find its event unclaimed.
	 * @returns also how many were read, at least one
	 */
	private async compareNext(
		endAt: number,
		noteProcessed: (event: MissedEvent) => void,
	): Promise<{ wanted: MissedEvent[]; read: number }> {
		const { conditions } = this.deps.settings;
		const next = this.unknown.slice(0, QUESTION_SIZE);
		if (conditions.length === 0) return { wanted: next, read: next.length };
		const wanted: MissedEvent[] = [];
		let read = 0;
		for (const event of next) {
			const details = await this.complete(event);
			const item = recoveredItem(this.deps.provider, event, details);
			if (unmetCondition(conditions, item) === undefined) {
				wanted.push(event);
				this.requested.set(event, details);
			}
			// So that the next look does not ask for it again.
			else noteProcessed(event);
			read += 1;
			if (Date.now() >= endAt) break;
		}
		return { wanted, read };
	}

	/**
	 * Requests what the list leaves out. An entry that is not to be had is used as it was listed, and so is one at
	 * which the provider keeps failing: the others wait behind it.
	 */
	private async complete(event: MissedEvent): Promise<ListedEvent> {
		const requested = this.requested.get(event);
		if (requested !== undefined) return requested;
		const call = this.deps.api.details?.(event);
		if (call === undefined) return event;
		const tries = (this.tries.get(event) ?? 0) + 1;
		this.tries.set(event, tries);
		return (await this.client.find(call, tries >= MAX_TRIES)) ?? event;
	}
}
