/**
 * Run with IPC under the pinned n8n's Node, which brings SQLite along: tells what n8n's database
 * holds, without the load that n8n's own API would add.
 */
import { DatabaseSync } from 'node:sqlite';

/** n8n may be writing: wait for it. */
const BUSY_MS = 10_000;

const [file = ''] = process.argv.slice(2);
const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
const executions = database.prepare(
	`SELECT COUNT(*) AS stored, SUM(finished) AS finished, MAX(stoppedAt) AS stopped FROM execution_entity`,
);
const size = database.prepare(
	`SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()`,
);

process.on('message', () => {
	const { stored, finished, stopped } = executions.get();
	// Written as "2026-01-02 03:04:05.678", in UTC.
	const lastEndMs = stopped === null ? 0 : Date.parse(`${stopped.replace(' ', 'T')}Z`);
	process.send({ stored, finished: finished ?? 0, lastEndMs, bytes: size.get().bytes });
});
