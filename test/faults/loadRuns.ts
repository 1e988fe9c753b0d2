import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'flatted';
import { z } from 'zod';

import { locateN8n } from '../../testkit/n8n-host/locate';
import { until } from '../../testkit/n8n-host/poll';

/** An execution as n8n stored it. */
export interface StoredRun {
	readonly workflowId: string;
	/** `success`, `error`, `crashed`, … */
	readonly status: string;
	/**
	 * When n8n accepted it, in epoch milliseconds. It may begin later: what was accepted and had not
	 * begun when n8n was killed, n8n runs at its next start.
	 */
	readonly acceptedAt: number;
	/** What the trigger put out as `deliveryId`; undefined when a crash left no data. */
	readonly deliveryId: string | undefined;
}

const run = promisify(execFile);
const LARGEST_OUTPUT = 512 * 1024 * 1024;
const IDLE_MS = 120_000;

/** Prints the rows of a query as JSON. Run by n8n's own Node, which has SQLite built in. */
const QUERY = `
const { DatabaseSync } = require('node:sqlite');
const [file, sql] = process.argv.slice(1);
console.log(JSON.stringify(new DatabaseSync(file, { readOnly: true }).prepare(sql).all()));
`;

/** Reads rows from n8n's SQLite database, whether n8n runs or not. */
export async function query<S extends z.ZodTypeAny>(
	userFolder: string,
	sql: string,
	row: S,
): Promise<Array<z.output<S>>> {
	const { nodeBinary } = await locateN8n();
	const file = join(userFolder, '.n8n', 'database.sqlite');
	const { stdout } = await run(nodeBinary, ['--no-warnings', '-e', QUERY, file, sql], {
		maxBuffer: LARGEST_OUTPUT,
	});
	return z.array(row).parse(JSON.parse(stdout));
}

/**
 * Waits until n8n has no execution under way.
 *
 * @param since - epoch milliseconds; what n8n accepted before does not count
 */
export async function untilIdle(userFolder: string, since = 0): Promise<void> {
	const sql = `SELECT count(*) AS count FROM execution_entity
		WHERE status IN ('new', 'running') AND createdAt >= '${storedTime(since)}'`;
	await until('n8n to finish its executions', IDLE_MS, async () => {
		const [row] = await query(userFolder, sql, z.object({ count: z.number() }));
		return row?.count === 0 ? true : undefined;
	});
}

/** A time as n8n stores it: `2026-01-02 03:04:05.678`, in UTC. */
function storedTime(time: number): string {
	return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}

const storedSchema = z.object({
	workflowId: z.string(),
	status: z.string(),
	/** `2026-01-02 03:04:05.678`, in UTC. */
	createdAt: z.string().transform((text) => Date.parse(`${text.replace(' ', 'T')}Z`)),
	/** In flatted's format, where repeated values are references. */
	data: z.string(),
});

/** All executions in n8n's database, straight from its file. */
export async function storedRuns(userFolder: string): Promise<StoredRun[]> {
	const sql = `SELECT workflowId, status, createdAt, data
		FROM execution_entity JOIN execution_data ON executionId = id`;
	const rows = await query(userFolder, sql, storedSchema);
	return rows.map(({ workflowId, status, createdAt, data }) => ({
		workflowId,
		status,
		acceptedAt: createdAt,
		deliveryId: deliveryIdIn(data),
	}));
}

/** The trigger's output is among the results of a finished run, and in the queue of one cut short. */
export function deliveryIdIn(data: string): string | undefined {
	let found: string | undefined;
	parse(data, (key, value: unknown) => {
		if (key === 'deliveryId' && typeof value === 'string') found ??= value;
		return value;
	});
	return found;
}
