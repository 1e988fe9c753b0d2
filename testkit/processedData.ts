import { setTimeout as sleep } from 'node:timers/promises';

import type {
	DeduplicationItemTypes,
	ICheckProcessedContextData,
	IDataDeduplicator,
	IDeduplicationOutput,
} from 'n8n-workflow';

/**
 * An in-memory version of the table `processed_data` of n8n's command package: read and written as a whole,
 * so that of two writes at once one is lost.
 */
class ProcessedData implements IDataDeduplicator {
	private readonly rows = new Map<string, DeduplicationItemTypes[]>();
	/** Makes every use of it fail. */
	broken = false;

	async checkProcessedAndRecord(
		items: DeduplicationItemTypes[],
		_scope: string,
		context: ICheckProcessedContextData,
		{ maxEntries }: { maxEntries?: number },
	): Promise<IDeduplicationOutput> {
		const stored = await this.read(context);
		const known = new Set(stored);
		const fresh = items.filter((item) => !known.has(item));
		await this.write(context, [...stored, ...fresh].slice(-(maxEntries ?? Infinity)));
		return { new: fresh, processed: items.filter((item) => known.has(item)) };
	}

	async removeProcessed(
		items: DeduplicationItemTypes[],
		_scope: string,
		context: ICheckProcessedContextData,
	): Promise<void> {
		const stored = await this.read(context);
		await this.write(
			context,
			stored.filter((item) => !items.includes(item)),
		);
	}

	async checkProcessedItemsAndRecord(): Promise<never> {
		throw new Error('not used by the nodes');
	}

	async clearAllProcessedItems(): Promise<never> {
		throw new Error('not used by the nodes');
	}

	async getProcessedDataCount(): Promise<never> {
		throw new Error('not used by the nodes');
	}

	private async read(context: ICheckProcessedContextData): Promise<DeduplicationItemTypes[]> {
		if (this.broken) throw new Error('the database is gone');
		await sleep(1);
		return [...(this.rows.get(keyOf(context)) ?? [])];
	}

	private async write(context: ICheckProcessedContextData, items: DeduplicationItemTypes[]) {
		await sleep(1);
		this.rows.set(keyOf(context), items);
	}
}

function keyOf({ workflow, node }: ICheckProcessedContextData): string {
	return `${workflow.id} ${node?.id}`;
}

/** The table of this process's n8n. */
export const processedData = new ProcessedData();
