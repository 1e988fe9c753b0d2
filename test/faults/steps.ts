import type { Stage } from './stage';

/** A step in a workflow's life that makes n8n call the provider. */
export interface Step {
	readonly name: string;
	/** Starts from where no call has failed or been undone before. */
	readonly plain?: true;
	/** Brings a fresh stage to where the step starts. */
	readonly prepare: (stage: Stage) => Promise<void>;
	/** Absent for a restart of n8n, which all stages share. */
	readonly run?: (stage: Stage) => Promise<void>;
}

const publish = async (stage: Stage) => await stage.publish();

const publishSteps = [
	{ name: 'publish', plain: true, prepare: async () => {}, run: publish },
	{
		name: 'unpublish',
		plain: true,
		prepare: publish,
		run: async (stage) => await stage.unpublish(),
	},
	{
		name: 'republish, edited',
		plain: true,
		prepare: async (stage) => {
			await stage.publish();
			await stage.edit();
		},
		run: publish,
	},
	{
		// Where n8n could not delete, it unpublishes all the same: an endpoint to bring in line is left.
		name: 'publish, edited, over what a failed unpublish left',
		prepare: async (stage) => {
			await stage.publish();
			stage.arm(0, { method: 'DELETE', kind: 'status', status: 500 });
			await stage.unpublish();
			stage.sandbox.clearFaults();
			await stage.edit();
		},
		run: publish,
	},
] as const satisfies readonly Step[];

/** All stages share the restart. */
export const restartSteps = [
	{ name: 'restart', plain: true, prepare: publish },
	{
		name: 'restart after a drift',
		prepare: async (stage) => {
			await stage.publish();
			stage.drift();
		},
	},
] as const satisfies readonly Step[];

/** A step that a user takes. */
export type UserStep = Step & Required<Pick<Step, 'run'>>;

export const userSteps: readonly UserStep[] = publishSteps;

export const steps: readonly Step[] = [...publishSteps, ...restartSteps];
