import type { IDataObject } from 'n8n-workflow';

import { countName } from './nameCounts';
import { PerTrigger, triggerKey, type Owner } from './perTrigger';

const MAX_TRIGGERS = 10_000;

/** What became of a trigger's deliveries in this process, since it began. Test events do not count. */
export class DeliveryCounts {
	/** Epoch milliseconds of the last delivery whose signature was valid, including the provider's test deliveries. */
	lastVerifiedAt: number | undefined;

	private readonly since = Date.now();
	private acceptedCount = 0;
	private lastAcceptedAt: number | undefined;
	private lastRefusedAt: number | undefined;
	private readonly refusals = new Map<string, number>();
	private readonly ignoredEvents = new Map<string, number>();
	private readonly unmetEvents = new Map<string, number>();

	verified(now: number): void {
		this.lastVerifiedAt = now;
	}

	accepted(now: number): void {
		this.acceptedCount += 1;
		this.lastAcceptedAt = now;
	}

	refused(reason: string, now: number): void {
		this.lastRefusedAt = now;
		countName(this.refusals, reason);
	}

	/** An event that the trigger does not select. */
	ignored(name: string): void {
		countName(this.ignoredEvents, name);
	}

	/** An event that is selected but does not meet the trigger's conditions. */
	unmet(name: string): void {
		countName(this.unmetEvents, name);
	}

	/** Times are ISO 8601; `refused`, `ignored` and `unmet` say how often for each reason and event. */
	summary() {
		return {
			since: toIso(this.since),
			accepted: this.acceptedCount,
			lastAcceptedAt: toIso(this.lastAcceptedAt),
			lastVerifiedAt: toIso(this.lastVerifiedAt),
			refused: Object.fromEntries(this.refusals),
			lastRefusedAt: toIso(this.lastRefusedAt),
			ignored: Object.fromEntries(this.ignoredEvents),
			unmet: Object.fromEntries(this.unmetEvents),
		} satisfies IDataObject;
	}
}

function toIso(epochMs: number | undefined): string | null {
	return epochMs === undefined ? null : new Date(epochMs).toISOString();
}

const triggers = new PerTrigger(() => new DeliveryCounts(), MAX_TRIGGERS);

/** The counts of a trigger, the same in the whole process. */
export function countsOf(owner: Owner): DeliveryCounts {
	return triggers.of(triggerKey(owner));
}
