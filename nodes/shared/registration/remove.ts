/** Removes endpoints of ours, and remembers those that are still to be removed. */

import type { RemoteEndpoint } from '../api/endpointAnswer';
import { warn } from '../log';
import { problemsOf } from '../state/problems';
import { accountOf, isSameAccount } from '../state/secrets';
import type { RegistrationRecord } from '../state/triggerState';
import type { EndpointSession } from './session';

/** More than a trigger ever leaves; it bounds what the trigger remembers. */
const MAX_LEFTOVERS = 50;

/** Deletes endpoints, one after the other. @returns whether all of them are gone */
export async function removeAll(
	session: EndpointSession,
	endpoints: ReadonlyArray<Pick<RemoteEndpoint, 'id'>>,
): Promise<boolean> {
	let cleared = true;
	for (const { id } of endpoints) cleared = (await removeOrWarn(session, id)) && cleared;
	return cleared;
}

/** Deletes an endpoint; where the provider has no call for it, a warning asks the user to. */
export async function removeOrWarn(session: EndpointSession, id: string): Promise<boolean> {
	const { context, store, provider, api, url } = session;
	const { registration } = store.state;
	// If the answer is lost, the endpoint may or may not exist: the next look at the account decides.
	if (registration?.endpointId === id) {
		store.change({ registration: { ...registration, removing: true } });
	}
	const isGone = (await api.remove(id)) !== 'unsupported';
	if (!isGone) {
		// It keeps delivering: its deliveries must not run in addition to its successor's.
		if (store.state.replaced?.endpointId === id) store.change({ replaced: undefined });
		warn(
			context,
			`${provider.displayName} offers no call to delete a webhook endpoint. Remove endpoint ${id} (${url}) in its dashboard, where webhooks are set up`,
		);
	}
	return isGone;
}

/** Remembers endpoints that are to be removed, until they are gone. */
export function noteLeftovers(
	session: EndpointSession,
	endpoints: ReadonlyArray<Pick<RemoteEndpoint, 'id'>>,
): void {
	const { store, provider, url } = session;
	const known = store.state.leftovers ?? [];
	const added = endpoints
		.filter(({ id }) => known.every(({ endpointId }) => endpointId !== id))
		.map(({ id }) => ({
			endpointId: id,
			url,
			product: provider.product,
			account: accountOf(session, id),
		}));
	if (added.length === 0) return;
	store.change({ leftovers: [...known, ...added].slice(-MAX_LEFTOVERS) });
}

/**
 * Removes what is still to be removed of this account and product, and forgets it. One that cannot be deleted stays
 * known, so that the user is asked to remove it once only.
 * @throws NodeApiError where one may still be there, once all have been tried
 */
export async function removeLeftovers(session: EndpointSession): Promise<void> {
	const { store, provider } = session;
	let failed: PromiseRejectedResult | undefined;
	for (const leftover of store.state.leftovers ?? []) {
		if (leftover.undeletable === true || leftover.product !== provider.product) continue;
		if (!isSameAccount(leftover, session)) continue;
		session.assertCurrent();
		// Some APIs answer a create with the endpoint that has the URL already.
		const isInUse = leftover.endpointId === store.state.registration?.endpointId;
		const [removal] = await Promise.allSettled([
			isInUse || removeOrWarn(session, leftover.endpointId),
		]);
		if (removal.status === 'rejected') {
			failed ??= removal;
			continue;
		}
		const others = store.state.leftovers?.filter((other) => other !== leftover) ?? [];
		const left = removal.value ? others : [...others, { ...leftover, undeletable: true }];
		store.change({ leftovers: left.length === 0 ? undefined : left });
	}
	if (failed !== undefined) throw failed.reason;
}

/**
 * Remembers an endpoint that this credential cannot remove, because it was registered with another account's or
 * product's, and writes a warning.
 */
export function forsake({ context, store, provider }: EndpointSession, record: RegistrationRecord) {
	const { endpointId, url, account, product } = record;
	const known = store.state.leftovers ?? [];
	if (known.some((leftover) => leftover.endpointId === endpointId)) return;
	store.change({
		leftovers: [...known, { endpointId, url, account, product }].slice(-MAX_LEFTOVERS),
	});
	problemsOf(store.owner).leftBehind(endpointId, url, Date.now());
	warn(
		context,
		`Endpoint ${endpointId} of ${provider.displayName} (${url}) was registered with a different account or product, and may still deliver: its deliveries are refused. Remove it in that account’s dashboard`,
	);
}
