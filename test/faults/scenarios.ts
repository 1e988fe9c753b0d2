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

/** Of the faults one in so many is played where not all are; `ALL_FAULTS=1` plays all everywhere. */
const SHARES = process.env['ALL_FAULTS'] === '1' ? 1 : 10;

/**
 * The scenarios of one step, slowest first. Each call meets a tenth of the faults, the next tenth at
 * the next call, at least two in a step, and two further in the next step: so each variant meets every
 * fault. In a plain step of a full variant each call meets the timeouts as well; all that is answered
 * meets them in test/context/registrationFaults, at a fraction of the cost.
 *
 * @param calls - those that the step makes when nothing fails
 */
export function scenariosOf(variant: Variant, step: Step, calls: readonly string[]): Scenario[] {
	const at = (index: number, faults: readonly CallFault[]): Scenario[] => {
		const call = calls[index];
		return call === undefined ? [] : faults.map((fault) => ({ variant, step, index, call, fault }));
	};
	const first = variants.indexOf(variant) + 2 * steps.indexOf(step);
	const isFull = variant.full === true && step.plain === true;
	return Array.from({ length: Math.max(calls.length, 2) }, (_, share) =>
		at(
			Math.min(share, calls.length - 1),
			callFaults.filter(
				({ group }, index) =>
					(first + share + index) % SHARES === 0 ||
					(isFull && share < calls.length && group === 'timeout'),
			),
		),
	)
		.flat()
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
