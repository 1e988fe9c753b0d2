import type { IDataObject, ITriggerFunctions } from 'n8n-workflow';

import type { Owner } from '../perTrigger';
import { copyState, type NodeMemory } from './record';
import { lastRegistration } from './registering';
import type { RunStarter } from './runStarter';
import { stateItem } from './triggerRun';

/**
 * A copy of what a trigger remembers, for its checks to work on: static data as a check sees it is as old
 * as the activation, and n8n would write it over what others saved.
 */
export class StateCopy {
	private state: IDataObject = {};
	/** What of it is saved, as JSON. */
	private saved = '';
	/** A check has changed it, so that n8n's copy is out of date. */
	private diverged = false;
	/** The registration by n8n's hooks that it is based on. */
	private basis = 0;

	constructor(
		private readonly context: ITriggerFunctions,
		private readonly owner: Owner,
		private readonly starter: RunStarter,
	) {}

	/** What the trigger remembers: as n8n's hooks left it at the activation, until a check changes it. */
	memory(): NodeMemory {
		const { context } = this;
		const last = lastRegistration(this.owner);
		if (!this.diverged || this.basis !== last) {
			this.state = copyState(context);
			// What a check changed before the hooks did may have been saved after them.
			this.saved = this.diverged ? '' : JSON.stringify(this.state);
			this.diverged = false;
			this.basis = last;
		}
		return {
			getNode: () => context.getNode(),
			getWorkflow: () => context.getWorkflow(),
			getWorkflowStaticData: () => this.state,
		};
	}

	/** Whether n8n's hooks have registered the endpoint since it was made. */
	isOutdated(): boolean {
		return this.basis !== lastRegistration(this.owner);
	}

	/**
	 * Saves what changed, in a run of its own: only a run sees the current static data.
	 * @param begunAt epoch milliseconds at which the check began
	 * @throws Error when the run failed, or did not end in time
	 */
	async save(memory: NodeMemory, begunAt: number): Promise<void> {
		const state = copyState(memory);
		const text = JSON.stringify(state);
		if (text === this.saved) return;
		this.diverged = true;
		await this.starter.runShortly(stateItem(state, begunAt));
		this.saved = text;
	}
}
