import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { endpointIdSchema, type RemoteEndpoint } from '../../api/endpointAnswer';
import { webhookApiOf, openEndpointApi, type EndpointApi } from '../../api/endpoints';
import { settingsError } from '../../errors';
import { eventsToRegister, noEventSelected, selectedNames } from '../../events';
import type { ActionCall, Operation } from '../../provider';
import type { WebhookApi } from '../../webhookApi';
import { readApiOptions } from '../../settings';
import { eventNames } from '../eventNames';
import { namesSchema, readParameter } from '../parameter';
import { newEndpointOptionsSchema } from './fields';

/** A call of an operation that works through the provider's webhook API. */
export interface EndpointCall extends ActionCall {
	readonly webhookApi: WebhookApi;
	readonly api: EndpointApi;
}

/** Makes the `run` of an operation that works through the webhook API. */
export function throughApi(
	work: (call: EndpointCall) => Promise<readonly IDataObject[]>,
): Operation['run'] {
	return async (call) => {
		const { context, itemIndex, provider, credential } = call;
		const webhookApi = webhookApiOf(provider);
		const options = readApiOptions(context.getNodeParameter('options', itemIndex, {}));
		const api = openEndpointApi(context, provider, webhookApi, credential, {
			...options,
			itemIndex,
		});
		return (await work({ ...call, webhookApi, api })).map((json) => ({ json }));
	};
}

/** The id that the parameter Endpoint holds. @throws NodeOperationError when none is chosen */
export function endpointId({ context, itemIndex }: EndpointCall): string {
	const value = context.getNodeParameter('endpoint', itemIndex, '', { extractValue: true });
	const id = endpointIdSchema.safeParse(typeof value === 'string' ? value.trim() : value);
	if (id.success) return id.data;
	throw settingsError(context, 'No endpoint is chosen', 'Choose one from the list or enter its ID');
}

/** An API's answer as plain JSON. */
export function toData(value: Record<string, unknown>): IDataObject {
	return JSON.parse(JSON.stringify(value));
}

/** An endpoint as an item: the provider's own fields are few, so there is nothing to simplify. */
export function asOutput({ id, url, events, active, createdAt }: RemoteEndpoint): IDataObject {
	return {
		id,
		url: url ?? null,
		events: events === undefined ? null : [...events],
		active,
		...(createdAt === undefined ? {} : { createdAt }),
	};
}

/** The fields of such an item. */
export const endpointOutput = () =>
	z.object({
		id: z.string(),
		url: z.string().nullable(),
		events: z.array(z.string()).nullable(),
		active: z.boolean(),
		createdAt: z.string().optional(),
	});

/** The events of a new endpoint. @throws NodeOperationError when none is chosen */
export function selectedEvents(call: EndpointCall): string[] {
	const { context, provider } = call;
	const events = readParameter(call, 'events', namesSchema, []);
	const { customEvents } = readParameter(call, 'options', newEndpointOptionsSchema, {});
	const names = namesToRegister(call, events, customEvents);
	if (names.length > 0) return names;
	throw noEventSelected(context, provider, 'Options → Custom Events');
}

/**
 * The event names to register.
 * @throws NodeOperationError for one that the provider does not have, unless it is custom
 */
export function namesToRegister(call: EndpointCall, events: string[], custom: string): string[] {
	return eventsToRegister(call.provider, selectedNames(eventNames(call, events), custom));
}
