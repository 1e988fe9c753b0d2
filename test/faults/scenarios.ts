import { ALL_FAULTS } from '../nightly';
import { callFaults, variants, type CallFault, type Variant } from './variants';
import type { Outcome } from './outcomes';
import type { Harness } from './harness';
import { steps, type Step } from './steps';

/** One fault at one call of one step. */
export interface Scenario {
	readonly variant: Variant;
	readonly step: Step;
	/** Place of the call in the step, and what it was when nothing failed. */
	readonly index: number;
	readonly call: string;
	readonly fault: CallFault;
}

/**
 * The scenarios of one step, slowest first. Each call meets another one of the faults, so over all
 * steps and variants each fault comes several times. In a plain step of a full variant each call meets
 * the timeouts as well; all that is answered meets them in test/context/registrationFaults, at a
 * fraction of the cost.
 *
 * @param calls - those that the step makes when nothing fails
 */
export function scenariosOf(variant: Variant, step: Step, calls: readonly string[]): Scenario[] {
	const first = 5 * variants.indexOf(variant) + 3 * steps.indexOf(step);
	const isFull = variant.full === true && step.plain === true;
	return calls
		.flatMap((call, index) => {
			const own = callFaults[(first + index) % callFaults.length];
			return callFaults
				.filter((fault) => ALL_FAULTS || fault === own || (isFull && fault.group === 'timeout'))
				.map((fault): Scenario => ({ variant, step, index, call, fault }));
		})
		.sort(slowestFirst);
}

/** A timeout keeps a scenario waiting for 10 s and more, at next to no cost. */
function slowestFirst(a: Scenario, b: Scenario): number {
	return Number(b.fault.group === 'timeout') - Number(a.fault.group === 'timeout');
}

/** A clean publish after the fault, and what is wrong then. */
export async function conclude(
	{ variant, step, index, call, fault }: Scenario,
	harness: Harness,
	{ calls, refused, ...before }: Pick<Outcome, 'refused' | 'problems'> & { calls: string[] },
): Promise<Outcome> {
	const after = await harness.verdict().catch((error: Error) => [error.message]);
	const problems = [...before.problems, ...after];
	if (calls[index] !== call) problems.push(`the fault met ${calls[index] ?? 'no call'}`);
	return {
		title: variant.title,
		step: step.name,
		call: `${index + 1} ${call}`,
		group: fault.group,
		fault: fault.name,
		refused,
		problems,
	};
}
