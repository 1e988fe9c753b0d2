import type { IDataObject, IHookFunctions, INode } from 'n8n-workflow';

import { ENDPOINT_ID } from '../api/endpointAnswer';
import { isJsonObject } from '../jsonObject';
import type { Owner } from '../perTrigger';
import type { Provider } from '../provider';

/**
 * What a trigger remembers of the endpoint it registered. Kept in static data under one top-level
 * key and replaced whole, because n8n notices only assignments to top-level keys.
 */
export interface RegistrationRecord {
	readonly workflowId: string;
	readonly nodeId: string;
	readonly product?: string | undefined;
	readonly endpointId: string;
	/** Collection path of the API the endpoint was created at. */
	readonly apiPath: string;
	/** URL and events as last registered; version 0.1 did not keep them. */
	readonly url?: string | undefined;
	readonly events?: readonly string[] | undefined;
	/** The provider's list left the endpoint out right after it was created, so absence proves nothing. */
	readonly unlisted?: boolean | undefined;
	/** Epoch milliseconds at which n8n's hooks last registered it or found it intact. */
	readonly publishedAt?: number | undefined;
	/** A secret that is not in the credential: made here or issued by the provider. */
	readonly sealedSecret?: string | undefined;
	/** To check whether the credential's signing secret is still the one the endpoint was given. */
	readonly secretFingerprint?: string | undefined;
}

/** The endpoint before the present one: what it signed still verifies for a while. */
interface ReplacedRecord extends RegistrationRecord {
	/** Epoch milliseconds. */
	readonly until: number;
}

const RECORD_KEY = 'registration';
const REPLACED_KEY = 'replaced';
const RECOVERY_KEY = 'recovery';
/** As long as the most persistent provider retries (Misar Mail: 24 hours). */
const REPLACED_FOR_MS = 24 * 60 * 60 * 1000;

/** How far a trigger has recovered what was missed. */
export interface RecoveryPoint {
	readonly workflowId: string;
	readonly nodeId: string;
	/** Epoch milliseconds of the first activation: nothing from before it is recovered. */
	readonly from: number;
	/** Epoch milliseconds up to which every event has run. */
	readonly until: number;
	/** n8n may have been killed while it looked up which events are missing. */
	readonly unsure?: boolean | undefined;
}

/** What a node remembers between its calls, and which node it is. */
export type NodeMemory = Pick<IHookFunctions, 'getNode' | 'getWorkflow'> & {
	getWorkflowStaticData(type: 'node'): IDataObject;
};

/**
 * The endpoint this very node registered. A record that came along in a copied workflow belongs
 * to the original, and one of another product cannot be managed with this product's key: both
 * are ignored.
 */
export function loadRecord(
	memory: NodeMemory,
	provider: Provider,
	owner: Owner = ownerOf(memory),
): RegistrationRecord | undefined {
	const stored: unknown = memory.getWorkflowStaticData('node')[RECORD_KEY];
	return isRecord(stored) && isOwn(stored, provider, owner) ? stored : undefined;
}

/** Whether this very node registered an endpoint, of any product. */
export function hasRecord(memory: NodeMemory): boolean {
	const stored: unknown = memory.getWorkflowStaticData('node')[RECORD_KEY];
	return isRecord(stored) && belongsTo(stored, ownerOf(memory));
}

export function saveRecord(memory: NodeMemory, record: RegistrationRecord): void {
	store(memory, RECORD_KEY, { ...record });
}

export function forgetRecord(memory: NodeMemory): void {
	delete memory.getWorkflowStaticData('node')[RECORD_KEY];
}

/**
 * Keeps the sealed secret of an endpoint that is gone: deliveries signed with it are still on
 * their way. In static data, so that every process of n8n's queue mode can verify them. Not for an
 * endpoint that stays behind at the provider: it would deliver every event again.
 */
export function saveReplaced(memory: NodeMemory, record: RegistrationRecord): void {
	if (record.sealedSecret === undefined) return;
	store(memory, REPLACED_KEY, { ...record, until: Date.now() + REPLACED_FOR_MS });
}

/** The record before the present one, as long as something signed with its secret may arrive. */
export function loadReplaced(
	memory: NodeMemory,
	provider: Provider,
	owner: Owner = ownerOf(memory),
): RegistrationRecord | undefined {
	const stored: unknown = memory.getWorkflowStaticData('node')[REPLACED_KEY];
	if (!isReplaced(stored) || stored.until < Date.now()) return undefined;
	return isOwn(stored, provider, owner) ? stored : undefined;
}

export function forgetReplaced(memory: NodeMemory): void {
	delete memory.getWorkflowStaticData('node')[REPLACED_KEY];
}

