import type { IDataObject } from 'n8n-workflow';

import { sourceOf } from '../product';
import { countName, MAX_NAME_LENGTH, MAX_NAMES } from './nameCounts';
import type { Difference, Entry, Facts, Happened, ProblemKind, ProblemSource } from './problem';
import { problemMessage } from './problemText';
import { PerTrigger, triggerKey, type Owner } from './perTrigger';

/** Of each kind, a node reports at most one problem in this time. */
const QUIET_MS = 15 * 60 * 1000;
const MAX_TRIGGERS = 1_000;

/**
 * What went wrong at one trigger and was not reported yet. Held in the memory of this process: each
 * process that takes deliveries counts its own.
 */
export class ProblemLog {
	private readonly entries = new Map<ProblemKind, Entry>();
	/** Epoch milliseconds of the last report of a kind. */
	private readonly reported = new Map<ProblemKind, number>();
	private readonly logged = new Set<string>();
	/** How often each event started nothing. */
	private ignoredEvents = new Map<string, number>();
	private lastValidAt: number | undefined;
	private lastGoodAt: number | undefined;

	/** A delivery was not accepted. @param isPutOff the provider sends it again */
	refused(reason: string, now: number, isPutOff = false): void {
		this.add('deliveriesRefused', now, [reason], { isPutOff });
	}

	/** A delivery verified: not every delivery is refused. */
	verified(now: number): void {
		this.lastValidAt = now;
	}

	/** Whether any delivery has verified since n8n started. */
	get hasVerified(): boolean {
		return this.lastValidAt !== undefined;
	}

	/** A check found the endpoint in order, or has repaired it. */
	inOrder(now: number): void {
		this.lastGoodAt = now;
	}

	verifiedByPreviousSecret(now: number): void {
		this.add('verifiedByPreviousSecret', now);
	}

	/** A signed event does not have its documented shape, or a name that no list has. */
	unknownEvent(name: string, now: number): void {
		this.add('eventsUnknown', now, [name]);
	}

	/**
	 * A signed event started nothing. A problem only if its name is unknown: some providers send every event, and events
	 * that the user did not choose are only counted, to be named with such a problem.
	 */
	ignored(name: string, isUnknown: boolean, now: number): void {
		countName(this.ignoredEvents, name);
		if (isUnknown) this.unknownEvent(name, now);
	}

	/** The run of an event failed, and its provider will not send it again. */
	givenUp(deliveryId: string, now: number): void {
		this.add('eventsGivenUp', now, [deliveryId]);
	}

	repaired(wrong: readonly Difference[], endpointId: string, now: number): void {
		this.add('endpointRepaired', now, wrong, { endpointId });
	}

	/** @param since epoch milliseconds of the first check that failed */
	unreachable(reason: string, since: number): void {
		this.add('endpointUnreachable', since, [], { reason });
	}

	/** An endpoint of another account or product stays there, and may still deliver. */
	leftBehind(endpointId: string, url: string | undefined, now: number): void {
		this.add('endpointLeftBehind', now, [], { endpointId, ...(url === undefined ? {} : { url }) });
	}

	/** Something other than this n8n answers at the trigger's webhook URL. */
	addressUnreachable(reason: string, url: string, now: number): void {
		this.add('addressUnreachable', now, [], { reason, url });
	}

	/** Whether something is written to the log for the first time: there can be thousands of deliveries. */
	isFirst(cause: string): boolean {
		const listed = cause.slice(0, MAX_NAME_LENGTH);
		if (this.logged.has(listed)) return false;
		if (this.logged.size >= MAX_NAMES) this.logged.clear();
		this.logged.add(listed);
		return true;
	}

	/** The provider answers again: there is nothing left to report. */
	reachable(): void {
		this.entries.delete('endpointUnreachable');
	}

	/**
	 * The item of a problem that is to be reported now.
	 * @returns undefined where nothing happened, or one was reported less than 15 minutes ago
	 */
	take(kind: ProblemKind, source: ProblemSource, now: number): IDataObject | undefined {
		const entry = this.entries.get(kind);
		if (entry === undefined) return undefined;
		const reported = this.reported.get(kind);
		if (reported !== undefined && Math.abs(now - reported) < QUIET_MS) return undefined;
		this.reported.set(kind, now);
		this.entries.delete(kind);
		const { lastValidAt, lastGoodAt, ignoredEvents: ignored } = this;
		const happened = { ...entry, lastValidAt, lastGoodAt, ignored };
		if (kind === 'eventsUnknown') this.ignoredEvents = new Map();
		return {
			problem: kind,
			message: problemMessage(kind, happened, source),
			...sourceOf(source.provider),
			since: toIso(entry.since),
			...detailsOf(kind, happened),
			workflow: { ...source.workflow },
		};
	}

	/** Every problem that is to be reported now. */
	takeAll(source: ProblemSource, now: number): IDataObject[] {
		return [...this.entries.keys()]
			.map((kind) => this.take(kind, source, now))
			.filter((item) => item !== undefined);
	}

	private add(
		kind: ProblemKind,
		now: number,
		names: readonly string[] = [],
		facts: Facts = {},
	): void {
		const entry: Entry = this.entries.get(kind) ?? {
			since: now,
			missingFrom: this.lastGoodAt,
			last: now,
			count: 0,
			counts: new Map<string, number>(),
			facts: {},
		};
		this.entries.set(kind, entry);
		entry.last = now;
		entry.count += 1;
		entry.facts = { ...entry.facts, ...facts };
		for (const name of names) countName(entry.counts, name);
	}
}

function detailsOf(kind: ProblemKind, happened: Happened): IDataObject {
	const { last, count, counts, facts, ignored } = happened;
	const listed = Object.fromEntries(counts);
	switch (kind) {
		case 'deliveriesRefused':
			return { count, reasons: listed, lastAt: toIso(last), ...timeAs('lastValidAt', happened) };
		case 'verifiedByPreviousSecret':
			return { count, lastAt: toIso(last) };
		case 'eventsGivenUp':
			return { count, deliveryIds: [...counts.keys()], lastAt: toIso(last) };
		case 'eventsUnknown':
			return {
				count,
				events: listed,
				lastAt: toIso(last),
				...(ignored.size === 0 ? {} : { ignored: Object.fromEntries(ignored) }),
			};
		case 'endpointRepaired':
			return {
				wrong: [...counts.keys()],
				...facts,
				...timeAs('missingFrom', happened),
				missingTo: toIso(last),
			};
		case 'addressUnreachable':
			return { ...facts };
		case 'endpointUnreachable':
			return { ...facts, ...timeAs('lastGoodAt', happened) };
		case 'endpointLeftBehind':
			return { ...facts };
	}
}

/** A field with a time; none where it is not known. */
function timeAs(
	name: 'lastValidAt' | 'lastGoodAt' | 'missingFrom',
	{ [name]: time }: Happened,
): IDataObject {
	return time === undefined ? {} : { [name]: toIso(time) };
}

function toIso(epochMs: number): string {
	return new Date(epochMs).toISOString();
}

const logs = new PerTrigger(() => new ProblemLog(), MAX_TRIGGERS);

/** The log of a trigger, the same in the whole process. */
export function problemsOf(owner: Owner): ProblemLog {
	return logs.of(triggerKey(owner));
}
