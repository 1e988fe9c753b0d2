import { howToGetSecret, type ProviderCredential } from '../../credential';
import { ALL_EVENTS, canonicalEvent, eventsToRegister } from '../../events';
import type { Provider } from '../../provider';
import { isProven, reachText } from '../../registration/reach';
import { webhookUrlObjection } from '../../registration/webhookUrl';
import { hasFailed, statusOf } from '../delivery/attempt';
import type { Findings } from './findings';

/** The result of a diagnosis. */
export interface Verdict {
	/** A word for it, for the next node. */
	readonly finding: string;
	/** Null where it cannot be told from here. */
	readonly inOrder: boolean | null;
	/** What is the matter and what to do: sentences for a person. */
	readonly verdict: string;
}

/** What a verdict is based on. */
export interface Case extends Findings {
	readonly provider: Provider;
	readonly credential: Pick<ProviderCredential, 'baseUrl' | 'signingSecret'>;
}

/** What can be wrong, in the order to look at it: the first fault that applies gives the verdict. */
const FAULTS: ReadonlyArray<readonly [finding: string, (of: Case) => string | undefined]> = [
	['testUrl', testUrl],
	['addressPrivate', privateAddress],
	['providerNotAsked', ({ failure }) => failure],
	['endpointMissing', missingEndpoint],
	['endpointSwitchedOff', switchedOff],
	['eventsDiffer', differingEvents],
	['addressUnreachable', unreachableAddress],
	['secretMissing', missingSecret],
	['deliveriesRefused', refusedDeliveries],
	['testNotReceived', lostTest],
	['deliveriesFailed', failedDeliveries],
	['conditionsNotMet', unmetConditions],
	['eventsNotSelected', ignoredEvents],
];

/** Derives the verdict from the findings: what is wrong, and what to do. Pure. */
export function verdictOn(of: Case): Verdict {
	for (const [finding, says] of FAULTS) {
		const verdict = says(of);
		if (verdict !== undefined) return { finding, inOrder: false, verdict };
	}
	return withoutFault(of);
}

function testUrl({ url }: Case): string | undefined {
	if (!url.includes('/webhook-test/')) return undefined;
	return `${url} is a Test URL, at which n8n answers only while the editor listens. Publish the workflow, and use its Production URL.`;
}

function privateAddress({ url, provider, credential }: Case): string | undefined {
	const objection = webhookUrlObjection(url, credential.baseUrl);
	if (objection === undefined) return undefined;
	return `${provider.displayName} cannot deliver to this webhook URL: ${objection}. Set N8N_WEBHOOK_URL (WEBHOOK_URL in n8n 1.x) to the public https:// address of this n8n, or use a tunnel, then publish again.`;
}

function missingEndpoint({ url, provider, endpoint, trigger }: Case): string | undefined {
	if (endpoint !== 'absent') return undefined;
	const what = `The account of this credential has no endpoint of ${provider.displayName} with the webhook URL ${url}.`;
	if (trigger === undefined) {
		return `${what} Publish the workflow with Registration set to Automatic, or add the URL in the dashboard.`;
	}
	return trigger.settings.registration === 'manual'
		? `${what} Registration of the trigger is Manual: add the URL in the dashboard, or choose Automatic and publish again.`
		: `${what} If the trigger uses another credential, choose that one here. Otherwise unpublish the workflow and publish it again, which registers the endpoint.`;
}

function switchedOff({ provider, endpoint, trigger }: Case): string | undefined {
	if (typeof endpoint !== 'object' || endpoint.active) return undefined;
	const { switchesOffAfter } = provider.envelope;
	const why =
		switchesOffAfter === undefined
			? ''
			: ` ${provider.displayName} does that after ${switchesOffAfter} failed deliveries in a row.`;
	const remedy =
		trigger?.settings.registration === 'automatic'
			? 'Publish the workflow again, which switches it on.'
			: 'Switch it on in the dashboard, or with Endpoint → Update where that is offered.';
	return `Endpoint ${endpoint.id} is switched off, so ${provider.displayName} sends nothing to it.${why} ${remedy}`;
}

function differingEvents({ provider, endpoint, trigger }: Case): string | undefined {
	if (typeof endpoint !== 'object' || trigger === undefined) return undefined;
	const { id, events = [ALL_EVENTS] } = endpoint;
	if (events.length === 0 || events.includes(ALL_EVENTS)) return undefined;
	const sent = new Set(events.map((name) => canonicalEvent(provider, name)));
	const missing = eventsToRegister(provider, trigger.settings.events).filter(
		(name) => !sent.has(canonicalEvent(provider, name)),
	);
	if (missing.length === 0) return undefined;
	return `Endpoint ${id} is not registered for ${missing.join(', ')}, which the trigger waits for. Publish the workflow again, or choose ${missing.length === 1 ? 'it' : 'them'} in the dashboard.`;
}

function unreachableAddress({ reach, url }: Case): string | undefined {
	return reach !== undefined && isProven(reach) ? reachText(reach, url) : undefined;
}

