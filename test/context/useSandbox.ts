import { afterAll, afterEach, beforeAll } from '@jest/globals';

import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';

/**
 * Starts a sandbox before the first test of a file, resets it after each test and closes it at the end.
 *
 * @param keep - gets the sandbox before the first test
 * @returns opens a trigger, which is closed after the test
 */
export function useSandbox(
	keep: (sandbox: Sandbox) => void,
	options: SandboxOptions = {},
): (...trigger: ConstructorParameters<typeof ContextHost>) => ContextHost {
	let sandbox: Sandbox;
	const hosts: ContextHost[] = [];
	beforeAll(async () => {
		sandbox = await startSandbox(options);
		keep(sandbox);
	});
	afterEach(async () => {
		await Promise.all(hosts.splice(0).map((host) => host.close()));
		// Retries that wait for nothing end by themselves.
		if (options.retryTimeScale === 0) await sandbox.settled();
		sandbox.reset();
	});
	afterAll(async () => {
		await sandbox.close();
	});
	return (...trigger) => {
		const host = new ContextHost(...trigger);
		hosts.push(host);
		return host;
	};
}
