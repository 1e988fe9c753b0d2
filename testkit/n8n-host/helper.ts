import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOnFreePorts } from './driver';
import { locateN8n } from './locate';
import { logFileIn, type N8nProcess, type Role } from './n8nProcess';
import { fillNew } from './prepared';

/** How to start a helper of queue mode. */
export interface HelperOptions {
	/** A `npm pack` file: every process of n8n needs the package. */
	tarball: string;
	/** The same settings as the main process has: database, Redis, encryption key. */
	env: Record<string, string>;
}

/** A running webhook processor or worker, with a user folder of its own. */
export class N8nHelper {
	/** @internal use {@link startHelper} */
	constructor(
		private readonly process: N8nProcess,
		private readonly userFolder: string,
		/** Its local address: webhooks of a processor, health checks of a worker. */
		readonly url: string,
	) {}

	/** Everything it has printed, until it is stopped. */
	log(): string {
		return readFileSync(logFileIn(this.userFolder), 'utf8');
	}

	/** Ends it at once as a crash would (SIGKILL). The log stays until `stop`. */
	async kill(): Promise<void> {
		await this.process.kill();
	}

	/** Lets it end, unless it was killed before, and removes its folder. */
	async stop(): Promise<void> {
		await this.process.stop();
		await rm(this.userFolder, { recursive: true, force: true });
	}
}

/**
 * Starts a webhook processor or a worker beside a main process.
 *
 * @throws HostError when it does not come up; the end of its log is in the message
 */
export async function startHelper(
	role: Exclude<Role, 'start'>,
	{ tarball, env }: HelperOptions,
): Promise<N8nHelper> {
	const userFolder = await mkdtemp(join(tmpdir(), `n8n-${role}-`));
	try {
		const host = await locateN8n();
		await fillNew(userFolder, { tarball, version: host.version }, 'package');
		const { process, ports } = await startOnFreePorts({
			host,
			role,
			userFolder,
			removeFolderOnDeath: true,
			webhookUrl: undefined,
			editor: false,
			env,
		});
		return new N8nHelper(process, userFolder, `http://127.0.0.1:${ports.port}`);
	} catch (error) {
		await rm(userFolder, { recursive: true, force: true });
		throw error;
	}
}
