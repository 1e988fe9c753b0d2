import { afterAll, beforeAll } from '@jest/globals';

import { startSandbox, type SandboxOptions } from '../sandbox';
import { startN8n, type N8nHost, type N8nHostOptions } from '../testkit/n8n-host/driver';
import { packedPackage } from '../testkit/n8n-host/packedPackage';
import { ORIGIN, type Bed } from '../testkit/publishTrigger';

export interface BedOptions extends N8nHostOptions {
	readonly sandbox?: SandboxOptions;
}

/** Starts a sandbox, and an n8n with the packed package that gets what the sandbox sends to {@link ORIGIN}. */
export async function startBed({
	sandbox: sandboxOptions,
	...n8nOptions
}: BedOptions = {}): Promise<Bed & { stop(): Promise<void> }> {
	const sandbox = await startSandbox(sandboxOptions);
	try {
		const n8n = await startHost(n8nOptions);
		sandbox.setRoute(ORIGIN, n8n.url);
		return {
			n8n,
			sandbox,
			stop: async () => {
				try {
					await n8n.stop();
				} finally {
					await sandbox.close();
				}
			},
		};
	} catch (error) {
		await sandbox.close();
		throw error;
	}
}

/**
 * Starts both before the first test of a file or a block, and stops them after the last one.
 *
 * @param keep - gets them before the first test
 */
export function useN8n(keep: (bed: Bed) => void, options?: BedOptions): void {
	use(async () => await startBed(options), keep);
}

/** As {@link useN8n}, for tests that need no sandbox, or one each. */
export function useN8nAlone(keep: (n8n: N8nHost) => void, options?: N8nHostOptions): void {
	use(async () => await startHost(options), keep);
}

async function startHost(options: N8nHostOptions = {}): Promise<N8nHost> {
	return await startN8n({ tarball: packedPackage(), webhookUrl: ORIGIN, ...options });
}

function use<T extends { stop(): Promise<void> }>(
	start: () => Promise<T>,
	keep: (started: T) => void,
): void {
	let started: T | undefined;
	beforeAll(async () => {
		started = await start();
		keep(started);
	}, 600_000);
	afterAll(async () => await started?.stop(), 60_000);
}
