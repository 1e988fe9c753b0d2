import { randomUUID } from 'node:crypto';

import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod/v4';

import { isJsonObject } from '../jsonObject';
import { messageOf } from '../log';
import { triggerKey } from '../perTrigger';
import type { KnownEvent, Provider, ProviderFamily, RecoveryApi } from '../provider';
import { ownerOf } from '../registration/record';
import { settledEventsOf } from './settledEvents';

/** Decides in a run of a trigger whether its event has run before, as a delivery or recovered. */

/** How far the two times of one event may differ. */
const TIME_DIFFERENCE_MS = 60_000;
/**
 * These mark an item that asks which events were delivered, and the item of a recovered event. No delivery
 * can contain them: `webhook()` makes the top level of each item itself.
 */
const QUESTION_KEY = 'deliveredEvents';
const RUN_KEY = 'recoveryRun';
/** This process of n8n. */
const PROCESS = randomUUID();

const questionSchema = z.object({
	[QUESTION_KEY]: z.array(z.array(z.string())),
	finished: z.array(z.string()),
});
const runSchema = z.object({ startedBy: z.string(), finished: z.array(z.string()) });
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

/**
 * The item of a run that answers which events were delivered.
 * @param keys of each
 * @param finished first keys of recovered events whose runs have ended
 */
export function questionItem(
	keys: ReadonlyArray<readonly string[]>,
	finished: readonly string[] = [],
): IDataObject {
	return { [QUESTION_KEY]: keys.map((list) => [...list]), finished: [...finished] };
}

/** The indexes of the events that were delivered. */
export function readAnswer(answer: IDataObject): number[] {
	return answerSchema.parse(answer).delivered;
}

/** The item of a recovered event, with what its run has to know. */
export function recoveredItem(item: IDataObject, finished: readonly string[]): IDataObject {
	return { ...item, [RUN_KEY]: { startedBy: PROCESS, finished: [...finished] } };
}

/** Answers a question; false where the item is not one. */
export async function answerQuestion(
	context: IExecuteFunctions,
	item: IDataObject,
): Promise<boolean> {
	const question = questionSchema.safeParse(item);
	if (!question.success) return false;
	const settled = settledEventsOf(triggerKey(ownerOf(context)));
	const { [QUESTION_KEY]: events, finished } = question.data;
	if (finished.length > 0) await settled.noteEnds(context.helpers, finished);
	const delivered = events.length === 0 ? [] : await settled.delivered(context.helpers, events);
	await context.sendResponse({ delivered });
	return true;
}

/**
 * Admits the event of an item to its run: not when its delivery comes after it was recovered, or the
 * other way round. Where n8n's database cannot be asked it runs: better twice than never.
 * @returns the item that goes on; undefined when the event has run
 */
export async function admit(
	context: IExecuteFunctions,
	family: ProviderFamily,
	item: IDataObject,
): Promise<IDataObject | undefined> {
	const { [RUN_KEY]: run, ...shown } = item;
	try {
		return (await isAdmitted(context, family, shown, run)) ? shown : undefined;
	} catch (error) {
		context.logger.warn('It could not be looked up whether this event has run before', {
			node: context.getNode().name,
			reason: messageOf(error),
		});
		return shown;
	}
}

async function isAdmitted(
	context: IExecuteFunctions,
	family: ProviderFamily,
	item: IDataObject,
	run: unknown,
): Promise<boolean> {
	const { recovery } = providerOf(family, item) ?? {};
	const event = eventSchema.safeParse(item);
	if (recovery === undefined || !event.success) return true;
	const { occurredAt, ...facts } = event.data;
	const known = { ...facts, at: Date.parse(occurredAt) };
	if (!recovery.events.includes(known.event)) return true;
	const settled = settledEventsOf(triggerKey(ownerOf(context)));
	const started = runSchema.safeParse(run);
	if (!started.success) return await settled.admitDelivery(context.helpers, recovery.keys(known));
	const { startedBy, finished } = started.data;
	const id = context.getExecutionId();
	const inProcess = startedBy === PROCESS;
	const keys = keysAround(recovery, known);
	return await settled.admitRecovered(context.helpers, keys, { id, inProcess, finished });
}

function providerOf(family: ProviderFamily, { product }: IDataObject): Provider | undefined {
	return family.find((provider) => provider.product === product);
}
