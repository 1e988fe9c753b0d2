import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import type { RemoteEndpoint } from '../../api/endpointAnswer';
import { settingsError } from '../../errors';
import { eventsToRegister, noEventSelected, sameEvents, selectedNames } from '../../events';
import { isJsonObject } from '../../jsonObject';
import type { Confirmation, Provider } from '../../provider';
import { sameUrl } from '../../url';
import { endpointId, throughApi, toData, type EndpointCall } from './call';
import {
	ENDPOINT,
	limitFields,
	newEndpointFields,
	reachFields,
	updateFields,
} from './fields';
import type { Operation } from '../operation';
import { limitSchema, namesSchema, readParameter, readText } from '../parameter';

const valuesSchema = z.object({
	url: z.string().trim().optional(),
	events: namesSchema.optional(),
	customEvents: z.string().default(''),
	active: z.boolean().optional(),
});

function hasApi({ api }: Provider): Confirmation | undefined {
	return api === undefined ? undefined : 'documented';
}

/** Webhook endpoints at the provider. */
export const endpointOperations: readonly Operation[] = [
	{
		resource: 'endpoint',
		value: 'create',
		name: 'Create',
		action: 'Create a webhook endpoint',
		description: 'Register a webhook URL',
		offered: hasApi,
		properties: (provider) => [...newEndpointFields(provider), ...reachFields(provider)],
		run: throughApi(async (call) => [await create(call, readText(call, 'url'))]),
	},
	{
		resource: 'endpoint',
		value: 'createOrUpdate',
		name: 'Create or Update',
		action: 'Create or update a webhook endpoint',
		description:
			'Register a webhook URL, or update the endpoint that already has it. Running it twice changes nothing.',
		offered: ({ api }) => api?.operations.update,
		properties: (provider) => [...newEndpointFields(provider), ...reachFields(provider)],
		/** By URL: run twice, the second run changes nothing and says so. */
		run: throughApi(async (call) => {
			const url = readText(call, 'url');
			const existing = (await call.api.list()).find(
				(endpoint) => endpoint.url !== undefined && sameUrl(endpoint.url, url),
			);
			if (existing === undefined) return [{ ...(await create(call, url)), result: 'created' }];

			const events = selectedEvents(call);
			if (existing.active && sameEvents(call.provider, existing.events ?? [], events)) {
				return [{ ...asOutput(existing), result: 'unchanged' }];
			}
			await update(call, existing.id, { events, active: true });
			return [{ ...asOutput({ ...existing, events, active: true }), result: 'updated' }];
		}),
	},
	{
		resource: 'endpoint',
		value: 'delete',
		name: 'Delete',
		action: 'Delete a webhook endpoint',
		description: 'Remove an endpoint',
		offered: ({ api }) => api?.operations.delete,
		properties: (provider) => [ENDPOINT, ...reachFields(provider)],
		run: throughApi(async (call) => {
			const id = endpointId(call);
			if (await call.api.remove(id)) return [{ deleted: true }];
			throw settingsError(
				call.context,
				`${call.provider.displayName} offers no call to delete a webhook endpoint`,
				`Remove endpoint ${id} in its dashboard, where webhooks are set up`,
			);
		}),
	},
	{
		resource: 'endpoint',
		value: 'get',
		name: 'Get',
		action: 'Get a webhook endpoint',
		description: 'Retrieve an endpoint',
		offered: ({ api }) => api?.operations.get,
		properties: (provider) => [ENDPOINT, ...reachFields(provider)],
		run: throughApi(async (call) => [asOutput(await call.api.get(endpointId(call)))]),
	},
	{
		resource: 'endpoint',
		value: 'getAll',
		name: 'Get Many',
		action: 'Get many webhook endpoints',
		description: 'List endpoints',
		isDefault: true,
		offered: hasApi,
		properties: (provider) => [...limitFields('endpoints'), ...reachFields(provider)],
		run: throughApi(async (call) => {
			const all = call.context.getNodeParameter('returnAll', call.itemIndex) === true;
			const limit = all ? undefined : readParameter(call, 'limit', limitSchema);
			return (await call.api.list(limit)).map(asOutput);
		}),
	},
	{
		resource: 'endpoint',
		value: 'test',
		name: 'Send Test',
		action: 'Send a test event to a webhook endpoint',
		description: 'Have the provider send a test delivery',
		offered: ({ api }) => api?.operations.test,
		properties: (provider) => [ENDPOINT, ...reachFields(provider)],
		run: throughApi(async (call) => {
			const id = endpointId(call);
			const answer = await call.api.test(id);
			return [{ sent: true, id, answer: isJsonObject(answer) ? toData(answer) : {} }];
		}),
	},
	{
		resource: 'endpoint',
		value: 'update',
		name: 'Update',
		action: 'Update a webhook endpoint',
		description: 'Change URL, events or whether the endpoint is active',
		offered: ({ api }) => api?.operations.update,
		properties: (provider) => [ENDPOINT, updateFields(provider), ...reachFields(provider)],
		run: throughApi(async (call) => {
			const id = endpointId(call);
			const values = readParameter(call, 'updateFields', valuesSchema, {});
			const { customEvents, events, ...fields } = values;
			const names = withCustom(call, events ?? [], customEvents);
			const changes = { ...fields, ...(names.length === 0 ? {} : { events: names }) };
			if (Object.keys(changes).length === 0) {
				throw settingsError(
					call.context,
					'There is nothing to update',
					'Add a field under Update Fields',
				);
			}
			await update(call, id, changes);
			return [{ id, ...changes, updated: true }];
		}),
	},
];

