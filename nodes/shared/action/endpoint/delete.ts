import { z } from 'zod/v4';

import { settingsError } from '../../errors';
import type { Operation } from '../../provider';
import { RESOURCES } from '../resources';
import { endpointId, throughApi } from './call';
import { ENDPOINT, reachFields } from './fields';

export const deleteEndpoint: Operation = {
	resource: RESOURCES.endpoint,
	value: 'delete',
	name: 'Delete',
	action: 'Delete webhook endpoint',
	description: 'Remove an endpoint',
	offered: ({ api }) => api?.operations.delete,
	properties: (provider) => [ENDPOINT, ...reachFields(provider)],
	output: () => z.object({ deleted: z.boolean(), id: z.string(), reason: z.string().optional() }),
	run: throughApi(async (call) => {
		const { api, context, provider } = call;
		const id = endpointId(call);
		const removal = await api.remove(id);
		if (removal === 'deleted') return [{ deleted: true, id }];
		if (removal === 'absent') {
			// No error: a workflow that cleans up may run twice.
			const reason = `${provider.displayName} has no endpoint ${id}. Endpoint → Get Many lists those that it has.`;
			return [{ deleted: false, id, reason }];
		}
		throw settingsError(
			context,
			`${provider.displayName} offers no call to delete a webhook endpoint`,
			`Remove endpoint ${id} in its dashboard, where webhooks are set up`,
		);
	}),
};
