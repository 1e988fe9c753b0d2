import { z } from 'zod';
import { until } from '../n8n-host/poll';
import { executionSchema } from '../n8n-host/schemas';
import type { Services } from './services';

const DEADLINE_MS = 300_000;

/** A stored execution, and what it did. */
export interface Run {
	id: string;
	/** n8n's word: `success`, `error`, `running`, `new`, … */
	status: string;
	/** The event it is about; null when n8n has thrown its data away. */
	eventId: string | null;
	/** Names of the nodes that output an item. */
	passed: string[];
}

/** All executions of a workflow, read from n8n's database, oldest first. */
export async function readRuns({ query }: Services, workflowId: string): Promise<Run[]> {
	const row = z
		.object({
			id: z.coerce.string(),
			status: z.string(),
			eventId: z.string().nullable(),
			data: executionSchema.shape.data,
		})
		.transform(({ data, ...run }) => ({
			...run,
			passed: Object.entries(data.resultData.runData)
				.filter(([, [first]]) => (first?.data?.main?.[0] ?? []).length > 0)
				.map(([name]) => name),
		}));
	return await query(
		row,
		`SELECT e.id, e.status, substring(d.data from 'evt_queue_[a-z]+_[0-9]+') AS "eventId", d.data
			FROM execution_entity e JOIN execution_data d ON d."executionId" = e.id
			WHERE e."workflowId" = '${workflowId}' ORDER BY e.id`,
	);
}

/** How many of a workflow's executions have which status. */
export async function countRuns(
	{ query }: Services,
	workflowId: string,
): Promise<Record<string, number>> {
	const rows = await query(
		z.object({ status: z.string(), count: z.number() }),
		`SELECT status, count(*) FROM execution_entity WHERE "workflowId" = '${workflowId}' GROUP BY status`,
	);
	return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** All executions of a workflow, once each has ended. */
export async function whenEnded(services: Services, workflowId: string): Promise<Run[]> {
	let counts: Record<string, number> = {};
	await until(
		() => `executions to end; there are ${JSON.stringify(counts)}`,
		DEADLINE_MS,
		async () => {
			counts = await countRuns(services, workflowId);
			return (counts['new'] ?? 0) + (counts['running'] ?? 0) === 0 || undefined;
		},
	);
	return await readRuns(services, workflowId);
}
