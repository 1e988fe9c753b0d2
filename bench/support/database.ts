import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

const storedSchema = z.object({
	stored: z.number(),
	finished: z.number(),
	/** Epoch milliseconds. */
	lastEndMs: z.number(),
	bytes: z.number(),
});

/** What n8n's database holds: executions, how many of them ended well, when the last one ended, and its size. */
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
		// Rejects what waits for an answer: `once` rejects on an error.
		this.reader.once('exit', () => this.reader.emit('error', new Error('The reader ended')));
	}

	/** @throws Error when the reader has ended */
	async read(): Promise<Stored> {
		const answered = once(this.reader, 'message');
		this.reader.send('read');
		const [answer]: unknown[] = await answered;
		return storedSchema.parse(answer);
	}

	close(): void {
		this.reader.removeAllListeners('exit');
		this.reader.kill();
	}
}
