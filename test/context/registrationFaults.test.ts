import { beforeEach, expect, it, jest } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { callFaults, variants, type CallFault, type Variant } from '../faults/variants';
import { Life } from './life';
import { load } from './providers';
import { useSandbox } from './useSandbox';

/**
 * The provider fails at every call of every step that a user takes, before and after it has acted.
 * Whatever came of the step, a clean publish ends with one endpoint, whose secret verifies.
 * test/faults/registration plays a share of this in a real n8n, and all calls that are never answered.
 */

/** Of a call to a provider. */
const DEADLINE_MS = 10_000;
const FOREIGN_URL = 'https://other-app.example.com/hook';

let sandbox: Sandbox;

useSandbox((started) => {
	sandbox = started;
});
beforeEach(() => {
	const { setTimeout: startTimer } = globalThis;
	// Retries do not wait, but the deadline of a call stays.
	jest
		.spyOn(globalThis, 'setTimeout')
		.mockImplementation(((end: () => void, ms = 0) =>
			ms < DEADLINE_MS ? setImmediate(end) : startTimer(end, ms)) as never);
});

/** A step in a workflow's life that makes n8n call the provider. */
interface Step {
	readonly run: (life: Life) => Promise<void>;
	/** The workflow is published before. */
	readonly over?: true;
	/** And then saved with only one of the two events. */
	readonly edited?: true;
}

const steps: ReadonlyArray<readonly [string, Step]> = [
	['publish', { run: async (life) => await life.publish() }],
	['unpublish', { over: true, run: async (life) => await life.unpublish() }],
	['republish, edited', { over: true, edited: true, run: async (life) => await life.publish() }],
	['start of n8n', { over: true, run: async (life) => await life.start() }],
];

/** The provider fails in this way at this call of a step; calls are counted from 0. */
interface Failure {
	readonly call: number;
	readonly how: CallFault;
}

/**
 * Plays a step, and a clean publish after it.
 *
 * @returns the number of calls that the step made, and what is wrong at the end
 */
async function play(variant: Variant, step: Step, failure?: Failure) {
	sandbox.reset();
	const trigger = load(variant.trigger);
	const { provider, events } = trigger;
	const life = new Life(sandbox, trigger, { credential: variant.credential(sandbox) });
	const foreign = sandbox.addEndpoint(provider, { url: FOREIGN_URL, events: [...events] });
	if (step.over === true) await life.publish();
	const wantedEvents = step.edited === true ? events.slice(0, 1) : [...events];
	if (step.edited === true) {
		const parameters = { ...trigger.parameters, registration: 'automatic', events: wantedEvents };
		life.host.restart({ parameters });
	}
	const before = sandbox.requests().length;
	if (failure !== undefined) {
		const { call, how } = failure;
		if (call > 0) sandbox.fault({ provider, kind: 'delay', times: call });
		sandbox.fault({ ...how.fault, provider });
	}
	// It may fail: n8n reports that, and the workflow stays as it was.
	await step.run(life).catch(() => undefined);
	await life.check();
	const calls = sandbox.requests().length - before;
	sandbox.clearFaults();
	await life.publish();
	await life.check();

	const own = life.endpoints.filter(({ id }) => id !== foreign.id);
	const ends = {
		others: life.endpoints.filter(({ id }) => id === foreign.id),
		own: own.map(({ active, events: registered }) => ({ active, registered })),
		answers: [await life.answerTo(own[0]?.id), await life.answerTo(own[0]?.id, 'signature')],
	};
	const wanted = {
		others: [foreign],
		own: [{ active: true, registered: wantedEvents }],
		answers: [200, 401],
	};
	await life.end();
	return { calls, ends, wanted };
}

const answered = callFaults.filter(({ group }) => group !== 'timeout');

it.each(
	variants
		.filter(({ full }) => full)
		.flatMap((variant) =>
			steps.map(([name, step]): [string, string, Variant, Step] => [
				variant.title,
				name,
				variant,
				step,
			]),
		),
)(
	'%s ends up with one endpoint, whatever fails during: %s',
	async (_title, _name, variant, step) => {
		const { calls } = await play(variant, step);
		expect(calls).toBeGreaterThan(0);
		const failures = Array.from({ length: calls }, (_, call) =>
			answered.map((how) => ({ call, how })),
		).flat();
		for (const failure of failures) {
			const { ends, wanted } = await play(variant, step, failure);
			expect({ ...failure, ...ends }).toEqual({ ...failure, ...wanted });
		}
	},
	600_000,
);
