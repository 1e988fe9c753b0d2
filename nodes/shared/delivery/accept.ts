import type { FunctionsBase, IDataObject } from 'n8n-workflow';

import { sourceOf } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import type { SignedRequest, Verdict } from '../signature';
import {
	contradictsHeader,
	identifyEvent,
	namesAnotherProduct,
	readEvent,
	type EventIdentity,
	type ReceivedEvent,
} from './event';
import { reasonToIgnore, type Selection } from './selection';

/** Why a verified delivery starts nothing, and the HTTP status to answer it with. */
export interface Rejection {
	/** 200 for what is ignored, 400 or 401 for what is refused. */
	readonly status: 200 | 400 | 401;
	readonly reason: string;
}

/** A verified delivery that is for this workflow. */
export interface AcceptedDelivery {
	readonly body: IDataObject;
	readonly event: ReceivedEvent;
	readonly identity: EventIdentity;
}

/**
 * Reads a verified delivery, and rejects what is not for this workflow: another product, an event
 * that is not selected, a ping.
 * @param body undefined when it is no JSON object
 */
export function acceptDelivery(
	provider: Provider,
	family: ProviderFamily,
	selection: Selection,
	{ headers, rawBody }: SignedRequest,
	body: IDataObject | undefined,
): AcceptedDelivery | Rejection {
	if (body === undefined) return { status: 400, reason: 'the body is not a JSON object' };
	if (namesAnotherProduct(provider, family, body)) {
		return { status: 401, reason: 'the delivery is for another product than the chosen one' };
	}
	if (contradictsHeader(provider, body, headers)) {
		return { status: 401, reason: 'the event header differs from the event in the body' };
	}
	const event = readEvent(provider, body, headers);
	const ignored = reasonToIgnore(provider, selection, event);
	if (ignored !== undefined) return { status: 200, reason: ignored };
	return { body, event, identity: identifyEvent(provider, body, rawBody) };
}

/**
 * The item that a workflow gets of a delivery.
 * @param simplify leaves out headers, verification and the body as it came
 */
export function deliveryItem(
	provider: Provider,
	simplify: boolean,
	{ body, event, identity }: AcceptedDelivery,
	verdict: Extract<Verdict, { valid: true }>,
	headers: SignedRequest['headers'],
): IDataObject {
	const simple = {
		...sourceOf(provider),
		event: event.name,
		deliveryId: identity.deliveryId,
		occurredAt: event.occurredAt,
		recipient: event.recipient,
		data: event.data,
	};
	return simplify
		? simple
		: { ...simple, ...evidence(provider, event, verdict, headers), payload: body };
}

/** What the full output adds: where the delivery came from and why it was trusted. No secrets. */
function evidence(
	{ schemes }: Provider,
	{ warnings }: ReceivedEvent,
	{ scheme, signedAt }: Extract<Verdict, { valid: true }>,
	headers: SignedRequest['headers'],
): IDataObject {
	const hidden = new Set(['authorization', 'cookie', ...schemes.map(({ header }) => header)]);
	return {
		headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !hidden.has(name))),
		verification: {
			scheme,
			...(signedAt === undefined ? {} : { signedAt: new Date(signedAt).toISOString() }),
		},
		...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
	};
}

/** Logs where a verified delivery differs from its documented shape; it is accepted all the same. */
export function logDeviations(
	context: Pick<FunctionsBase, 'logger' | 'getNode'>,
	{ name, warnings }: ReceivedEvent,
): void {
	if (warnings.length === 0) return;
	context.logger.warn('A verified delivery differs from its documented shape', {
		node: context.getNode().name,
		event: name,
		warnings,
	});
}
