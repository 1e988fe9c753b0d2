import { z } from 'zod/v4';

import { eventOutput } from '../delivery/accept';
import type { ProviderFamily } from '../provider';

/** The fields of a trigger's items, as they are with Simplify on; only recovered events have the last two. */
export function triggerOutput(family: ProviderFamily): z.ZodObject {
	const event = eventOutput(family);
	if (family.every(({ recovery }) => recovery === undefined)) return event;
	return event.extend({ recovered: z.boolean().optional(), source: z.string().optional() });
}
