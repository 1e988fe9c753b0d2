import { z } from 'zod/v4';

import { isJsonObject } from '../../jsonObject';
import type { Operation } from '../../provider';
import { RESOURCES } from '../resources';
import { endpointId, throughApi, toData } from './call';
import { ENDPOINT, reachFields } from './fields';

export const sendTest: Operation = {
	resource: RESOURCES.endpoint,
	value: 'test',
	name: 'Send Test',
	action: 'Send test event to webhook endpoint',
	description: 'Have the provider send a test delivery',
	offered: ({ api }) => api?.operations.test,
	properties: (provider) => [ENDPOINT, ...reachFields(provider)],
	output: () => z.object({ sent: z.boolean(), id: z.string(), answer: z.looseObject({}) }),
	run: throughApi(async (call) => {
		const id = endpointId(call);
		const answer = await call.api.test(id);
		return [{ sent: true, id, answer: isJsonObject(answer) ? toData(answer) : {} }];
	}),
};
