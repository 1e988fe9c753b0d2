import { z } from 'zod';
import { isoMillis, isoSeconds } from './signing';
import type { Behaviour } from './types';

/** How a provider's list may differ from its reference: fields of `Behaviour`. */
export const listBehaviour = {
	listTimes: z.enum(['milliseconds', 'seconds', 'offset', 'withoutZone']).default('milliseconds'),
	listCap: z.number().int().positive().default(1_000),
	listCapLeavesGaps: z.boolean().default(false),
	listTotal: z.boolean().default(true),
	listRepeats: z.number().int().nonnegative().default(0),
	listChurn: z.enum(['none', 'comes', 'goes']).default('none'),
	listLateMs: z.number().int().nonnegative().default(0),
};

type ListBehaviour = Pick<Behaviour, keyof typeof listBehaviour>;

/** Formats a time as the list does. @param at ISO 8601 */
export function listedTime(at: string, { listTimes }: ListBehaviour): string {
	const epochMs = Date.parse(at);
	switch (listTimes) {
		case 'milliseconds':
			return isoMillis(epochMs);
		case 'seconds':
			return isoSeconds(epochMs);
		case 'offset':
			return isoSeconds(epochMs + 2 * 3_600_000).replace('Z', '+02:00');
		case 'withoutZone':
			return isoMillis(epochMs).replace('T', ' ').replace('Z', '');
	}
}

/** Whether something already appears in the list. @param at ISO 8601 */
export function isListed(at: string, { listLateMs }: ListBehaviour): boolean {
	return listLateMs === 0 || Date.parse(at) + listLateMs <= Date.now();
}

/** Which entries were asked for. */
interface Asked {
	limit: number;
	/** Entries before the page, or the number of the page from 1. */
	from: { offset: number } | { page: number };
}

interface Page<T> {
	entries: T[];
	/** Undefined if the list does not state it. */
	total: number | undefined;
}

/** Cuts a list into pages, and lets it change in between. */
export class Pager<T> {
	/** Pages answered so far. */
	private answered = 0;
	private former: T[] = [];

	/** What `listChurn` does: a new entry appears, or one of a page that was answered disappears. */
	constructor(private readonly churn: { comes: () => void; goes: (entry: T) => void }) {}

	/** Counts pages from zero again. */
	reset(): void {
		this.answered = 0;
	}

	page(all: readonly T[], { limit, from }: Asked, behaviour: ListBehaviour): Page<T> {
		const given = Math.min(limit, behaviour.listCap);
		const step = behaviour.listCapLeavesGaps ? limit : given;
		const start = 'offset' in from ? from.offset : (from.page - 1) * step;
		this.answered += 1;
		const repeats = behaviour.listRepeats > 0 && this.answered === behaviour.listRepeats + 1;
		const entries = repeats ? this.former : all.slice(start, start + given);
		this.former = entries;
		const [first] = entries;
		if (behaviour.listChurn === 'comes') this.churn.comes();
		if (behaviour.listChurn === 'goes' && first !== undefined) this.churn.goes(first);
		return { entries, total: behaviour.listTotal ? all.length : undefined };
	}
}
