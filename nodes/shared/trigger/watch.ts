import { createHash } from 'node:crypto';

import { type ITriggerFunctions, type ITriggerResponse } from 'n8n-workflow';

import { hideSecrets } from '../api/hideSecrets';
import { readCredential, requireSecrets } from '../credential';
import { eventsToRegister } from '../events';
import { messageOf, warn } from '../log';
import { requireProduct, selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { Recovery } from '../recovery/recovery';
import type { Plan } from '../registration/plan';
import { mayHaveLeftOne, reconcile } from '../registration/reconcile';
import { openSession, type EndpointSession } from '../registration/session';
import { readSettings, type TriggerSettings } from '../settings';
import { Attempts } from '../state/attempts';
import { endpointLock, type EndpointLock } from '../state/endpointLock';
import { ownerOf, type Owner } from '../state/perTrigger';
import { problemSource } from '../state/problem';
import { problemsOf } from '../state/problems';
import { differencesText } from '../state/problemText';
import { announce } from '../state/publishedTriggers';
import { RecordStore } from '../state/recordStore';
import { Runs } from '../state/runs';
import { recordsFor } from '../state/triggerState';
import { startRunsWith } from './answerAfterRun';
import { reportReach } from './reportReach';

const MINUTE_MS = 60_000;
/** In minutes: the longest wait before a failed check is repeated, if the node is checked only when n8n starts. */
const RETRY_MINUTES = 30;
/** How long a tick may start runs for missed events: the next one follows after a minute. */
const SLICE_MS = 45_000;
/** Failed checks in a row after which the provider counts as unreachable. */
const UNREACHABLE_AFTER = 2;
/** Activations when n8n starts, for whose effect nobody waits. */
const AUTOMATIC_ACTIVATIONS: readonly unknown[] = ['init', 'leadershipChange'];

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
		const isChecked = settings.registration === 'automatic';
		if (isChecked || settings.reportProblems || settings.recoverMissed) {
			const expression = `${watch.phaseSeconds % 60} * * * * *` as const;
			// n8n neither waits for it nor catches what it throws.
			context.helpers.registerCron({ expression }, () => void watch.tick(Date.now()));
			// Of all that n8n does for a trigger when it starts, this would take longest, and it repeats every ten seconds.
			if (!AUTOMATIC_ACTIVATIONS.includes(context.getActivationMode())) {
				context.helpers.registerCron(
					{ expression: '*/10 * * * * *' },
					() => void watch.tickSoon(Date.now()),
				);
			}
		}
		const owner = ownerOf(context);
		const stopStartingRuns = startRunsWith(context, owner);
		const withdraw = announce({ context, owner, provider, settings });
		watch.askWhetherReached();
		return {
			closeFunction: async () => {
				stopStartingRuns();
				withdraw();
				watch.close();
			},
		};
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
	private readonly attempts: Attempts;
	private readonly runs: Runs;
	private readonly store: RecordStore;
	private readonly recovery: Recovery | undefined;
	private isBusy = false;
	private isClosed = false;

	constructor(
		private readonly context: ITriggerFunctions,
		private readonly family: ProviderFamily,
		private readonly provider: Provider,
		private readonly settings: TriggerSettings,
	) {
		this.owner = ownerOf(context);
		const { workflowId, nodeId } = this.owner;
		const digest = createHash('sha256').update(`${workflowId} ${nodeId}`).digest();
		const minutes = settings.checkInterval || RETRY_MINUTES;
		this.phaseSeconds = digest.readUInt32BE() % (minutes * 60);
		this.attempts = new Attempts(minutes);
		this.runs = new Runs(context, this.owner);
		this.store = RecordStore.ofCheck(this.owner, async () => await this.runs.save());
		this.recovery = this.openRecovery();
	}

	private get lock(): EndpointLock {
		return endpointLock(this.owner);
	}

	/** Ends the checks. */
	close(): void {
		this.isClosed = true;
		this.runs.close();
	}

	/** Finds out after a publish whether the webhook URL leads to this n8n. Nobody waits for it. */
	askWhetherReached(): void {
		const { context, owner, lock } = this;
		const url = lock.publishedUrl;
		if (!lock.isReachUnknown || url === undefined) return;
		lock.isReachUnknown = false;
		void reportReach(context, owner, url, () => !this.isClosed);
	}

	/**
	 * Called each minute. Never throws, and does nothing while the last call is still running.
	 * @param now epoch milliseconds
	 */
	async tick(now: number): Promise<void> {
		this.runs.expire(now);
		if (this.isBusy || this.isClosed) return;
		this.isBusy = true;
		try {
			if (this.isDue(now)) {
				this.recovery?.request();
				if (this.isAutomatic) await this.lock.tryCheck(async () => await this.check(now));
			}
			if (this.recovery !== undefined) await this.recovery.work(now, now + SLICE_MS);
			this.report(Date.now());
		} catch (error) {
			warn(this.context, `Checking this trigger's endpoint failed: ${messageOf(error)}`);
		} finally {
			this.isBusy = false;
		}
	}

	/** Called every ten seconds: somebody may be waiting for the effect of a publish. */
	async tickSoon(now: number): Promise<void> {
		this.askWhetherReached();
		if (this.lock.nextCheck === 'atOnce') await this.tick(now);
	}

	private get isAutomatic(): boolean {
		return this.settings.registration === 'automatic';
	}

	private isDue(now: number): boolean {
		if (this.attempts.mustWait(now)) return false;
		const isWanted = ['withinAMinute', 'atOnce'].includes(this.lock.nextCheck);
		if (this.isAutomatic && (isWanted || this.attempts.failed > 0 || this.store.isUnsaved)) {
			return true;
		}
		const { checkInterval } = this.settings;
		if (checkInterval === 0) return false;
		const minute = Math.round(now / MINUTE_MS - this.phaseSeconds / 60);
		return minute % checkInterval === 0;
	}

	private async check(now: number): Promise<void> {
		const { lock, store } = this;
		const { generation } = lock;
		const isOvertaken = () => this.isClosed || lock.generation !== generation;
		const assertCurrent = () => {
			if (isOvertaken()) throw new Error('the workflow was published or unpublished meanwhile');
		};
		let session: EndpointSession | undefined;
		try {
			await store.commit();
			session = await this.openSession(assertCurrent);
			if (session !== undefined) {
				const formerId = store.state.registration?.endpointId;
				const plan = await reconcile(session, lock.nextCheck !== 'ordinary');
				assertCurrent();
				lock.nextCheck = mayHaveLeftOne(plan, store.state) ? 'thorough' : 'ordinary';
				this.tell(plan, formerId);
				// An endpoint that was not seen clearly is not known to be in order.
				if (plan.do !== 'leave') problemsOf(this.owner).inOrder(now);
			}
			await store.commit();
			this.succeeded();
		} catch (error) {
			// The hook that overtook this check, or the next check, looks for what it may have left.
			if (isOvertaken()) lock.nextCheck = 'atOnce';
			else this.failed(error, session, now);
		}
	}

	/** @returns undefined before n8n's hooks have registered anything */
	private async openSession(assertCurrent: () => void): Promise<EndpointSession | undefined> {
		const { context, family, provider, settings, store, lock } = this;
		const { record } = recordsFor(store.state, provider);
		const url = lock.publishedUrl ?? record?.url;
		if (url === undefined || store.state.registration === undefined) return undefined;
		assertCurrent();
		const credential = await readCredential(context, provider);
		requireProduct(context, family, provider, credential, 'trigger');
		requireSecrets(context, credential);
		const events = eventsToRegister(provider, settings.events);
		return openSession(
			{ context, store, provider, credential, isTest: false, url, events, assertCurrent },
			settings,
		);
	}

	/** Reports what was repaired. */
	private tell(plan: Plan, formerId: string | undefined): void {
		const { context, owner, provider, store } = this;
		if (plan.do === 'keep' || plan.do === 'leave' || plan.why.length === 0) return;
		const endpointId = store.state.registration?.endpointId ?? '';
		problemsOf(owner).repaired(plan.why, endpointId, Date.now());
		warn(
			context,
			`Endpoint ${formerId} of ${provider.displayName} ${differencesText(plan.why)}. It was repaired; the endpoint is now ${endpointId}`,
		);
	}

	private succeeded(): void {
		if (!this.attempts.noteSuccess()) return;
		problemsOf(this.owner).reachable();
		this.context.logger.info(`${this.provider.displayName} is reachable again`, {
			workflowId: this.owner.workflowId,
			node: this.context.getNode().name,
		});
	}

	private failed(error: unknown, session: EndpointSession | undefined, now: number): void {
		if (this.lock.nextCheck === 'ordinary') this.lock.nextCheck = 'thorough';
		const reason = hideSecrets(messageOf(error), session?.credential.secrets ?? []);
		if (this.attempts.noteFailure(error, reason, now)) {
			warn(this.context, `The endpoint of this trigger could not be checked: ${reason}`);
		}
		if (this.attempts.failed === UNREACHABLE_AFTER) {
			problemsOf(this.owner).unreachable(reason, this.attempts.since);
		}
	}

	private openRecovery(): Recovery | undefined {
		const { context, owner, provider, settings, runs, store } = this;
		const { recovery: api } = provider;
		if (api === undefined || !settings.recoverMissed) return undefined;
		return new Recovery({
			context,
			owner,
			provider,
			api,
			settings,
			runs,
			store,
			isClosed: () => this.isClosed,
		});
	}

	private report(now: number): void {
		if (!this.settings.reportProblems || this.isClosed) return;
		const source = problemSource(this.context, this.provider);
		const problems = problemsOf(this.owner).takeAll(source, now);
		if (problems.length > 0) this.context.emit([problems.map((json) => ({ json }))]);
	}
}
