import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { messageOf } from '../log';
import type { KnownEvent, Provider, ProviderFamily, RecoveryApi } from '../provider';
import { PROCESS, type Command } from '../state/commands';
import { ownerOf, triggerKey } from '../state/perTrigger';
import { processedEventsOf } from './processedEvents';

/** Decides in a run of a trigger whether its event has run before, as a delivery or recovered. */

/** How far the two times of one event may differ. */
const TIME_DIFFERENCE_MS = 60_000;

const answerSchema = z.object({ delivered: z.array(z.number()) });
const eventSchema = z.object({
	event: z.string(),
	occurredAt: z.string(),
	deliveryId: z.string(),
	data: z.custom<IDataObject>(isJsonObject),
});

/** Every key under which the delivery of a listed event may be known. */
export function keysAround({ keys }: RecoveryApi, event: KnownEvent): string[] {
	const times = [event.at, event.at - TIME_DIFFERENCE_MS, event.at + TIME_DIFFERENCE_MS];
	return [...new Set(times.flatMap((at) => keys({ ...event, at })))];
}

/** The indexes of the events that were delivered. */
export function readAnswer(answer: IDataObject): number[] {
	return answerSchema.parse(answer).delivered;
}

/** Answers which events were delivered, and remembers which runs of recovered ones have ended. */
export async function answerQuery(
	context: IExecuteFunctions,
	{ events, finished }: Extract<Command, { do: 'query' }>,
): Promise<void> {
	const processed = processedEventsOf(triggerKey(ownerOf(context)));
	if (finished.length > 0) await processed.noteEnds(context.helpers, finished);
	const delivered = events.length === 0 ? [] : await processed.delivered(context.helpers, events);
	await context.sendResponse({ delivered });
}

/**
 * Claims the event of an item for its run.
 * @param command what came with the item, where the event was recovered
 * @returns false when the event has run: its delivery comes after it was recovered, or the other way round. Where
 * n8n's database cannot be asked it runs: better twice than never.
 */
export async function claim(
	context: IExecuteFunctions,
	family: ProviderFamily,
	item: IDataObject,
	command: Command | undefined,
): Promise<boolean> {
	try {
		return await isNew(context, family, item, command);
	} catch (error) {
		context.logger.warn('Could not determine whether this event has already run', {
			node: context.getNode().name,
			reason: messageOf(error),
		});
		return true;
	}
}

async function isNew(
	context: IExecuteFunctions,
	family: ProviderFamily,
	item: IDataObject,
	command: Command | undefined,
): Promise<boolean> {
	const { recovery } = providerOf(family, item) ?? {};
	const event = eventSchema.safeParse(item);
	if (recovery === undefined || !event.success) return true;
	const { occurredAt, ...facts } = event.data;
	const known = { ...facts, at: Date.parse(occurredAt) };
	if (!recovery.events.includes(known.event)) return true;
	const processed = processedEventsOf(triggerKey(ownerOf(context)));
	if (command?.do !== 'recover') {
		return await processed.claimDelivery(context.helpers, recovery.keys(known));
	}
	const { startedBy, finished } = command;
	const id = context.getExecutionId();
	const inProcess = startedBy === PROCESS;
	const keys = keysAround(recovery, known);
	return await processed.claimRecovered(context.helpers, keys, { id, inProcess, finished });
}

function providerOf(family: ProviderFamily, { product }: IDataObject): Provider | undefined {
	return family.find((provider) => provider.product === product);
}
