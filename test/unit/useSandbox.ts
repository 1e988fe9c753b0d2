import { afterAll, beforeAll, beforeEach } from '@jest/globals';

import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { startReceiver, statuses, type Receiver } from './sandboxSupport';

/**
 * Starts a sandbox and a receiver before the first test of a file, and closes them after the last one. Before each
 * test both are as they were at their start.
 *
 * @param keep - gets both before the first test
 * @param routed - an origin that the sandbox finds the receiver at
 */
export function useSandbox(
	keep: (started: { sandbox: Sandbox; receiver: Receiver }) => void,
	options: SandboxOptions = {},
	routed?: string,
): void {
	let sandbox: Sandbox;
	let receiver: Receiver;
	beforeAll(async () => {
		receiver = await startReceiver();
		const routes = routed === undefined ? {} : { [routed]: receiver.origin };
		sandbox = await startSandbox({ routes, ...options });
		keep({ sandbox, receiver });
	});
	beforeEach(() => {
		sandbox.reset();
		receiver.received = [];
		receiver.answer = statuses(200);
	});
	afterAll(async () => await Promise.all([sandbox.close(), receiver.close()]));
}
