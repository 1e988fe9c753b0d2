import { spawn, type ChildProcess } from 'node:child_process';
import { guardGroup } from '../../testkit/n8n-host/guard.cjs';
import { until } from '../../testkit/n8n-host/poll';

/** A command that a developer types in a clone of the repository. */
export class Terminal {
	/** Everything that the command has printed. */
	output = '';
	private readonly child: ChildProcess;
	private readonly groupId: number;
	private readonly dismissGuard: () => void;

	/** @param temporary - the command's folder for temporary files */
	constructor(command: string, folder: string, temporary: string) {
		this.child = spawn('sh', ['-c', command], {
			cwd: folder,
			env: userEnvironment(temporary),
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		if (this.child.pid === undefined) throw new Error('The command could not be started');
		this.groupId = this.child.pid;
		this.dismissGuard = guardGroup(this.groupId, folder);
		for (const stream of [this.child.stdout, this.child.stderr]) {
			stream?.on('data', (chunk: Buffer) => {
				this.output += chunk.toString();
			});
		}
	}

	/** @throws Error with everything printed when the command ends before, or the time is over */
	async prints(text: string, timeoutMs: number): Promise<void> {
		await until(
			() => `the command to print "${text}". It printed:\n${this.output}`,
			timeoutMs,
			() => {
				if (this.ended) throw new Error(`The command ended:\n${this.output}`);
				return this.output.includes(text) || undefined;
			},
		);
	}

	/** Ctrl-C, which a terminal sends to everything that was started. */
	async interrupt(timeoutMs: number): Promise<void> {
		process.kill(-this.groupId, 'SIGINT');
		await until('the command to end', timeoutMs, () => this.ended || undefined);
	}

	/** Whether nothing that the command started is left. */
	get gone(): boolean {
		try {
			process.kill(-this.groupId, 0);
			return false;
		} catch {
			return true;
		}
	}

	/** Ends what is left of it. */
	close(): void {
		if (!this.gone) process.kill(-this.groupId, 'SIGKILL');
		this.dismissGuard();
	}

	private get ended(): boolean {
		return this.child.exitCode !== null || this.child.signalCode !== null;
	}
}

/** The environment of a terminal: without what npm, jest and the runner of the tests added to ours. */
function userEnvironment(temporary: string): NodeJS.ProcessEnv {
	const ours =
		/^(npm_|JEST_|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$|N8N_LOG_LEVEL$|PACKAGE_TARBALL$|TALLY_FILE$)/;
	const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
	return { ...Object.fromEntries(kept), TMPDIR: temporary };
}
