/** Creates an endpoint at the provider, and finds out how the provider shows it. */

import { sleep } from 'n8n-workflow';

import type { RemoteEndpoint } from '../api/endpointAnswer';
import { settingsError } from '../errors';
import { sameEvents } from '../events';
import { makeRecord, secretToSend } from '../state/secrets';
import type { RegistrationRecord } from '../state/triggerState';
import { sameUrl } from '../url';
import { assertReadable, isEndpoint, orphansIn, seeOne } from './observe';
import { removeAll } from './remove';
import type { EndpointSession } from './session';

const CREATE_ATTEMPTS = 3;
const CREATE_BACKOFF_MS = 500;

/** What the account had before a create. */
export interface AccountBefore {
	/**
	 * Endpoints of ours. They stay, unless the provider refuses another one beside them: then they are removed before the
	 * new one is created.
	 */
	readonly ours: readonly RemoteEndpoint[];
	/** Ids of those at other URLs. */
	readonly others: ReadonlySet<string>;
}

/**
 * Creates an endpoint. When the answer is lost, the endpoint may still exist, with a
 * secret that nobody knows: it is removed before the next attempt, and after the last one.
 *
 * @throws NodeApiError or NodeOperationError where none could be created
 */
export async function createEndpoint(
	session: EndpointSession,
	{ ours, others }: AccountBefore,
): Promise<RegistrationRecord> {
	const { api, url, events } = session;
	const sent = secretToSend(session);
	let mayStay = ours;
	for (let attempt = 1; ; attempt++) {
		const outcome = await api.create(
			{ url, events, ...(sent === undefined ? {} : { secret: sent.secret }) },
			extrasOf(session),
		);
		const isAnswered = 'endpoint' in outcome;
		if (isAnswered && (await isCreated(session, outcome.endpoint, { ours: mayStay, others }))) {
			const { endpoint } = outcome;
			const issued = endpoint.secret === sent?.secret ? undefined : endpoint.secret;
			if (sent === undefined && issued === undefined) await refuseWithoutSecret(session, endpoint);
			const facts = {
				endpointId: endpoint.id,
				apiPath: api.collectionPath,
				url,
				events: [...events],
			};
			return makeRecord(session, facts, sent, issued);
		}
		const { failure, lost, refusedBeside } = isAnswered ? answeredWithAnother(session) : outcome;
		if (refusedBeside && mayStay.length > 0) {
			session.assertCurrent();
			if (!(await removeAll(session, mayStay))) throw failure;
			mayStay = [];
			continue;
		}
		if (!lost) throw failure;
		const { cleared, found } = await removeLost(session, mayStay);
		// If a lost one cannot be removed, or exists but is not listed, another attempt might leave another one behind.
		if (!cleared || (isAnswered && found === 0) || attempt >= CREATE_ATTEMPTS) throw failure;
		await sleep(CREATE_BACKOFF_MS * attempt);
	}
}

/**
 * Looks at an endpoint that was just created. The provider may show it in a different form, or not at all; if so, a
 * later check must not take that for a change or a deletion. Never throws.
 * @param wasOff it replaces one that was switched off; if it is shown as switched off, too, a third would not help
 */
export async function learnHowItIsShown(
	session: EndpointSession,
	record: RegistrationRecord,
	wasOff: boolean,
): Promise<Pick<RegistrationRecord, 'reported' | 'unlisted'>> {
	try {
		const shown = await seeOne(session, record);
		if (!isEndpoint(shown)) return { unlisted: true };
		const reported = reportedOf(session, shown, wasOff);
		return Object.keys(reported).length === 0 ? {} : { reported };
	} catch {
		// Not a reason to lose the record of an endpoint that exists.
		return {};
	}
}

function reportedOf(
	{ provider, url, events }: EndpointSession,
	shown: RemoteEndpoint,
	wasOff: boolean,
): NonNullable<RegistrationRecord['reported']> {
	const isOtherUrl = shown.url !== undefined && !sameUrl(shown.url, url);
	const isOtherEvents = shown.events !== undefined && !sameEvents(provider, shown.events, events);
	return {
		...(isOtherUrl ? { url: shown.url } : {}),
		...(isOtherEvents ? { events: [...(shown.events ?? [])] } : {}),
		...(wasOff && !shown.active ? { active: false } : {}),
	};
}

/** Removes what a create whose answer was lost may have left. `cleared`: nothing is left, as far as the list shows. */
async function removeLost(
	session: EndpointSession,
	existing: readonly RemoteEndpoint[],
): Promise<{ readonly cleared: boolean; readonly found: number }> {
	const { endpoints, unreadable } = await session.api.readList();
	assertReadable(session, unreadable);
	session.assertCurrent();
	const lost = lostIn(session, endpoints, existing);
	const cleared = await removeAll(session, lost);
	return { cleared: cleared && unreadable.length === 0, found: lost.length };
}

/** Endpoints at our URL that no trigger has recorded. */
function lostIn(
	session: EndpointSession,
	endpoints: readonly RemoteEndpoint[],
	existing: readonly RemoteEndpoint[],
): readonly RemoteEndpoint[] {
	const { registration } = session.store.state;
	const known = new Set([...existing.map(({ id }) => id), registration?.endpointId]);
	return orphansIn(session, endpoints, undefined).filter(({ id }) => !known.has(id));
}

/**
 * Whether the answer to a create describes the endpoint that was made. It does if it has our URL, or a new id and no
 * URL. Some providers write the URL in another form: then the id has to be new, the list has to show it, and to show no
 * other new endpoint at our URL. Any other endpoint may be somebody else's and must not be touched.
 */
async function isCreated(
	session: EndpointSession,
	{ id, url }: RemoteEndpoint,
	{ ours, others }: AccountBefore,
): Promise<boolean> {
	if (url !== undefined && sameUrl(url, session.url)) return true;
	if (others.has(id)) return false;
	if (url === undefined) return true;
	const list = await session.api.list().catch(() => []);
	const isListed = list.some((endpoint) => endpoint.id === id);
	return isListed && lostIn(session, list, ours).every((endpoint) => endpoint.id === id);
}

function answeredWithAnother({ context, provider }: EndpointSession) {
	const failure = settingsError(
		context,
		`${provider.displayName} answered the create with another endpoint`,
		'Set Registration to Manual and add the URL in its dashboard',
	);
	return { failure, lost: true, refusedBeside: false };
}

async function refuseWithoutSecret(
	session: EndpointSession,
	endpoint: RemoteEndpoint,
): Promise<never> {
	await removeAll(session, [endpoint]);
	throw settingsError(
		session.context,
		`${session.provider.displayName} created the endpoint without returning its signing secret`,
		'Its deliveries could not be verified, so it was removed again. Set Registration to Manual and add the URL in its dashboard',
	);
}

function extrasOf({ context, webhookApi }: EndpointSession) {
	return webhookApi.createExtras?.({
		workflowId: context.getWorkflow().id ?? '',
		nodeName: context.getNode().name,
	});
}
