import { z } from 'zod/v4';

import { sameEvents } from '../../events';
import type { Operation } from '../../provider';
import { sameUrl } from '../../url';
import { readText } from '../parameter';
import { RESOURCES } from '../resources';
import { asOutput, selectedEvents, throughApi } from './call';
import { createdOutput, createEndpoint } from './create';
import { newEndpointFields } from './fields';
import { updateEndpoint } from './update';

export const createOrUpdate: Operation = {
	resource: RESOURCES.endpoint,
	value: 'createOrUpdate',
	name: 'Create or Update',
	action: 'Create or update webhook endpoint',
	description:
		'Register a webhook URL, or update the endpoint that already has it. Running it twice changes nothing.',
	offered: ({ api }) => api?.operations.update,
	properties: newEndpointFields,
	output: () => createdOutput().extend({ result: z.enum(['created', 'unchanged', 'updated']) }),
	run: throughApi(async (call) => {
		const url = readText(call, 'url');
		const existing = (await call.api.list()).find(
			(endpoint) => endpoint.url !== undefined && sameUrl(endpoint.url, url),
		);
		if (existing === undefined)
			return [{ ...(await createEndpoint(call, url)), result: 'created' }];

		const events = selectedEvents(call);
		if (existing.active && sameEvents(call.provider, existing.events ?? [], events)) {
			return [{ ...asOutput(existing), result: 'unchanged' }];
		}
		await updateEndpoint(call, existing.id, { events, active: true });
		return [{ ...asOutput({ ...existing, events, active: true }), result: 'updated' }];
	}),
};
