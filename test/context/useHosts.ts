import { afterEach } from '@jest/globals';

import { ContextHost } from '../../testkit/contextHost';

/** Opens a trigger, beside others of the same workflow where they are given. */
export type OpenHost = (...trigger: ConstructorParameters<typeof ContextHost>) => ContextHost;

/** @returns opens a trigger, which is closed after the test */
export function useHosts(): OpenHost {
	const hosts: ContextHost[] = [];
	afterEach(async () => {
		await Promise.all(hosts.splice(0).map((host) => host.close()));
	});
	return (...trigger) => {
		const host = new ContextHost(...trigger);
		hosts.push(host);
		return host;
	};
}
