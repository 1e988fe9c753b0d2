import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { ENDPOINT_ID } from '../api/endpointAnswer';
import { isJsonObject } from '../jsonObject';
import type { Provider } from '../provider';
import type { Owner } from './perTrigger';

/** What a trigger remembers between its calls, and how it is kept in n8n's static data. */

const text = z.string();
/** Without one that cannot be read, the rest of a record still says which endpoint is ours. */
const optionalText = text.optional().catch(undefined);
const optionalNames = z.array(text).optional().catch(undefined);
const optionalSwitch = z.boolean().optional().catch(undefined);
/** Epoch milliseconds that a date can hold. */
const time = z.number().min(0).max(8.64e15);

const reportedSchema = z.object({
	url: optionalText,
	events: optionalNames,
	active: optionalSwitch,
});

const recordSchema = z.object({
	workflowId: text,
	nodeId: text,
	product: optionalText,
	endpointId: text.regex(ENDPOINT_ID),
	/** Collection path of the API the endpoint was created at. */
	apiPath: text,
	/** URL and events as last registered; version 0.1.0 did not keep them. */
	url: optionalText,
	events: optionalNames,
	/**
	 * How the provider described the endpoint right after it was registered, where that differs from what was
	 * registered; as long as it does so, nothing has changed.
	 */
	reported: reportedSchema.optional().catch(undefined),
	/** Right after it was created the provider showed the endpoint nowhere, so absence proves nothing. */
	unlisted: optionalSwitch,
	/** Its removal was tried, and may have taken effect although the answer does not say so. */
	removing: optionalSwitch,
	/** Fingerprint of the account: another API key may be another account's. */
	account: optionalText,
	/** The secret is the one that is derived from the API key. */
	derived: optionalSwitch,
	/** A secret that neither the credential holds nor the API key gives: made here, or issued by the provider. */
	sealedSecret: optionalText,
	/** To check whether the secret that was sent is still the one that would be sent today. */
	secretFingerprint: optionalText,
});

/** What a trigger remembers of the endpoint it registered. */
export type RegistrationRecord = z.output<typeof recordSchema>;

/** The endpoint before the current one: what it signed still verifies before `until` (epoch milliseconds). */
const replacedSchema = recordSchema.extend({ until: time });
export type ReplacedRecord = z.output<typeof replacedSchema>;

/** An endpoint of ours that is to be deleted, and is remembered until it is gone. */
const leftoverSchema = recordSchema
	.pick({ endpointId: true, url: true, account: true, product: true })
	/** The provider offers no call to delete it. */
	.extend({ undeletable: optionalSwitch });
export type Leftover = z.output<typeof leftoverSchema>;

const cursorSchema = z.object({
	workflowId: text,
	nodeId: text,
	/** Epoch milliseconds; nothing from before it is recovered. At first, that is the first activation. */
	from: time,
	/** Epoch milliseconds up to which every event has run: the time of an event, once there was one. */
	until: time,
	/** How many of the newest events from before the first activation are still to be looked for. */
	newest: z.number().optional(),
});

/** How far a trigger has recovered what was missed. */
export type RecoveryCursor = z.output<typeof cursorSchema>;

const stateSchema = z.object({
	/** Grows with each change, even if the clock was set back: of two states, the higher revision is the newer. */
	revision: z.number().int().catch(0),
	registration: recordSchema.optional().catch(undefined),
	replaced: replacedSchema.optional().catch(undefined),
	recovery: cursorSchema.optional().catch(undefined),
	leftovers: z
		.array(z.unknown())
		.transform((all) => all.flatMap((one) => leftoverSchema.safeParse(one).data ?? []))
		.optional()
		.catch(undefined),
	/** An endpoint is being created: what does not verify may be signed with its secret. */
	creating: optionalSwitch,
});
export type TriggerState = z.output<typeof stateSchema>;

const NOTHING: TriggerState = { revision: 0 };