function missingSecret({ provider, credential, trigger }: Case): string | undefined {
	if (credential.signingSecret !== '' || trigger?.settings.acceptUnverified === true) return;
	const isManual = provider.api === undefined || trigger?.settings.registration === 'manual';
	if (!isManual) return undefined;
	return `The credential holds no signing secret, so no delivery of ${provider.displayName} can be verified. ${howToGetSecret(provider)}.`;
}

function refusedDeliveries({ counts, trigger }: Case): string | undefined {
	if (counts === undefined || counts.lastVerifiedAt !== null) return undefined;
	const reasons = Object.entries(counts.refused);
	if (reasons.length === 0) return undefined;
	const remedy =
		trigger?.settings.registration === 'automatic'
			? 'Unpublish the workflow and publish it again, which registers the endpoint with a secret that this n8n knows.'
			: 'Compare the Signing Secret in the credential with the one that the provider uses for this endpoint.';
	return `Deliveries arrive, but since ${counts.since} all were refused: ${listed(reasons)}. ${remedy}`;
}

function lostTest({ provider, test, attempts }: Case): string | undefined {
	if (test === undefined) return undefined;
	if ('failure' in test) return `A test could not be sent. ${test.failure}`;
	if (test.verifiedAfterMs !== undefined) return undefined;
	const [last] = attempts ?? [];
	const answer = last && statusOf(last);
	const log =
		answer === undefined
			? 'The webhook URL may not be reachable from outside your network.'
			: `It was answered with HTTP ${answer}.`;
	return `${provider.displayName} was asked to send a test delivery, but no valid one arrived within 10 seconds. ${log} See the log of deliveries in its dashboard.`;
}

function failedDeliveries({ provider, test, attempts, counts }: Case): string | undefined {
	const [last] = attempts ?? [];
	if (last === undefined || !hasFailed(last) || test !== undefined) return undefined;
	if (counts !== undefined && counts.lastVerifiedAt !== null) return undefined;
	const status = statusOf(last);
	const answer = status === undefined ? 'without an answer' : `with HTTP ${status}`;
	return `The last delivery of ${provider.displayName} ended ${answer}. ${remedyFor(status)}`;
}

function remedyFor(status: number | undefined): string {
	switch (status) {
		case undefined:
			return 'Open the webhook URL from outside your network: any answer from n8n means that it is reachable.';
		case 401:
			return 'The signature did not verify: compare the Signing Secret in the credential with the one that the provider uses for this endpoint.';
		case 404:
			return 'n8n has no webhook at this URL: publish the workflow, and check that the endpoint has its Production URL.';
		default:
			return 'n8n or a proxy in front of it refused it: their logs say why.';
	}
}

function ignoredEvents({ counts }: Case): string | undefined {
	const names = Object.entries(counts?.ignored ?? {});
	if (counts === undefined || counts.accepted > 0 || names.length === 0) return undefined;
	return `Deliveries arrive and verify, but the trigger does not select their events: ${listed(names)}. Choose them in the trigger.`;
}

function unmetConditions({ counts }: Case): string | undefined {
	const names = Object.entries(counts?.unmet ?? {});
	if (counts === undefined || counts.accepted > 0 || names.length === 0) return undefined;
	return `Deliveries arrive and verify, but do not meet the conditions of the trigger: ${listed(names)}. See its Options → Conditions.`;
}

/** Nothing is known to be wrong; that says little if little is known. */
function withoutFault({ url, provider, trigger, endpoint, reach, counts, test }: Case): Verdict {
	const { displayName } = provider;
	if (test !== undefined && 'verifiedAfterMs' in test && test.verifiedAfterMs !== undefined) {
		const seconds = (test.verifiedAfterMs / 1000).toFixed(1);
		return sound(
			'verified',
			`A test of ${displayName} arrived and was verified after ${seconds} s. ${wishesOf(trigger)}`,
		);
	}
	if (counts !== undefined && counts.accepted > 0) {
		return sound(
			'arriving',
			`Deliveries arrive and start the workflow: ${counts.accepted} since ${counts.since}, the last one at ${counts.lastAcceptedAt}.`,
		);
	}
	if (trigger === undefined && endpoint === undefined) {
		return unclear(
			`This process of n8n knows no published trigger with the webhook URL ${url}, and ${displayName} could not be asked. Publish the workflow, and run this in the n8n that it is published in.`,
		);
	}
	if (reach !== undefined && reach.outcome !== 'reached') return unclear(reachText(reach, url));
	const since = counts === undefined ? '' : ` since ${counts.since}`;
	return sound(
		'nothingYet',
		`Everything that can be checked is in order, but nothing has arrived${since}. ${wishesOf(trigger)}`,
	);
}

function sound(finding: string, verdict: string): Verdict {
	return { finding, inOrder: true, verdict };
}

function unclear(verdict: string): Verdict {
	return { finding: 'unclear', inOrder: null, verdict };
}

function wishesOf(trigger: Case['trigger']): string {
	if (trigger === undefined) return 'The next event will arrive at that URL.';
	const { events } = trigger.settings;
	const names = events.includes(ALL_EVENTS) ? 'any event' : events.join(', ');
	return `The workflow starts with the next one of: ${names}.`;
}

function listed(counts: ReadonlyArray<readonly [name: string, count: number]>): string {
	return counts.map(([name, count]) => `${name} (${count})`).join(', ');
}
