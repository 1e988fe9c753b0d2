import { randomUUID } from 'node:crypto';

import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { statesSchema } from './triggerState';

/**
 * The reserved key of an item for what a trigger tells its own runs. No delivery can contain it: `webhook()` makes the
 * top level of each item itself.
 */
const COMMAND_KEY = 'trigger';

/** Identifies this process of n8n. */
export const PROCESS = randomUUID();

const keys = z.array(z.string());

const identitySchema = z.object({
	own: z.string().optional(),
	about: z.string(),
	at: z.number(),
	toleranceMs: z.number(),
});

const commandSchema = z.discriminatedUnion('do', [
	/** Saves what the workflow's triggers remember. */
	z.object({ do: z.literal('save'), states: statesSchema }),
	/** Claims those of several events that have not run, and notes runs that have ended. */
	z.object({ do: z.literal('query'), events: z.array(identitySchema), ended: keys }),
	/** Comes with a recovered event, whose run has an id of its own. */
	z.object({ do: z.literal('recover'), startedBy: z.string(), run: z.string(), ended: keys }),
	/** Tells a person who listens for a test event why a delivery started no run. */
	z.object({ do: z.literal('tell'), message: z.string(), description: z.string() }),
]);
export type Command = z.output<typeof commandSchema>;

/** An item with a command; `event` is what the workflow gets to see. */
export function commandItem(command: Command, event: IDataObject = {}): IDataObject {
	return { ...event, [COMMAND_KEY]: JSON.parse(JSON.stringify(command)) };
}

/** An item's command, and what is left without it: undefined where the item consists of nothing else. */
export function readCommand(item: IDataObject): {
	readonly command: Command | undefined;
	readonly event: IDataObject | undefined;
} {
	const { [COMMAND_KEY]: command, ...event } = item;
	if (!isJsonObject(command)) return { command: undefined, event: item };
	return {
		command: commandSchema.safeParse(command).data,
		event: Object.keys(event).length === 0 ? undefined : event,
	};
}
