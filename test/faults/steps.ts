import type { Harness } from './harness';

/** A step in a workflow's life that makes n8n call the provider. */
export interface Step {
	readonly name: string;
	/** Starts from a state in which no call has failed or been undone. */
	readonly plain?: true;
	/** Brings a fresh harness to where the step starts. */
	readonly prepare: (harness: Harness) => Promise<void>;
	/** Absent for a restart of n8n, which all harnesses share. */
	readonly run?: (harness: Harness) => Promise<void>;
}

const publish = async (harness: Harness) => await harness.publish();
const publishWell = async (harness: Harness) => await harness.publishWell();

const publishSteps = [
	{ name: 'publish', plain: true, prepare: async () => {}, run: publish },
	{
		name: 'unpublish',
		plain: true,
		prepare: publishWell,
		run: async (harness) => await harness.unpublish(),
	},
	{
		name: 'republish, edited',
		plain: true,
		prepare: async (harness) => {
			await harness.publishWell();
			await harness.edit();
		},
		run: publish,
	},
	{
		// Where n8n could not delete, it unpublishes all the same: an endpoint is left that has to be changed.
		name: 'publish, edited, over what a failed unpublish left',
		prepare: async (harness) => {
			await harness.publishWell();
			harness.arm(0, { method: 'DELETE', kind: 'status', status: 500 });
			await harness.unpublish();
			harness.sandbox.clearFaults();
			await harness.edit();
		},
		run: publish,
	},
] as const satisfies readonly Step[];

/** All harnesses share the restart. */
export const restartSteps = [
	{ name: 'restart', plain: true, prepare: publish },
	{
		name: 'restart after a drift',
		prepare: async (harness) => {
			await harness.publishWell();
			harness.drift();
		},
	},
] as const satisfies readonly Step[];

/** A step that a user takes. */
export type UserStep = Step & Required<Pick<Step, 'run'>>;

export const userSteps: readonly UserStep[] = publishSteps;

export const steps: readonly Step[] = [...publishSteps, ...restartSteps];
