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
	output: () => z.object({ deleted: z.boolean() }),
	run: throughApi(async (call) => {
		const id = endpointId(call);
		if (await call.api.remove(id)) return [{ deleted: true }];
		throw settingsError(
			call.context,
			`${call.provider.displayName} offers no call to delete a webhook endpoint`,
			`Remove endpoint ${id} in its dashboard, where webhooks are set up`,
		);
	}),
};
