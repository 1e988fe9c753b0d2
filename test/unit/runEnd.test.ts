import { expect, it, jest } from '@jest/globals';
import { ExecutionLifecycleHooks } from 'n8n-core';
import type { IExecuteFunctions, IRun } from 'n8n-workflow';

import { whenRunEnds } from '../../nodes/shared/state/runEnd';

/** Which ends of a run are reported to a node. */

const contextWith = (hooks: unknown) =>
	({ additionalData: { hooks } }) as unknown as IExecuteFunctions;

it.each([
	['success', 1],
	['error', 1],
	['crashed', 1],
	['waiting', 1],
	// The status of runs that end because n8n shuts down.
	['canceled', 0],
])('the end of a run as %s is reported %i times', async (status, times) => {
	const hooks = new ExecutionLifecycleHooks('trigger', 'run 1', {} as never);
	const handler = jest.fn(async () => {});
	expect(whenRunEnds(contextWith(hooks), handler)).toBe(true);
	await hooks.runHook('workflowExecuteAfter', [{ status } as IRun, undefined]);
	expect(handler).toHaveBeenCalledTimes(times);
});

it.each([undefined, {}, { addHandler: 'no function' }])(
	'no report is promised if n8n has the hooks %j',
	(hooks) => {
		expect(whenRunEnds(contextWith(hooks), async () => {})).toBe(false);
	},
);
