import path from 'node:path';

import { afterEach, beforeEach, jest } from '@jest/globals';

import type * as watchModule from '../../nodes/shared/trigger/watch';
import type { ContextHost } from '../../testkit/contextHost';

const { EndpointWatch } = jest.requireActual<typeof watchModule>(
	path.join(__dirname, '../../dist/nodes/shared/trigger/watch.js'),
);

/**
 * Lets tests wait for what triggers do each minute, which n8n does not wait for. After each test the clock and all
 * mocks are put back, and the triggers closed.
 */
export function useTicks() {
	let spy: jest.SpiedFunction<watchModule.EndpointWatch['tick']>;
	const closing: Array<() => Promise<void>> = [];
	beforeEach(() => {
		spy = jest.spyOn(EndpointWatch.prototype, 'tick');
	});
	afterEach(async () => {
		jest.useRealTimers();
		jest.restoreAllMocks();
		await Promise.all(closing.splice(0).map(async (close) => await close()));
	});

	/** All ticks of the test so far, each as a promise of its end. */
	const begun = () => spy.mock.results.map(({ value }) => value);

	/** n8n starts a trigger. */
	async function start(host: ContextHost) {
		const { tick: begin, crons, close } = await host.startTrigger();
		closing.push(close);
		/** Waits for the newest tick and the runs that it started. */
		const ended = async () => {
			await begun().at(-1);
			await host.runsEnded();
		};
		/** One minute's tick, to its end. */
		const tick = async () => {
			begin();
			await ended();
		};
		return { begin, ended, tick, crons, close };
	}

	return { begun, start };
}
