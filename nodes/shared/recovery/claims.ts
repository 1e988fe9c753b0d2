import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { messageOf } from '../log';
import type { ProviderFamily } from '../provider';
import type { Identity } from '../recoveryApi';
import { PROCESS, type Command } from '../state/commands';
import { ownerOf, triggerKey } from '../state/perTrigger';
import { whenRunEnds } from '../state/runEnd';
import { deliveredKeys, keysAround } from './identity';
import { processedEventsOf } from './processedEvents';

/** Decides in a run of a trigger whether its event has run before, as a delivery or recovered. */

const answerSchema = z.object({ missing: z.array(z.number()) });
const eventSchema = z.object({
	event: z.string(),
	occurredAt: z.string().nullable(),
	deliveryId: z.string(),
	data: z.custom<IDataObject>(isJsonObject),
});

/** The indexes of the events that have not run. */
export function readAnswer(answer: IDataObject): number[] {
	return answerSchema.parse(answer).missing;
}

/** Answers which events have not run, and remembers which runs of recovered ones have ended. */
export async function answerQuery(
	context: IExecuteFunctions,
	{ events, ended }: Extract<Command, { do: 'query' }>,
): Promise<void> {
	const processed = processedEventsOf(triggerKey(ownerOf(context)));
	await noteEnds(context, ended);
	const missing = await processed.claimMissing(context.helpers, events);
	await context.sendResponse({ missing });
}

async function noteEnds(context: IExecuteFunctions, ended: readonly string[]): Promise<void> {
	if (ended.length === 0) return;
	try {
		await processedEventsOf(triggerKey(ownerOf(context))).noteEnds(context.helpers, ended);
	} catch (error) {
		context.logger.warn('Could not record that the run of an event has ended; it may run again', {
			node: context.getNode().name,
			reason: messageOf(error),
		});
	}
}

/**
 * Claims the event of an item for its run.
 * @param command what came with the item, if the event was recovered
 * @returns false when the event has run before, as a delivery or recovered; true if n8n's database cannot be asked: it
 * is better to run twice than never
 */
export async function claim(
	context: IExecuteFunctions,
	family: ProviderFamily,
	item: IDataObject,
	command: Command | undefined,
): Promise<boolean> {
	try {
		const identity = identityOf(family, item);
		if (identity === undefined) return true;
		return command?.do === 'recover'
			? await claimRecovered(context, identity, command)
			: await claimDelivery(context, identity);
	} catch (error) {
		context.logger.warn('Could not determine whether this event has already run', {
			node: context.getNode().name,
			reason: messageOf(error),
		});
		return true;
	}
}

async function claimDelivery(context: IExecuteFunctions, identity: Identity): Promise<boolean> {
	const processed = processedEventsOf(triggerKey(ownerOf(context)));
	let isClaimed = false;
	const endIsTold =
		processed.isRecoveredHere &&
		whenRunEnds(context, async () => {
			if (isClaimed) await noteEnds(context, deliveredKeys(identity));
		});
	isClaimed = await processed.claimDelivery(context.helpers, identity, endIsTold);
	return isClaimed;
}

async function claimRecovered(
	context: IExecuteFunctions,
	identity: Identity,
	{ startedBy, run, ended }: Extract<Command, { do: 'recover' }>,
): Promise<boolean> {
	// A person who retries a run wants it to run.
	if (context.getMode() === 'retry') return true;
	const processed = processedEventsOf(triggerKey(ownerOf(context)));
	await noteEnds(context, ended);
	const keys = keysAround(identity);
	processed.note(keys);
	if (startedBy !== PROCESS) return await processed.beginOnce(context.helpers, keys, run);
	if (!processed.isLatest(keys, run)) return false;
	whenRunEnds(context, async () => await noteEnds(context, [...keys, run]));
	return true;
}

/** @returns undefined for an event that the provider's API does not list */
function identityOf(family: ProviderFamily, item: IDataObject): Identity | undefined {
	const { recovery } = family.find(({ product }) => product === item['product']) ?? {};
	const { success, data } = eventSchema.safeParse(item);
	if (!success || recovery?.events.includes(data.event) !== true) return undefined;
	const { occurredAt, ...facts } = data;
	// A delivery that does not say when it happened was sent soon after.
	const at = occurredAt === null ? Date.now() : Date.parse(occurredAt);
	return recovery.identify({ ...facts, at });
}
