import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { guardGroup } from './n8n-host/guard.cjs';
import { until } from './n8n-host/poll';

const READY_MS = 60_000;
const STOP_MS = 20_000;

/** Where a program runs, with which variables, and as whom. */
export interface ServerOptions {
	cwd: string;
	env: NodeJS.ProcessEnv;
	/** Default: who this process is. */
	uid?: number;
	gid?: number;
}

/** A server program in its own process group, which does not outlive this process. */
export class ServerProgram {
	private readonly child: ChildProcess;

	private readonly logFile: string;

	private readonly dismissGuard: () => void;

	/** @param folder - for its log; removed should this process end without stopping it */
	constructor(
		private readonly program: string,
		args: string[],
		options: ServerOptions,
		folder: string,
	) {
		this.logFile = join(folder, `${program.split('/').at(-1) ?? ''}.log`);
		const log = openSync(this.logFile, 'a');
		this.child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', log, log] });
		closeSync(log);
		if (this.child.pid === undefined) throw new Error(`${program} could not be started`);
		this.dismissGuard = guardGroup(this.child.pid, folder);
	}

	/** Everything it has printed. */
	log(): string {
		return readFileSync(this.logFile, 'utf8');
	}

	/**
	 * Waits until `attempt` no longer fails.
	 *
	 * @throws Error with its log when it ends or is not ready within a minute
	 */
	async ready(attempt: () => Promise<unknown>): Promise<void> {
		let last: unknown;
		const what = () => `${this.program}: ${String(last)}; its log:\n${this.log()}`;
		await until(what, READY_MS, async () => {
			if (this.ended) throw new Error(`${this.program} ended; its log:\n${this.log()}`);
			try {
				await attempt();
				return true;
			} catch (error) {
				last = error;
				return undefined;
			}
		});
	}

	/** Asks it to end and waits; kills it when it takes longer than 20 seconds. */
	async stop(): Promise<void> {
		// SIGINT: PostgreSQL ends its sessions and itself; SIGTERM would wait for the sessions.
		this.child.kill('SIGINT');
		await until(`${this.program} to end`, STOP_MS, () => this.ended || undefined).catch(() =>
			this.child.kill('SIGKILL'),
		);
		this.dismissGuard();
	}

	private get ended(): boolean {
		return this.child.exitCode !== null || this.child.signalCode !== null;
	}
}