/** What is needed to read and write n8n's static data of a workflow. */
export interface StaticData {
	getWorkflowStaticData(type: string): IDataObject;
}

/**
 * All of the package's triggers in a workflow share one entry of the workflow's own static data, by node id: a
 * node's own is kept under its name, which changes, and other triggers cannot write it.
 */
const ENTRY = 'n8n-nodes-misar-metigan';
/** The keys of version 0.1, which kept them in the node's own static data. */
const KEYS_OF_0_1 = ['registration', 'replaced', 'recovery'] as const;

/** The states of a workflow's triggers, by node id. */
export const statesSchema = z.record(
	text,
	stateSchema.extend({ workflowId: text, revision: z.number() }),
);
/** The states as they are stored; a copied workflow brings along those of its original. */
export type StoredStates = z.output<typeof statesSchema>;

/** A trigger's state as static data holds it. */
export function readState(context: StaticData, owner: Owner): TriggerState {
	const { [owner.nodeId]: stored } = storedIn(context);
	if (isJsonObject(stored)) {
		return stored['workflowId'] === owner.workflowId ? stateSchema.parse(stored) : NOTHING;
	}
	const { registration, replaced, recovery } = stateSchema.parse(
		context.getWorkflowStaticData('node'),
	);
	const own = <T extends Owner>(part: T | undefined) =>
		part?.workflowId === owner.workflowId && part.nodeId === owner.nodeId ? part : undefined;
	return {
		revision: 0,
		registration: own(registration),
		replaced: own(replaced),
		recovery: own(recovery),
	};
}

/** Writes the states that are newer than what static data holds. */
export function writeStates(context: StaticData, owner: Owner, states: StoredStates): void {
	const stored = storedIn(context);
	const newer = Object.entries(states).filter(
		([nodeId, state]) => state.revision > revisionOf(stored[nodeId], state.workflowId),
	);
	if (newer.length === 0) return;
	const own = Object.entries(stored).filter(
		([, state]) => isJsonObject(state) && state['workflowId'] === owner.workflowId,
	);
	// n8n notices only assignments to top-level keys.
	context.getWorkflowStaticData('global')[ENTRY] = plain(Object.fromEntries([...own, ...newer]));
	if (!newer.some(([nodeId]) => nodeId === owner.nodeId)) return;
	const ofNode = context.getWorkflowStaticData('node');
	for (const key of KEYS_OF_0_1) if (key in ofNode) delete ofNode[key];
}

/** The present record, and the one before it, where they are of this product and in force. */
export function recordsFor({ registration, replaced }: TriggerState, { product }: Provider) {
	return {
		record: registration?.product === product ? registration : undefined,
		replaced: replaced !== undefined && isInForce(replaced, product) ? replaced : undefined,
	};
}

function isInForce(replaced: ReplacedRecord, product: string | undefined): boolean {
	return replaced.product === product && replaced.until > Date.now();
}

/** As long as the most persistent provider retries (Misar Mail: 24 hours). */
const REPLACED_FOR_MS = 24 * 60 * 60 * 1000;

/**
 * What every process needs to verify deliveries of an endpoint that is gone.
 * @returns undefined if it had the credential's own secret, which verifies as long as the credential holds it
 */
export function replacedBy(record: RegistrationRecord): ReplacedRecord | undefined {
	if (record.sealedSecret === undefined && record.derived !== true) return undefined;
	return { ...record, until: Date.now() + REPLACED_FOR_MS };
}

function storedIn(context: StaticData): IDataObject {
	const stored = context.getWorkflowStaticData('global')[ENTRY];
	return isJsonObject(stored) ? stored : {};
}

function revisionOf(stored: unknown, workflowId: string): number {
	const { workflowId: of, revision } = isJsonObject(stored) ? stored : {};
	return of === workflowId && Number.isSafeInteger(revision) ? Number(revision) : 0;
}

function plain(value: object): IDataObject {
	return JSON.parse(JSON.stringify(value));
}
