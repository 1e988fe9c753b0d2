import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';

import type { AcceptedDelivery, Rejection } from '../delivery/accept';
import { carriesHeaderOf } from '../delivery/refusalCause';
import { logIgnored } from '../delivery/trace';
import { warn } from '../log';
import type { Provider, ProviderFamily } from '../provider';
import type { TriggerSettings } from '../settings';
import type { SignedRequest } from '../signature';
import { commandItem } from '../state/commands';
import { countsOf, DeliveryCounts } from '../state/deliveryCounts';
import type { Owner } from '../state/perTrigger';
import { problemSource } from '../state/problem';
import { ProblemLog, problemsOf } from '../state/problems';

/**
 * Reports a delivery that starts no run. While somebody listens for a test event, that person is told: an item ends the
 * listening, and `execute()` turns it into an error. Otherwise the report goes to the output Problem if there is one,
 * or to n8n's log while nothing has verified yet.
 */
export class DeliveryReport {
	/** A test has its own log and counts, so that it does not count for the published workflow. */
	private readonly problems: ProblemLog;
	private readonly isTest: boolean;
	private readonly counts: DeliveryCounts;

	constructor(
		private readonly context: IWebhookFunctions,
		private readonly family: ProviderFamily,
		private readonly provider: Provider,
		private readonly settings: TriggerSettings,
		private readonly owner: Owner,
	) {
		this.isTest = context.getMode() === 'manual';
		this.problems = this.isTest ? new ProblemLog() : problemsOf(owner);
		this.counts = this.isTest ? new DeliveryCounts() : countsOf(owner);
	}

	/** A delivery's signature is valid. */
	verified(): void {
		this.counts.verified(Date.now());
		this.problems.verified(Date.now());
	}

	/** A delivery starts a run. @param usedPrevious whether it was verified by the previous signing secret */
	accepted({ event }: AcceptedDelivery, usedPrevious?: () => boolean): void {
		const now = Date.now();
		this.counts.accepted(now);
		if (!this.settings.reportProblems) return;
		if (event.isUnknown || event.warnings.length > 0) this.problems.unknownEvent(event.name, now);
		if (usedPrevious?.() === true) this.problems.verifiedByPreviousSecret(now);
	}

	/**
	 * A delivery was refused.
	 * @param explain says why, and what to do
	 * @returns an item to start a run with
	 */
	refused(
		reason: string,
		headers: SignedRequest['headers'],
		explain: () => string,
	): IDataObject | undefined {
		const { context, family, problems, settings, isTest } = this;
		this.counts.refused(reason, Date.now());
		// Anybody may send anything to a webhook: a request without the provider's headers does not end listening.
		const isOfProvider = carriesHeaderOf(family, headers);
		if (isTest) {
			return isOfProvider
				? tell(`A delivery arrived and was refused: ${reason}`, explain())
				: undefined;
		}
		if (settings.reportProblems) {
			problems.refused(reason, Date.now());
			return this.problem('deliveriesRefused');
		}
		if (isOfProvider && !problems.hasVerified && problems.isFirst(`refused ${reason}`)) {
			warn(
				context,
				`A delivery was refused, and none has verified since n8n started: ${reason}. ${explain()}`,
			);
		}
		return undefined;
	}

	/** A delivery cannot be verified for now, and is sent again. @returns an item to start a run with */
	putOff(reason: string): IDataObject | undefined {
		this.counts.refused(reason, Date.now());
		if (this.isTest || !this.settings.reportProblems) return undefined;
		this.problems.refused(reason, Date.now(), true);
		return this.problem('deliveriesRefused');
	}

	/** A verified delivery starts nothing. @returns an item to start a run with */
	ignored(rejection: Rejection): IDataObject | undefined {
		const { context, provider, problems, settings, isTest } = this;
		const { event, reason, isUnmet } = rejection;
		logIgnored(context, this.owner, rejection);
		// A ping, which many dashboards send as soon as they have the URL, is not reported.
		if (event === undefined) return undefined;
		if (isUnmet) this.counts.unmet(event.name);
		else this.counts.ignored(event.name);
		if (isTest) {
			return tell(
				`A delivery arrived and was ignored: ${reason} (${eventTitle(provider, event.name)})`,
				`Its signature is valid, so ${provider.displayName} and the signing secret are set up correctly. ${isUnmet ? 'Change Options → Conditions, or make an event happen that meets them' : 'Choose this event too, or make one of the chosen events happen'}`,
			);
		}
		// Conditions leave events out on purpose.
		if (!settings.reportProblems || isUnmet) return undefined;
		problems.ignored(event.name, event.isUnknown, Date.now());
		return this.problem('eventsUnknown');
	}

	/** The problems to report together with an event. */
	beside(now: number): IDataObject[] {
		if (!this.settings.reportProblems) return [];
		return this.problems.takeAll(problemSource(this.context, this.provider), now);
	}

	private problem(kind: 'deliveriesRefused' | 'eventsUnknown'): IDataObject | undefined {
		return this.problems.take(kind, problemSource(this.context, this.provider), Date.now());
	}
}

function tell(message: string, description: string): IDataObject {
	return commandItem({ do: 'tell', message, description });
}

/** An event by its names in the editor and at the provider. */
function eventTitle(provider: Provider, name: string): string {
	const documented = provider.events.find((event) => event.name === name);
	return documented === undefined ? name : `${documented.label}, ${name}`;
}
