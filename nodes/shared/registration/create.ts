/** Creates an endpoint at the provider, and finds out how the provider shows it. */

import { sleep } from 'n8n-workflow';

import type { RemoteEndpoint } from '../api/endpointAnswer';
import { settingsError } from '../errors';
import { sameEvents } from '../events';
import { makeRecord, secretToSend } from '../state/secrets';
import type { RegistrationRecord } from '../state/triggerState';
import { sameUrl } from '../url';
import { assertReadable, isAt, isEndpoint, orphansIn, seeOne } from './observe';
import { removeAll } from './remove';
import type { EndpointSession } from './session';

const CREATE_ATTEMPTS = 3;
const CREATE_BACKOFF_MS = 500;

/**
 * Creates an endpoint. When the answer is lost, the endpoint may still exist, with a
 * secret that nobody knows: it is removed before the next attempt, and after the last one.
 *
 * @param existing endpoints of ours that were there before. They stay, unless the provider allows no other beside
 * them: then they go first
 * @throws NodeApiError or NodeOperationError where none could be created
 */
export async function createEndpoint(
	session: EndpointSession,
	existing: readonly RemoteEndpoint[],
): Promise<RegistrationRecord> {
	const { api, url, events } = session;
	const sent = secretToSend(session);
	let mayStay = existing;
	for (let attempt = 1; ; attempt++) {
		const outcome = await api.create(
			{ url, events, ...(sent === undefined ? {} : { secret: sent.secret }) },
			extrasOf(session),
		);
		if ('endpoint' in outcome && !(await isAnother(session, outcome.endpoint, mayStay))) {
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
		const { failure, lost, refusedBeside } =
			'failure' in outcome ? outcome : answeredWithAnother(session);
		if (refusedBeside && mayStay.length > 0) {
			session.assertCurrent();
			if (!(await removeAll(session, mayStay))) throw failure;
			mayStay = [];
			continue;
		}
		if (!lost) throw failure;
		const cleared = await removeLost(session, mayStay);
		// Where a lost one cannot be removed, another attempt might leave another one.
		if (!cleared || attempt >= CREATE_ATTEMPTS) throw failure;
		await sleep(CREATE_BACKOFF_MS * attempt);
	}
}

/**
 * Looks at an endpoint that was just created. The provider may show it in a different form, or not at all: later on,
 * that does not mean that it was changed or deleted. Never throws.
 * @param wasOff it replaces one that was switched off: where this one is shown so as well, a third would not help
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
		// The endpoint exists: its record must not be lost for this.
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

/** Removes what a create may have left whose answer was lost. @returns whether nothing is left */
async function removeLost(
	session: EndpointSession,
	existing: readonly RemoteEndpoint[],
): Promise<boolean> {
	const { endpoints, unreadable } = await session.api.readList();
	assertReadable(session, unreadable);
	session.assertCurrent();
	const cleared = await removeAll(session, lostIn(session, endpoints, existing));
	return cleared && unreadable.length === 0;
}

/** Endpoints at our URL that nobody knows. */
function lostIn(
	session: EndpointSession,
	endpoints: readonly RemoteEndpoint[],
	existing: readonly RemoteEndpoint[],
): readonly RemoteEndpoint[] {
	const { registration } = session.store.state;
	const known = new Set([...existing.map(({ id }) => id), registration?.endpointId]);
	return orphansIn(session, endpoints, undefined).filter(({ id }) => !known.has(id));
}

/** Whether a create is answered with another endpoint: the list shows that one elsewhere, and a new one at our URL. */
async function isAnother(
	session: EndpointSession,
	{ id, url }: RemoteEndpoint,
	existing: readonly RemoteEndpoint[],
): Promise<boolean> {
	if (url === undefined || sameUrl(url, session.url)) return false;
	const list = await session.api.list().catch(() => []);
	const listed = list.find((endpoint) => endpoint.id === id);
	if (listed === undefined || isAt(listed, session.url)) return false;
	return lostIn(session, list, existing).length > 0;
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

function extrasOf({ context, management }: EndpointSession) {
	return management.createExtras?.({
		workflowId: context.getWorkflow().id ?? '',
		nodeName: context.getNode().name,
	});
}
