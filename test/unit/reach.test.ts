import { expect, it } from '@jest/globals';
import type { IHookFunctions } from 'n8n-workflow';

import { reachOf } from '../../nodes/shared/registration/reach';

/** What test/context/reach.test.ts cannot see from outside. */

const URL_OF = 'https://n8n.example.com/webhook/1/misar';

it('a webhook URL is not asked again once the workflow is unpublished', async () => {
	let isPublished = true;
	let requests = 0;
	const helpers = {
		httpRequest: async () => {
			requests += 1;
			isPublished = false;
			const message = 'The requested webhook "POST 1/misar" is not registered.';
			return { statusCode: 404, body: { message } };
		},
	} as Partial<IHookFunctions['helpers']> as IHookFunctions['helpers'];
	expect(await reachOf({ helpers }, URL_OF, 60_000, () => isPublished)).toBeUndefined();
	expect(requests).toBe(1);
});
