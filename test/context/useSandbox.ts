import { afterAll, afterEach, beforeAll } from '@jest/globals';

import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { useHosts, type OpenHost } from './useHosts';

/**
 * Starts a sandbox before the first test of a file, resets it after each test and closes it at the end.
 *
 * @param keep - gets the sandbox before the first test
 * @returns opens a trigger, which is closed after the test
 */
export function useSandbox(
	keep: (sandbox: Sandbox) => void,
	options: SandboxOptions = {},
): OpenHost {
	let sandbox: Sandbox;
	beforeAll(async () => {
		sandbox = await startSandbox(options);
		keep(sandbox);
	});
	const open = useHosts();
	afterEach(async () => {
		// Retries that wait for nothing end by themselves.
		if (options.retryTimeScale === 0) await sandbox.settled();
		sandbox.reset();
	});
	afterAll(async () => {
		await sandbox.close();
	});
	return open;
}