/** How far this very node has recovered what was missed; undefined before it ever looked. */
export function loadRecoveryPoint(
	memory: NodeMemory,
	owner: Owner = ownerOf(memory),
): RecoveryPoint | undefined {
	const stored: unknown = memory.getWorkflowStaticData('node')[RECOVERY_KEY];
	return isRecoveryPoint(stored) && belongsTo(stored, owner) ? stored : undefined;
}

/** The point of a node that has recovered nothing yet. @param now epoch milliseconds */
export function firstPoint({ workflowId, nodeId }: Owner, now: number): RecoveryPoint {
	return { workflowId, nodeId, from: now, until: now };
}

export function saveRecoveryPoint(memory: NodeMemory, point: RecoveryPoint): void {
	store(memory, RECOVERY_KEY, { ...point });
}

export function forgetRecoveryPoint(memory: NodeMemory): void {
	const data = memory.getWorkflowStaticData('node');
	if (RECOVERY_KEY in data) delete data[RECOVERY_KEY];
}

/** A copy of everything kept here, as plain JSON. */
export function copyState(memory: NodeMemory): IDataObject {
	const data = memory.getWorkflowStaticData('node');
	const { [RECORD_KEY]: record, [REPLACED_KEY]: replaced, [RECOVERY_KEY]: point } = data;
	const state = {
		...(isRecoveryPoint(point) ? { [RECOVERY_KEY]: point } : {}),
		...(isRecord(record) ? { [RECORD_KEY]: record } : {}),
		...(isReplaced(replaced) ? { [REPLACED_KEY]: replaced } : {}),
	};
	return JSON.parse(JSON.stringify(state));
}

/** Notes that n8n's hooks have now registered the endpoint or found it intact. */
export function notePublish(memory: NodeMemory): void {
	const { [RECORD_KEY]: record } = memory.getWorkflowStaticData('node');
	if (isRecord(record)) store(memory, RECORD_KEY, { ...record, publishedAt: Date.now() });
}

/**
 * Makes what is kept here equal to `state`, which came from `copyState`; not the registration when the
 * workflow was published meanwhile, because what the publish registered is newer.
 * @param since epoch milliseconds at which the check began that made `state`
 */
export function applyState(memory: NodeMemory, state: IDataObject, since: number): void {
	const { [RECORD_KEY]: present } = memory.getWorkflowStaticData('node');
	const { [RECOVERY_KEY]: point } = state;
	if (isRecoveryPoint(point)) store(memory, RECOVERY_KEY, point);
	if (isRecord(present) && (present.publishedAt ?? 0) > since) return;
	const { [RECORD_KEY]: record, [REPLACED_KEY]: replaced } = state;
	if (isRecord(record)) store(memory, RECORD_KEY, record);
	if (isReplaced(replaced)) store(memory, REPLACED_KEY, replaced);
	else forgetReplaced(memory);
}

function store(memory: NodeMemory, key: string, value: IDataObject): void {
	memory.getWorkflowStaticData('node')[key] = value;
}

function isRecord(stored: unknown): stored is RegistrationRecord & IDataObject {
	if (!isJsonObject(stored)) return false;
	const { workflowId, nodeId, endpointId, apiPath, events } = stored;
	const { product, url, sealedSecret, secretFingerprint, unlisted, publishedAt } = stored;
	return (
		[workflowId, nodeId, apiPath].every(isText) &&
		[product, url, sealedSecret, secretFingerprint].every(
			(value) => value === undefined || isText(value),
		) &&
		(events === undefined || (Array.isArray(events) && events.every(isText))) &&
		(unlisted === undefined || typeof unlisted === 'boolean') &&
		(publishedAt === undefined || typeof publishedAt === 'number') &&
		isText(endpointId) &&
		ENDPOINT_ID.test(endpointId)
	);
}

function isReplaced(stored: unknown): stored is ReplacedRecord & IDataObject {
	return isRecord(stored) && typeof stored['until'] === 'number';
}

function isRecoveryPoint(stored: unknown): stored is RecoveryPoint & IDataObject {
	if (!isJsonObject(stored)) return false;
	const { workflowId, nodeId, from, until, unsure } = stored;
	return (
		[workflowId, nodeId].every(isText) &&
		[from, until].every((time) => typeof time === 'number') &&
		(unsure === undefined || typeof unsure === 'boolean')
	);
}

function isText(value: unknown): value is string {
	return typeof value === 'string';
}

function isOwn(record: RegistrationRecord, { product }: Provider, owner: Owner): boolean {
	return belongsTo(record, owner) && record.product === product;
}

function belongsTo({ workflowId, nodeId }: Owner, owner: Owner): boolean {
	return workflowId === owner.workflowId && nodeId === owner.nodeId;
}

/** @param node passed by a caller that has it already, because n8n makes a deep copy on each call */
export function ownerOf(
	context: Pick<NodeMemory, 'getNode' | 'getWorkflow'>,
	node: INode = context.getNode(),
): Owner {
	return { workflowId: context.getWorkflow().id ?? '', nodeId: node.id };
}
