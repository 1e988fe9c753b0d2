import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

const storedSchema = z.object({ stored: z.number(), finished: z.number(), bytes: z.number() });

/** What n8n's database holds: all its executions, those that ended well, and its size. */
export type Stored = z.output<typeof storedSchema>;

/** Reads the SQLite database of a running n8n. */
export class Database {
	private readonly reader: ChildProcess;

	/** @param nodeBinary - the pinned n8n's Node, which brings SQLite along */
	constructor(nodeBinary: string, userFolder: string) {
		const file = join(userFolder, '.n8n', 'database.sqlite');
		this.reader = fork(join(__dirname, 'storedRuns.mjs'), [file], {
			execPath: nodeBinary,
			execArgv: ['--no-warnings'],
		});
	}

	/** @throws Error when the reader has ended */
	async read(): Promise<Stored> {
		const ended = once(this.reader, 'exit').then(() => {
			throw new Error('The reader of the database ended');
		});
		const answered = once(this.reader, 'message');
		this.reader.send('read');
		const [answer]: unknown[] = await Promise.race([answered, ended]);
		return storedSchema.parse(answer);
	}

	close(): void {
		this.reader.kill();
	}
}
