import type { Difference, Happened, ProblemKind, ProblemSource } from './problem';

/** What problems say in a chat or a mail: what happened, when, and what to do. */

/** Names that a message spells out; an item has all of them. */
const MAX_NAMED = 5;

/** What was wrong with an endpoint, as n8n's log says it, too. */
const DIFFERENCE_TEXT: Readonly<Record<Difference, string>> = {
	deleted: 'was deleted',
	switchedOff: 'was switched off',
	changed: 'had a different URL or different events',
	secretChanged: 'used a secret or API key other than the credential’s',
};

/** What was wrong with an endpoint, to follow its name. */
export function differencesText(wrong: Iterable<string>): string {
	const isDifference = (name: string): name is Difference => name in DIFFERENCE_TEXT;
	const known = [...wrong].filter(isDifference);
	return known.map((difference) => DIFFERENCE_TEXT[difference]).join(' and ');
}

/** What a message is made of. */
interface Told extends Happened {
	/** What the user calls the provider. */
	readonly name: string;
	/** A time as people in the workflow's time zone write it. */
	readonly at: (epochMs: number) => string;
}

const TEXTS: Readonly<Record<ProblemKind, (told: Told) => string>> = {
	deliveriesRefused: (told) => `${refusals(told)}. ${sender(told)}`,
	verifiedByPreviousSecret: ({ name, count, last, at }) =>
		`${count === 1 ? 'A delivery was' : `${count} deliveries were`} signed with the previous signing secret, ${count === 1 ? '' : 'the last '}at ${at(last)}. Enter the new secret at ${name}, and keep the previous one in the credential until then. With automatic registration wait for the next check.`,
	endpointRepaired: ({ name, counts, missingFrom, last, at }) =>
		`The webhook endpoint ${differencesText(counts.keys())}. It was repaired at ${at(last)}. Events ${missingFrom === undefined ? 'before that' : `between ${at(missingFrom)} and then`} may be missing: see whether ${name} can send them again.`,
	endpointUnreachable: ({ facts, since, lastGoodAt, at }) =>
		`The webhook endpoint could not be checked since ${at(since)}: ${facts.reason}. ${lastGoodAt === undefined ? '' : `It was in order at ${at(lastGoodAt)}. `}Deliveries are accepted meanwhile. If this lasts, test the credential in n8n.`,
	endpointLeftBehind: ({ facts: { endpointId, url } }) =>
		`Endpoint ${endpointId} in another account still delivers${url === undefined ? '' : ` to ${url}`}, and its deliveries are refused. Delete it in the dashboard of that account.`,
	addressUnreachable: ({ facts: { reason = '' } }) => reason,
	eventsGivenUp: ({ name, counts, at, since, last }) =>
		`Runs of events failed ${period(since, last, at)}, and ${name} will not send these again: ${listed([...counts.keys()])}. Correct the cause and retry the failed executions.`,
	eventsUnknown: ({ name, counts, ignored }) =>
		`${name} sent events that differ from its documentation: ${counted(counts)}. Those that are selected have run; look at their items.${ignored.size === 0 ? '' : ` These started no run: ${counted(ignored)}. Choose them in the trigger if you need them.`}`,
};

/** One message, with the provider, the workflow and a link to it. */
export function problemMessage(
	kind: ProblemKind,
	happened: Happened,
	{ provider: { displayName }, workflow, timezone }: ProblemSource,
): string {
	const at = (epochMs: number) => timeText(epochMs, timezone);
	const text = TEXTS[kind]({ ...happened, name: displayName, at });
	const page = kind === 'eventsGivenUp' ? `${workflow.url}/executions` : workflow.url;
	return `${displayName} in workflow “${workflow.name}”: ${text} ${page}`;
}

function refusals({ count, counts, since, last, at }: Told): string {
	const when = period(since, last, at);
	if (counts.size > 1) return `Deliveries were refused ${when}: ${counted(counts)}`;
	const [reason = ''] = counts.keys();
	return `${count === 1 ? 'A delivery was' : `${count} deliveries were`} refused ${when}: ${reason}`;
}

/** Whether the provider sent what was refused, as far as it can be told. */
function sender({ name, facts, count, since, lastValidAt, at }: Told): string {
	if (facts.isPutOff === true) {
		return `${name} sends them again. The next check registers the endpoint again; or enter the previous API key in the credential again.`;
	}
	if (lastValidAt === undefined) {
		return 'No valid delivery has arrived since n8n started: check the signing secret in the credential.';
	}
	if (count === 1) {
		return `The last valid delivery arrived at ${at(lastValidAt)}, so this one is probably not from ${name}.`;
	}
	return lastValidAt >= since
		? `Valid deliveries arrived as well, the last one at ${at(lastValidAt)}, so these are probably not from ${name}.`
		: `No valid delivery has arrived since ${at(lastValidAt)}. If ${name} has sent any, compare the signing secret in the credential with the one at ${name}.`;
}

function period(since: number, last: number, at: Told['at']): string {
	return at(since) === at(last) ? `at ${at(last)}` : `between ${at(since)} and ${at(last)}`;
}

function counted(counts: ReadonlyMap<string, number>): string {
	return listed([...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)));
}

function listed(names: readonly string[]): string {
	const shown = names.slice(0, MAX_NAMED).join(', ');
	return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

/** A time with its zone, such as "1 Mar 2026, 13:00 CET". A zone that does not exist gives UTC. */
function timeText(epochMs: number, timeZone: string): string {
	const format = (zone: string) =>
		new Intl.DateTimeFormat('en-GB', {
			day: 'numeric',
			month: 'short',
			year: 'numeric',
			hour: '2-digit',
			minute: '2-digit',
			timeZoneName: 'short',
			timeZone: zone,
		}).format(epochMs);
	try {
		return format(timeZone);
	} catch {
		return format('UTC');
	}
}
