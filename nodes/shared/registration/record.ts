import type { IDataObject, IHookFunctions, INode } from 'n8n-workflow';

import { ENDPOINT_ID } from '../api/endpointAnswer';
import { isJsonObject } from '../jsonObject';
import type { Owner } from '../perTrigger';
import type { ManagementApi, Provider } from '../provider';
import {
	fingerprint,
	matchesFingerprint,
	seal,
	unseal,
	type Binding,
	type KeyMaterial,
} from './secretVault';
import type { ProviderCredential } from '../settings';

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
	/** A secret that is not in the credential: made here or issued by the provider. */
	readonly sealedSecret?: string | undefined;
	/** Tells whether the credential's signing secret is still the one the endpoint was given. */
	readonly secretFingerprint?: string | undefined;
}

/** The endpoint before the present one: what it signed still verifies for a while. */
interface ReplacedRecord extends RegistrationRecord {
	/** Epoch milliseconds. */
	readonly until: number;
}

const RECORD_KEY = 'registration';
const REPLACED_KEY = 'replaced';
/** As long as the most patient provider goes on trying to deliver (Misar Mail: 24 hours). */
const REPLACED_FOR_MS = 24 * 60 * 60 * 1000;

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

/** Whether this very node registered an endpoint, of whatever product. */
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

/** A copy of everything kept here, as plain JSON. */
export function copyState(memory: NodeMemory): IDataObject {
	const { [RECORD_KEY]: record, [REPLACED_KEY]: replaced } = memory.getWorkflowStaticData('node');
	const state = {
		...(isRecord(record) ? { [RECORD_KEY]: record } : {}),
		...(isReplaced(replaced) ? { [REPLACED_KEY]: replaced } : {}),
	};
	return JSON.parse(JSON.stringify(state));
}

/** Makes what is kept here equal to `state`, which came from `copyState`. */
export function applyState(memory: NodeMemory, state: IDataObject): void {
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
	const { product, url, sealedSecret, secretFingerprint, unlisted } = stored;
	return (
		[workflowId, nodeId, apiPath].every(isText) &&
		[product, url, sealedSecret, secretFingerprint].every(
			(value) => value === undefined || isText(value),
		) &&
		(events === undefined || (Array.isArray(events) && events.every(isText))) &&
		(unlisted === undefined || typeof unlisted === 'boolean') &&
		isText(endpointId) &&
		ENDPOINT_ID.test(endpointId)
	);
}

function isReplaced(stored: unknown): stored is ReplacedRecord & IDataObject {
	return isRecord(stored) && typeof stored['until'] === 'number';
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

/** @param node given by who has it already, because n8n copies it whole each time it is asked */
export function ownerOf(memory: NodeMemory, node: INode = memory.getNode()): Owner {
	return { workflowId: memory.getWorkflow().id ?? '', nodeId: node.id };
}

/** What is known of an endpoint besides its secret. */
export type EndpointFacts = Pick<
	RegistrationRecord,
	'endpointId' | 'apiPath' | 'url' | 'events' | 'unlisted'
>;

/**
 * Makes the record of a fresh endpoint. `secretToSeal` is a secret that the credential does not
 * hold; the credential's own is kept as a fingerprint.
 */
export function makeRecord(
	memory: NodeMemory,
	{ product }: Provider,
	credential: ProviderCredential,
	facts: EndpointFacts,
	secretToSeal: string | undefined,
): RegistrationRecord {
	const record = { ...ownerOf(memory), ...(product === undefined ? {} : { product }), ...facts };
	const [key] = keyMaterials(credential);
	return {
		...record,
		...(secretToSeal === undefined || key === undefined
			? {}
			: { sealedSecret: seal(secretToSeal, key, record) }),
		...fingerprintOf(record, credential),
	};
}

/**
 * The same record under today's keys: a seal that another key of the credential opened is made
 * again with the first one, before that other key is removed from the credential.
 */
export function withCurrentKeys(
	record: RegistrationRecord,
	credential: ProviderCredential,
): RegistrationRecord {
	const [key] = keyMaterials(credential);
	const opened = openSecret(record, credential);
	const outdated = opened !== undefined && !opened.current && key !== undefined;
	return {
		...record,
		...(outdated ? { sealedSecret: seal(opened.secret, key, record) } : {}),
		...(record.secretFingerprint === undefined ? {} : fingerprintOf(record, credential)),
	};
}

/**
 * Whether the endpoint was registered with what the credential holds today, so that its
 * deliveries can be verified.
 */
export function secretIsCurrent(
	record: RegistrationRecord,
	credential: ProviderCredential,
	api: ManagementApi,
): boolean {
	const canOpen = openSecret(record, credential) !== undefined;
	const { signingSecret } = credential;
	if (signingSecret === '' || api.sendsSecret === 'never') return canOpen;
	const [key] = keyMaterials(credential);
	const unchanged =
		key !== undefined &&
		record.secretFingerprint !== undefined &&
		matchesFingerprint(record.secretFingerprint, signingSecret, key, record);
	return unchanged && (record.sealedSecret === undefined || canOpen);
}

/** Whether deliveries of the endpoint cannot be verified, because no key opens its sealed secret. */
export function isSealedShut(
	record: RegistrationRecord | undefined,
	credential: ProviderCredential,
): boolean {
	return record?.sealedSecret !== undefined && openSecret(record, credential) === undefined;
}

/** Secrets that may verify a delivery now: the credential's two, and the sealed ones of the records. */
export function liveSecrets(
	records: ReadonlyArray<RegistrationRecord | undefined>,
	credential: ProviderCredential,
): readonly string[] {
	const sealed = records.map((record) => (record && openSecret(record, credential)?.secret) ?? '');
	return [credential.signingSecret, credential.previousSigningSecret, ...sealed].filter(
		(secret) => secret !== '',
	);
}

function openSecret(record: RegistrationRecord, credential: ProviderCredential) {
	if (record.sealedSecret === undefined) return undefined;
	return unseal(record.sealedSecret, keyMaterials(credential), record);
}

function fingerprintOf(record: Binding, credential: ProviderCredential) {
	const [key] = keyMaterials(credential);
	if (credential.signingSecret === '' || key === undefined) return {};
	return { secretFingerprint: fingerprint(credential.signingSecret, key, record) };
}

/**
 * What a seal may have been made with; the first one seals. An API key changes less often than a
 * signing secret, and cannot be guessed.
 */
function keyMaterials(credential: ProviderCredential): readonly KeyMaterial[] {
	const { apiSecret, apiSecretTyped, signingSecret, previousSigningSecret } = credential;
	return [
		{ text: apiSecret, typed: apiSecretTyped },
		{ text: signingSecret, typed: true },
		{ text: previousSigningSecret, typed: true },
	].filter(({ text }) => text !== '');
}
