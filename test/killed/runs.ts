import { z } from 'zod';

import { until } from '../../testkit/n8n-host/poll';
import { deliveryIdIn } from '../faults/loadRuns';

/** Asks n8n's database, whether n8n runs or not. */
export type Query = <S extends z.ZodTypeAny>(row: S, sql: string) => Promise<Array<z.output<S>>>;

/** An execution as n8n has stored it. */
export interface StoredRun {
	readonly id: string;
	/** `new`, `running`, `crashed`, `success`, `error`, … */
	readonly status: string;
	/** The execution that it runs again. */
	readonly retryOf: string | null;
	/** The `deliveryId` that the trigger output. */
	readonly event: string | undefined;
}

const IDLE_MS = 300_000;

const id = z.coerce.string();
const runSchema = z
	.object({ id, status: z.string(), retryOf: id.nullable(), data: z.string() })
	.transform(({ data, ...run }): StoredRun => ({ ...run, event: deliveryIdIn(data) }));

/** All executions of a workflow that n8n has kept, oldest first. */
export async function storedRuns(query: Query, workflowId: string): Promise<StoredRun[]> {
	return await query(
		runSchema,
		`SELECT id, status, "retryOf", data FROM execution_entity JOIN execution_data ON "executionId" = id
			WHERE "workflowId" = '${workflowId}' AND "deletedAt" IS NULL ORDER BY id`,
	);
}

/** How many executions of a workflow have a status. */
export async function countRuns(query: Query, workflowId: string, status: string): Promise<number> {
	const [row] = await query(
		z.object({ count: z.number() }),
		`SELECT count(*) AS count FROM execution_entity
			WHERE "workflowId" = '${workflowId}' AND status = '${status}' AND "deletedAt" IS NULL`,
	);
	return row?.count ?? 0;
}

/** Waits until no execution of a workflow is to be run or under way. */
export async function untilIdle(query: Query, workflowId: string): Promise<void> {
	await until('n8n to finish its executions', IDLE_MS, async () => {
		const open =
			(await countRuns(query, workflowId, 'new')) + (await countRuns(query, workflowId, 'running'));
		return open === 0 ? true : undefined;
	});
}
