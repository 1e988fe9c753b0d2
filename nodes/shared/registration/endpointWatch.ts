import { createHash } from 'node:crypto';

import { type ITriggerFunctions, type ITriggerResponse } from 'n8n-workflow';

import { managementOf } from '../api/endpoints';
import { hideSecrets } from '../api/hideSecrets';
import { backoffMs, pauseMs } from '../backoff';
import { readCredential } from '../credential';
import { eventsToRegister } from '../events';
import { messageOf, warn } from '../log';
import type { Owner } from '../perTrigger';
import { problemsOf } from '../problems';
import { requireProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { Recovery } from '../recovery/recovery';
import { readSettings, type TriggerSettings } from '../settings';
import { removeOrWarn } from './provision';
import { checkAndRepair } from './reconcile';
import { loadRecord, ownerOf, type NodeMemory } from './record';
import { checking, noteInterruption, takeInterruption } from './registering';
import { RunStarter } from './runStarter';
import { StateCopy } from './stateCopy';
import { openTarget, type Target } from './target';

const MINUTE_MS = 60_000;
/** Longest wait before a failed check is repeated where the node is checked at starts only. */
const RETRY_MINUTES = 30;
/** How long a tick may start runs for missed events: the next one follows after a minute. */
const SLICE_MS = 45_000;
/** Failed checks in a row after which the provider counts as unreachable. */
const UNREACHABLE_AFTER = 2;

/**
 * n8n's `trigger()`: checks the endpoint from time to time while the workflow is published, repairs
 * it, and reports problems. Because the node has a `trigger()`, n8n also calls its `checkExists` at each
 * start.
 *
 * Never throws, because n8n would give the trigger up.
 * @returns an object in any case: without one n8n registers the node again every 10 seconds
 */
export async function watchEndpoint(
	context: ITriggerFunctions,
	family: ProviderFamily,
): Promise<ITriggerResponse> {
	try {
		const provider = selectProvider(context, family);
		const settings = readSettings(context, provider);
		const watch = new EndpointWatch(context, family, provider, settings);
		const checked = settings.registration === 'automatic';
		if (checked || settings.reportProblems || settings.recoverMissed) {
			const expression = `${watch.phaseSeconds % 60} * * * * *` as const;
			// n8n does not wait for it, nor catch what it throws.
			context.helpers.registerCron({ expression }, () => void watch.tick(Date.now()));
		}
		return { closeFunction: async () => watch.close() };
	} catch (error) {
		warn(context, `The endpoint of this trigger will not be checked: ${messageOf(error)}`);
		return {};
	}
}

/**
 * Checks one trigger's endpoint. Called each minute, at a second of the node's own, so that many
 * workflows do not call a provider at once.
 */
export class EndpointWatch {
	/** Seconds by which the node's checks are shifted. */
	readonly phaseSeconds: number;

	private readonly owner: Owner;
	private busy = false;
	private closed = false;
	/** The last check or start was interrupted, so endpoints may be left over. */
	private brokeOff = false;
	/** Epoch milliseconds at which the last check began. */
	private begunAt = 0;
	/** Failed checks in a row, epoch milliseconds of the first one, and when to try again. */
	private failures = { count: 0, since: 0, retryAt: 0 };
	/** Epoch milliseconds before which the provider asked not to be called. */
	private pausedUntil = 0;
	private lastWarning = '';
	private getIsServed = true;
	private readonly starter: RunStarter;
	private readonly stateCopy: StateCopy;
	private readonly recovery: Recovery | undefined;

	constructor(
		private readonly context: ITriggerFunctions,
		private readonly family: ProviderFamily,
		private readonly provider: Provider,
		private readonly settings: TriggerSettings,
	) {
		this.owner = ownerOf(context);
		const { workflowId, nodeId } = this.owner;
		const digest = createHash('sha256').update(`${workflowId} ${nodeId}`).digest();
		const period = (settings.checkInterval || RETRY_MINUTES) * 60;
		this.phaseSeconds = digest.readUInt32BE() % period;
		this.starter = new RunStarter(context);
		this.stateCopy = new StateCopy(context, this.owner, this.starter);
		this.recovery = this.openRecovery();
	}

	/** Ends the checks; one that is under way undoes what it created. */
	close(): void {
		this.closed = true;
	}

	/**
	 * One minute has passed. Never throws, and does nothing while the last call is still running.
	 * @param now epoch milliseconds
	 */
	async tick(now: number): Promise<void> {
		this.starter.giveUpOverdue(now);
		if (this.busy || this.closed) return;
		this.busy = true;
		try {
			if (this.isDue(now)) {
				this.recovery?.request();
				const automatic = this.settings.registration === 'automatic';
				if (automatic) await checking(this.owner, async () => await this.check(now));
			}
			if (this.recovery !== undefined) await this.recovery.work(now, now + SLICE_MS);
			this.report(Date.now());
		} catch (error) {
			warn(this.context, `The check of this trigger’s endpoint ended early: ${messageOf(error)}`);
		} finally {
			this.busy = false;
		}
	}

	private isDue(now: number): boolean {
		if (now < this.pausedUntil) return false;
		if (takeInterruption(this.owner)) {
			this.brokeOff = true;
			return true;
		}
		const { count, retryAt } = this.failures;
		if (count > 0) return now >= retryAt;
		const { checkInterval } = this.settings;
		if (checkInterval === 0) return false;
		const minute = Math.round(now / MINUTE_MS - this.phaseSeconds / 60);
		return minute % checkInterval === 0;
	}

	private async check(now: number): Promise<void> {
		this.begunAt = now;
		const memory = this.stateCopy.memory();
		const record = loadRecord(memory, this.provider);
		// Version 0.1.0 did not keep the URL; the check at the next start adds it.
		if (record?.url === undefined) return;
		let target: Target | undefined;
		try {
			await this.persist(memory);
			target = await this.openTarget(memory, record.url);
			await checkAndRepair(target, this.brokeOff);
			await this.persist(memory);
			this.succeeded();
		} catch (error) {
			if (!this.isOvertaken()) return this.failed(error, target, now);
			// What it leaves behind is for whoever has overtaken it to look for.
			noteInterruption(this.owner);
			await undo(target, memory, record.endpointId);
		}
	}

	/** Whether the endpoint is no longer this check's: unpublished, or registered by n8n's hooks meanwhile. */
	private isOvertaken(): boolean {
		return this.closed || this.stateCopy.isOutdated();
	}

	private assertNotOvertaken(): void {
		if (this.isOvertaken()) {
			throw new Error('the workflow was published or unpublished meanwhile');
		}
	}

	private openRecovery(): Recovery | undefined {
		const { context, owner, provider, settings, starter, stateCopy } = this;
		const { recovery: api } = provider;
		if (api === undefined || !settings.recoverMissed) return undefined;
		return new Recovery({
			context,
			owner,
			provider,
			api,
			settings,
			starter,
			memory: () => stateCopy.memory(),
			persist: async (memory) => await this.persist(memory),
			isClosed: () => this.closed,
		});
	}

	private async openTarget(memory: NodeMemory, url: string): Promise<Target> {
		const { context, family, provider, settings } = this;
		const management = managementOf(provider);
		const credential = await readCredential(context, provider);
		requireProduct(context, family, provider, credential, 'trigger');
		const { get, ...operations } = management.operations;
		const place = {
			context,
			memory,
			persist: async () => await this.persist(memory),
			assertNotOvertaken: () => this.assertNotOvertaken(),
			onGetNotServed: () => {
				this.getIsServed = false;
			},
		};
		const served =
			this.getIsServed || get === undefined ? management : { ...management, operations };
		const wanted = { ...settings, url, events: eventsToRegister(provider, settings.events) };
		return openTarget(place, provider, served, credential, wanted);
	}

	/** @throws when the check was overtaken or the state could not be saved */
	private async persist(memory: NodeMemory): Promise<void> {
		this.assertNotOvertaken();
		await this.stateCopy.save(memory, this.begunAt);
		this.assertNotOvertaken();
	}

	private succeeded(): void {
		const { count } = this.failures;
		this.failures = { count: 0, since: 0, retryAt: 0 };
		this.brokeOff = false;
		this.lastWarning = '';
		if (count === 0) return;
		problemsOf(this.owner).reachable();
		this.context.logger.info(`${this.provider.displayName} could be asked for the endpoint again`, {
			workflowId: this.owner.workflowId,
			node: this.context.getNode().name,
		});
	}

	private failed(error: unknown, target: Target | undefined, now: number): void {
		const reason = hideSecrets(messageOf(error), target?.credential.secrets ?? []);
		if (reason !== this.lastWarning) {
			warn(this.context, `The endpoint of this trigger could not be checked: ${reason}`);
			this.lastWarning = reason;
		}
		this.pausedUntil = now + pauseMs(error);
		this.brokeOff = true;
		const { count, since } = this.failures;
		const retryAt = now + backoffMs(count, this.settings.checkInterval || RETRY_MINUTES);
		this.failures = { count: count + 1, since: count === 0 ? now : since, retryAt };
		if (this.failures.count === UNREACHABLE_AFTER) {
			problemsOf(this.owner).unreachable(reason, this.failures.since, now);
		}
	}

	private report(now: number): void {
		if (!this.settings.reportProblems || this.closed) return;
		const problems = problemsOf(this.owner).takeAll(this.provider, now);
		if (problems.length > 0) this.context.emit([problems.map((json) => ({ json }))]);
	}
}

/** Removes what a check created that was overtaken. */
async function undo(
	target: Target | undefined,
	memory: NodeMemory,
	formerId: string,
): Promise<void> {
	if (target === undefined) return;
	const record = loadRecord(memory, target.provider);
	if (record !== undefined && record.endpointId !== formerId) {
		await removeOrWarn(target, record.endpointId);
	}
}
