/** Creates endpoints at the provider, and removes them. */

import { sleep } from 'n8n-workflow';

import type { RemoteEndpoint } from '../api/endpointAnswer';
import { settingsError } from '../errors';
import { warn } from '../log';
import { sameUrl } from '../url';
import { forgetReplaced, loadReplaced, type RegistrationRecord } from './record';
import { makeRecord } from './recordSecrets';
import { generateSecret } from './secretVault';
import type { Account, Target } from './target';

const CREATE_ATTEMPTS = 3;
const CREATE_BACKOFF_MS = 500;

/**
 * Creates an endpoint. When the answer is lost, the endpoint may still exist, with a
 * secret that nobody knows: it is removed before the next attempt, and after the last one.
 *
 * @param keepId an endpoint at the same URL that is still in use
 */
export async function createFresh(target: Target, keepId?: string): Promise<RegistrationRecord> {
	const { context, memory, provider, management, credential, api, url, events } = target;
	const generated =
		credential.signingSecret === '' && management.sendsSecret === 'always'
			? generateSecret()
			: undefined;
	const sent =
		generated ?? (management.sendsSecret === 'never' ? undefined : credential.signingSecret);
	const extras = management.createExtras?.({
		workflowId: context.getWorkflow().id ?? '',
		nodeName: context.getNode().name,
	});

	for (let attempt = 1; ; attempt++) {
		const outcome = await api.create(
			{ url, events, ...(sent === undefined || sent === '' ? {} : { secret: sent }) },
			extras,
		);
		if ('endpoint' in outcome) {
			const { endpoint } = outcome;
			const issued = endpoint.secret === sent ? undefined : endpoint.secret;
			if (issued === undefined && (sent === undefined || sent === '')) {
				await removeAll(target, [endpoint]);
				throw settingsError(
					context,
					`${provider.displayName} created the endpoint without returning its signing secret`,
					'Its deliveries could not be verified, so it was removed again. Set Registration to Manual, or enter a Signing Secret in the credential',
				);
			}
			const facts = {
				endpointId: endpoint.id,
				apiPath: api.collectionPath,
				url,
				events,
				...(await isUnlisted(target, endpoint.id)),
			};
			return makeRecord(memory, provider, credential, facts, issued ?? generated);
		}
		if (!outcome.lost) throw outcome.failure;
		const found = await endpointsAt(target);
		const strays = found.filter((endpoint) => endpoint.id !== keepId);
		// Where strays cannot be removed, another attempt might leave another one.
		const cleared = await removeAll(target, strays);
		if (!cleared || attempt >= CREATE_ATTEMPTS) throw outcome.failure;
		await sleep(CREATE_BACKOFF_MS * attempt);
	}
}

/**
 * A provider may truncate its list without saying so. Where a single endpoint cannot be requested, one
 * that is left out would count as deleted at each start, and be created again and again.
 */
async function isUnlisted(
	{ api, management }: Target,
	id: string,
): Promise<{ unlisted?: boolean }> {
	if (management.operations.get !== undefined) return {};
	try {
		const listed = (await api.list()).some((endpoint) => endpoint.id === id);
		return listed ? {} : { unlisted: true };
	} catch {
		// The endpoint exists: its record must not be lost for this.
		return {};
	}
}

/** Deletes endpoints, one after the other. @returns whether all of them are gone */
export async function removeAll(
	account: Account,
	endpoints: readonly RemoteEndpoint[],
): Promise<boolean> {
	let cleared = true;
	for (const { id } of endpoints) cleared = (await removeOrWarn(account, id)) && cleared;
	return cleared;
}

/** Deletes an endpoint; where the provider has no call for it, a warning asks the user to. */
export async function removeOrWarn(account: Account, id: string): Promise<boolean> {
	const { context, memory, provider, api, url } = account;
	const removed = await api.remove(id);
	if (!removed) {
		// It keeps delivering: its deliveries must not run in addition to its successor's.
		if (loadReplaced(memory, provider)?.endpointId === id) forgetReplaced(memory);
		warn(
			context,
			`${provider.displayName} offers no call to delete a webhook endpoint. Remove endpoint ${id} (${url}) in its dashboard, where webhooks are set up`,
		);
	}
	return removed;
}

/** All endpoints that deliver to our URL, including those that we did not create. */
export async function endpointsAt({ api, url }: Account): Promise<readonly RemoteEndpoint[]> {
	return (await api.list()).filter((endpoint) => isAt(endpoint, url));
}

/** Whether an endpoint delivers to a URL. */
export function isAt(endpoint: RemoteEndpoint, url: string): boolean {
	return endpoint.url !== undefined && sameUrl(endpoint.url, url);
}
