import { z } from 'zod/v4';

import { settingsError } from '../../errors';
import type { Operation } from '../../provider';
import { namesSchema, readParameter } from '../parameter';
import { RESOURCES } from '../resources';
import { endpointId, namesToRegister, throughApi, type EndpointCall } from './call';
import { ENDPOINT, reachFields, updateFields } from './fields';

const valuesSchema = z.object({
	url: z.string().trim().optional(),
	events: namesSchema.optional(),
	customEvents: z.string().default(''),
	active: z.boolean().optional(),
});

export const update: Operation = {
	resource: RESOURCES.endpoint,
	value: 'update',
	name: 'Update',
	action: 'Update webhook endpoint',
	description: 'Change URL, events or whether the endpoint is active',
	offered: ({ api }) => api?.operations.update,
	properties: (provider) => [ENDPOINT, updateFields(provider), ...reachFields(provider)],
	output: () =>
		z.object({
			id: z.string(),
			url: z.string().optional(),
			events: z.array(z.string()).optional(),
			active: z.boolean().optional(),
			updated: z.boolean(),
		}),
	run: throughApi(async (call) => {
		const id = endpointId(call);
		const values = readParameter(call, 'updateFields', valuesSchema, {});
		const { customEvents, events, ...fields } = values;
		const names = namesToRegister(call, events ?? [], customEvents);
		const changes = { ...fields, ...(names.length === 0 ? {} : { events: names }) };
		if (Object.keys(changes).length === 0) {
			throw settingsError(
				call.context,
				'There is nothing to update',
				'Add a field under Update Fields',
			);
		}
		await updateEndpoint(call, id, changes);
		return [{ id, ...changes, updated: true }];
	}),
};

/** Changes an endpoint. @throws NodeApiError, or NodeOperationError if there is no such endpoint or call */
export async function updateEndpoint(
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
	if (updated) return;
	throw settingsError(
		context,
		`${provider.displayName} has no endpoint ${id}, or no call to update it`,
		'Choose an endpoint from the list (Endpoint → Get Many); or delete it and create a new one',
	);
}
