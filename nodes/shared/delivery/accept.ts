import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { unmetCondition } from '../conditions';
import { sourceOf } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import type { SignedRequest, Verdict } from '../signature';
import { findLosses } from './body';
import {
	contradictsHeader,
	identifyEvent,
	MAX_WARNINGS,
	productNamedIn,
	readEvent,
	type EventIdentity,
	type ReceivedEvent,
} from './event';
import { isPing, isUnknown, reasonToIgnore, type Selection } from './selection';

/** Why a verified delivery starts nothing, and the HTTP status to answer it with. */
export interface Rejection {
	/** 200 for what is ignored, 400 or 401 for what is refused. */
	readonly status: 200 | 400 | 401;
	readonly reason: string;
	/** It is selected, but does not meet the conditions. */
	readonly isUnmet?: true;
	/** The event that is ignored; none for a ping. */
	readonly event?: Pick<ReceivedEvent, 'name'> & { readonly isUnknown: boolean };
}

/** A verified delivery that is for this workflow. */
export interface AcceptedDelivery {
	readonly body: IDataObject;
	/** `isUnknown`: neither the provider's list nor the selection has its name. */
	readonly event: ReceivedEvent & { readonly isUnknown: boolean };
	readonly identity: EventIdentity;
}

/**
 * Reads a verified delivery, and rejects what is not for this workflow: another product, an event that is not selected
 * or does not meet the conditions, a ping.
 * @param body undefined when it is not a JSON object
 */
export function acceptDelivery(
	provider: Provider,
	family: ProviderFamily,
	selection: Selection,
	{ headers, rawBody }: SignedRequest,
	body: IDataObject | undefined,
): AcceptedDelivery | Rejection {
	if (body === undefined) return { status: 400, reason: 'the body is not a JSON object' };
	if (productNamedIn(provider, family, body) !== undefined) {
		return { status: 401, reason: 'the delivery is for a different product' };
	}
	if (contradictsHeader(provider, body, headers)) {
		return { status: 401, reason: 'the event header differs from the event in the body' };
	}
	const read = readEvent(provider, body, headers);
	const event = { ...read, isUnknown: isUnknown(provider, selection, read) };
	const ignored = reasonToIgnore(provider, selection, event);
	if (ignored !== undefined) {
		return { status: 200, reason: ignored, ...(isPing(provider, event) ? {} : { event }) };
	}
	const identity = identifyEvent(provider, body, rawBody);
	if (selection.conditions.length > 0) {
		const item = { ...simpleItem(provider, event, identity), payload: body };
		const unmet = unmetCondition(selection.conditions, item);
		if (unmet !== undefined) return { status: 200, reason: unmet, isUnmet: true, event };
	}
	const losses = findLosses(rawBody, body, MAX_WARNINGS - read.warnings.length);
	return {
		body,
		event: { ...event, warnings: [...read.warnings, ...losses] },
		identity,
	};
}

/**
 * The item that a workflow gets for a delivery. What most people map comes first, because tables keep this order.
 * @param simplify leaves out headers, verification and the body as it came
 */
export function deliveryItem(
	provider: Provider,
	simplify: boolean,
	{ body, event, identity }: AcceptedDelivery,
	verdict: Extract<Verdict, { valid: true }>,
	headers: SignedRequest['headers'],
): IDataObject {
	const simple = simpleItem(provider, event, identity);
	return simplify
		? simple
		: { ...simple, ...evidence(provider, event, verdict, headers), payload: body };
}

/** The fields of that item, as they are with Simplify on. */
export const eventOutput = (family: ProviderFamily) =>
	z.object({
		provider: z.string(),
		...(family[0].product === undefined ? {} : { product: z.string() }),
		event: z.string(),
		deliveryId: z.string(),
		occurredAt: z.string().nullable(),
		recipient: z.string().nullable(),
		data: z.looseObject({}),
	});

/** What the output always has. */
function simpleItem(
	provider: Provider,
	{ name, occurredAt, recipient, data }: ReceivedEvent,
	{ deliveryId }: EventIdentity,
): IDataObject {
	return { event: name, recipient, occurredAt, data, deliveryId, ...sourceOf(provider) };
}

/** What the full output adds: where the delivery came from and why it was trusted. No secrets. */
function evidence(
	{ schemes }: Provider,
	{ warnings }: Pick<ReceivedEvent, 'warnings'>,
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
