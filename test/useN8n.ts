import { afterAll, beforeAll } from '@jest/globals';

import { startSandbox, type SandboxOptions } from '../sandbox';
import { startN8n, type N8nHostOptions } from '../testkit/n8n-host/driver';
import { packedPackage } from '../testkit/n8n-host/packedPackage';
import { ORIGIN, type Bed } from '../testkit/publishTrigger';

export interface BedOptions extends N8nHostOptions {
	readonly sandbox?: SandboxOptions;
}

/** Starts a sandbox, and an n8n with the packed package that gets what the sandbox sends to {@link ORIGIN}. */
export async function startBed({
	tarball = packedPackage(),
	sandbox: sandboxOptions,
	...n8nOptions
}: BedOptions = {}): Promise<Bed & { stop(): Promise<void> }> {
	const sandbox = await startSandbox(sandboxOptions);
	try {
		const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, ...n8nOptions });
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
	let stop: (() => Promise<void>) | undefined;
	beforeAll(async () => {
		const bed = await startBed(options);
		({ stop } = bed);
		keep(bed);
	}, 600_000);
	afterAll(async () => await stop?.(), 60_000);
}