async function create(call: EndpointCall, url: string): Promise<IDataObject> {
	const { context, itemIndex, management, credential, api } = call;
	const secret =
		management.sendsSecret === 'never'
			? ''
			: readParameter(call, 'signingSecret', z.string(), '') || credential.signingSecret;
	const outcome = await api.create({
		url,
		events: selectedEvents(call),
		...(secret === '' ? {} : { secret }),
	});
	if ('failure' in outcome) throw outcome.failure;
	const include = context.getNodeParameter('includeSecret', itemIndex, false) === true;
	const issued = outcome.endpoint.secret ?? (secret === '' ? undefined : secret);
	return {
		...asOutput(outcome.endpoint),
		...(include && issued !== undefined ? { signingSecret: issued } : {}),
	};
}

async function update(
	{ context, api, provider }: EndpointCall,
	id: string,
	changes: { url?: string | undefined; events?: string[]; active?: boolean | undefined },
): Promise<void> {
	const { url, events, active } = changes;
	const updated = await api.update(id, {
		...(url === undefined ? {} : { url }),
		...(events === undefined ? {} : { events }),
		...(active === undefined ? {} : { active }),
	});
	if (updated !== 'notServed') return;
	throw settingsError(
		context,
		`${provider.displayName} has no endpoint ${id}, or no call to update it`,
		'Choose an endpoint from the list; or delete it and create a new one',
	);
}

/** An endpoint as an item: the provider's own fields are few, so there is nothing to simplify. */
function asOutput({ id, url, events, active, createdAt }: RemoteEndpoint): IDataObject {
	return {
		id,
		url: url ?? null,
		events: events === undefined ? null : [...events],
		active,
		...(createdAt === undefined ? {} : { createdAt }),
	};
}

function selectedEvents(call: EndpointCall): string[] {
	const { context, provider } = call;
	const events = readParameter(call, 'events', namesSchema, []);
	const custom = readParameter(call, 'customEvents', z.string(), '');
	const names = withCustom(call, events, custom);
	if (names.length > 0) return names;
	throw noEventSelected(context, provider, 'Custom Events');
}

function withCustom({ provider }: EndpointCall, events: string[], custom: string): string[] {
	return eventsToRegister(provider, selectedNames(events, custom));
}
