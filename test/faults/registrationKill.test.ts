import { describe, expect, it } from '@jest/globals';
import pLimit from 'p-limit';

import type { N8nHost } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { once } from '../../testkit/once';
import { ALL_FAULTS } from '../nightly';
import type { Harness } from './harness';
import type { Outcome } from './outcomes';
import { userSteps } from './steps';
import { callsOf, prepare, useHarnesses } from './useHarnesses';
import { variants, type Variant } from './variants';

/**
 * n8n is killed (SIGKILL) while a call that changes something at the provider is under way: before
 * the provider has acted, and after it has acted and before n8n could save what it learnt.
 */

const WIDTH = 8;
/** Killed together. n8n has to reach all their calls within the 10 s that it waits for an answer. */
const TOGETHER = 32;
const HOLD_MS = 9_000;
const ROUNDS = 8;
const HEAL_MS = 120_000;

/** A call to be killed in. */
interface Scenario {
	readonly variant: Variant;
	readonly step: (typeof userSteps)[number];
	readonly index: number;
	readonly call: string;
	readonly when: 'before' | 'after';
}

describe('n8n killed during a call', () => {
	let n8n: N8nHost;
	const outcomes = useHarnesses(
		'n8n killed: outcome after one clean publish',
		(started) => (n8n = started),
	);
	const inTurn = pLimit(WIDTH);
	const wanted: Variant[] = [];

	/** Does `work` for every item when its turn comes. */
	async function forEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
		return await Promise.all(items.map(async (item) => await inTurn(work, item)));
	}

	/** Plays the scenarios of every variant that a test asks for, all in the same few kills. */
	const playAll = once(async () => {
		// The tests begin together, so each has asked by then.
		await new Promise((resolve) => setImmediate(resolve));
		let waiting = await enumerate();
		for (let round = 0; waiting.length > 0 && round < ROUNDS; round++) {
			const missed = await kill(waiting.slice(0, TOGETHER));
			waiting = [...waiting.slice(TOGETHER), ...missed];
		}
		// If the machine was so slow that n8n never got there in time, this names what was not tried.
		expect(waiting.map(({ variant, step, call }) => [variant.title, step.name, call])).toEqual([]);
	});

	/**
	 * The calls that a run without a kill makes, without those that only read: each killed at one of the two
	 * moments, at night at both.
	 */
	async function enumerate(): Promise<Scenario[]> {
		const pairs = wanted.flatMap((variant) => userSteps.map((step) => ({ variant, step })));
		const found = await forEach(pairs, async ({ variant, step }) => {
			const calls = await callsOf(n8n, variant, step);
			return calls.map((call, index) => ({ variant, step, call, index }));
		});
		return found
			.flat()
			.filter(({ call }) => !call.startsWith('GET '))
			.flatMap((scenario, at) =>
				(['before', 'after'] as const)
					.filter((_when, moment) => ALL_FAULTS || (at + moment) % 2 === 0)
					.map((when) => ({ ...scenario, when })),
			);
	}

	/** @returns the scenarios in which n8n was not in the call when it was killed */
	async function kill(scenarios: readonly Scenario[]): Promise<Scenario[]> {
		const played = await forEach(scenarios, async (scenario) => {
			return { scenario, harness: await prepare(n8n, scenario.variant, scenario.step) };
		});
		await Promise.all(played.map(async ({ scenario, harness }) => await hold(scenario, harness)));
		await n8n.kill();
		const met = played.map(
			({ scenario: { index, call }, harness }) =>
				harness.calls().length === index + 1 && harness.calls()[index] === call,
		);
		for (const { harness } of played) harness.sandbox.clearFaults();
		await n8n.restart();
		await forEach([...played.entries()], async ([at, { scenario, harness }]) => {
			const outcome = await conclude(scenario, harness);
			if (met[at] === true) outcomes.push(outcome);
		});
		return scenarios.filter((_, at) => met[at] === false);
	}

	/** Starts the step and waits until n8n is in the call, where the provider keeps it. */
	async function hold({ step, index, when }: Scenario, harness: Harness): Promise<void> {
		harness.arm(index, { kind: 'hang', when, times: Number.MAX_SAFE_INTEGER });
		// It ends with n8n.
		step.run(harness).catch(() => undefined);
		await until('the call', HOLD_MS, () => harness.calls().length > index || undefined).catch(
			() => undefined,
		);
	}

	async function conclude(scenario: Scenario, harness: Harness): Promise<Outcome> {
		const problems: string[] = [];
		try {
			// n8n registers what it has stored as published again at its start.
			if (await harness.active()) await harness.wellAgain(HEAL_MS);
			problems.push(...(await harness.verdict()));
			await harness.unpublish();
		} catch (error) {
			problems.push(error instanceof Error ? error.message : String(error));
		}
		const { variant, step, index, call, when } = scenario;
		return {
			title: variant.title,
			step: step.name,
			call: `${index + 1} ${call}`,
			group: 'SIGKILL',
			fault: `SIGKILL, ${when} the provider acted`,
			refused: true,
			problems,
		};
	}

	it.concurrent.each(variants.map((variant): [string, Variant] => [variant.title, variant]))(
		'ends up with one endpoint at %s',
		async (title, variant) => {
			wanted.push(variant);
			await playAll();
			const played = outcomes.filter((outcome) => outcome.title === title);
			expect(played).not.toEqual([]);
			expect(played.filter(({ problems }) => problems.length > 0)).toEqual([]);
		},
		1_200_000,
	);
});
