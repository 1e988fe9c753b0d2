import type { IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';

/** n8n's hooks of a run. */
interface Hooks {
	addHandler(
		name: 'workflowExecuteAfter',
		handler: (run: { readonly status: unknown }) => Promise<void>,
	): void;
}

const schema = z.object({
	additionalData: z.object({
		hooks: z.custom<Hooks>(
			(hooks) => isJsonObject(hooks) && typeof hooks['addHandler'] === 'function',
		),
	}),
});

/**
 * Calls a handler when a run has ended, successfully or not, or has begun to wait; n8n has stored the run by then. A
 * canceled run does not count as ended, because n8n cancels runs when it shuts down.
 *
 * n8n-workflow declares nothing for it: a node is not told of the end of a run that it did not start. The contexts of
 * n8n-core have `additionalData`, whose hooks n8n itself uses (1.123 to 2.41, in the main process and in workers).
 * @returns false if n8n has no such hooks, so that the handler is never called
 */
export function whenRunEnds(context: IExecuteFunctions, handler: () => Promise<void>): boolean {
	const { success, data } = schema.safeParse(context);
	if (success) {
		data.additionalData.hooks.addHandler('workflowExecuteAfter', async ({ status }) => {
			if (status !== 'canceled') await handler();
		});
	}
	return success;
}
