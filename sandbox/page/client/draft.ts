import type { CatalogueScheme, ProviderId, Tamper } from '../../types.js';

/** What the form for an event holds. */
export interface Draft {
	provider: ProviderId;
	/** Empty while a name of one's own is typed. */
	event: string;
	scheme: string;
	envelope: string;
	/** `subscribed`, `url`, or the id of an endpoint. */
	target: string;
	url: string;
	secret: string;
	manner: Manner;
	copies: number;
	times: number;
	perSecond: number;
	retry: boolean;
}

/** How an event is delivered. */
export type Manner = 'valid' | 'duplicate' | Tamper;

/** The manners in the order in which they are offered. */
export const manners: ReadonlyArray<readonly [Manner, string]> = [
	['valid', 'Valid'],
	['duplicate', 'Valid, the same delivery several times'],
	['body', 'Forged: body changed after signing'],
	['signature', 'Forged: signature changed'],
	['wrongSecret', 'Forged: signed with another secret'],
	['unsigned', 'Forged: not signed'],
	['swappedEvent', 'Unsigned header names another event'],
	['stale', 'Stale: signed ten minutes ago'],
	['future', 'Signed ten minutes ahead'],
];

export const emptyDraft: Draft = {
	provider: 'metigan',
	event: 'email.bounced',
	scheme: '',
	envelope: '',
	target: 'subscribed',
	url: '',
	secret: '',
	manner: 'valid',
	copies: 2,
	times: 1,
	perSecond: 10,
	retry: true,
};

/** Whether a scheme allows a manner. */
export function isPossible(manner: Manner, scheme: CatalogueScheme | undefined): boolean {
	if (manner === 'stale' || manner === 'future') return scheme?.timestamped ?? false;
	return manner !== 'swappedEvent' || scheme?.eventHeader !== undefined;
}

/** What the control API is told to fire; `data` only where somebody edited it. */
export function toFireBody(draft: Draft, data: { edited?: unknown }): object {
	const { provider, event, scheme, envelope, target, url, secret, manner } = draft;
	return {
		provider,
		event,
		scheme,
		envelope,
		times: draft.times,
		perSecond: draft.perSecond,
		wait: false,
		...(target === 'url' ? { url, ...(secret === '' ? {} : { secret }) } : {}),
		...(target === 'url' || target === 'subscribed' ? {} : { endpointId: target }),
		...(manner === 'duplicate' ? { copies: draft.copies } : {}),
		...(manner === 'valid' || manner === 'duplicate' ? { retry: draft.retry } : { tamper: manner }),
		...('edited' in data ? { data: data.edited } : {}),
	};
}
