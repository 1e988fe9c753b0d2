import type { IDataObject, INode } from 'n8n-workflow';
import { z } from 'zod/v4';

import { ENDPOINT_ID } from './endpointAnswer';
import { isJsonObject } from './jsonObject';
import type { ItemStyle, ManagementApi, Provider } from './provider';
import { fingerprint, open, sameFingerprint, seal, type Binding } from './secretVault';
import type { ProviderCredential, TriggerContext } from './triggerSettings';

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
	/** A secret that is not in the credential: made here or issued by the provider. */
	readonly sealedSecret?: string | undefined;
	/** Tells whether the credential's signing secret is still the one the endpoint was given. */
	readonly secretFingerprint?: string | undefined;
}

const STATIC_DATA_KEY = 'registration';
/** As long as the most patient provider goes on trying to deliver (Misar Mail: 24 hours). */
const RETIRED_FOR_MS = 24 * 60 * 60 * 1000;
/** Survives an unpublish, because it is a fact of the installation and not of the endpoint. */
const ITEM_STYLE_KEY = 'itemStyle';

/**
 * The endpoint this very node registered. A record that came along in a copied workflow belongs
 * to the original, and one of another product cannot be managed with this product's key: both
 * are ignored.
 */
export function loadRecord(
	context: TriggerContext,
	provider: Provider,
	owner: Owner = ownerOf(context),
): RegistrationRecord | undefined {
	const stored: unknown = context.getWorkflowStaticData('node')[STATIC_DATA_KEY];
	return isRecord(stored) && isOwn(stored, provider, owner) ? stored : undefined;
}

/** By hand and not by a schema, because it is asked for each delivery. */
function isRecord(stored: unknown): stored is RegistrationRecord & IDataObject {
	if (!isJsonObject(stored)) return false;
	const { workflowId, nodeId, product, endpointId, apiPath, sealedSecret, secretFingerprint } =
		stored;
	return (
		[workflowId, nodeId, apiPath].every((value) => typeof value === 'string') &&
		[product, sealedSecret, secretFingerprint].every(
			(value) => value === undefined || typeof value === 'string',
		) &&
		typeof endpointId === 'string' &&
		ENDPOINT_ID.test(endpointId)
	);
}

function isOwn(record: RegistrationRecord, { product }: Provider, owner: Owner): boolean {
	return (
		record.workflowId === owner.workflowId &&
		record.nodeId === owner.nodeId &&
		record.product === product
	);
}

export function saveRecord(context: TriggerContext, record: RegistrationRecord): void {
	const stored: IDataObject = { ...record };
	context.getWorkflowStaticData('node')[STATIC_DATA_KEY] = stored;
}

export function forgetRecord(context: TriggerContext): void {
	delete context.getWorkflowStaticData('node')[STATIC_DATA_KEY];
}

/**
 * The last record with a secret of its own whose endpoint each trigger let go of. Deliveries signed
 * with it are still on their way, above all when n8n publishes again: it deletes the endpoint and
 * creates another. In process memory, because a trigger without an endpoint leaves nothing behind.
 */
const retired = new Map<string, { readonly record: RegistrationRecord; readonly at: number }>();

/** For an endpoint that is gone: one that stays behind at the provider would deliver every event again. */
export function retireRecord(record: RegistrationRecord): void {
	if (record.sealedSecret === undefined) return;
	for (const [key, { at }] of retired) if (isOver(at)) retired.delete(key);
	retired.set(retiredKey(record), { record, at: Date.now() });
}

/** An endpoint that was thought to be gone turned out to be there still. */
export function unretireRecord(owner: Owner, endpointId: string): void {
	const key = retiredKey(owner);
	if (retired.get(key)?.record.endpointId === endpointId) retired.delete(key);
}

/** The record before the present one, as long as something signed with its secret may arrive. */
export function loadRetired(provider: Provider, owner: Owner): RegistrationRecord | undefined {
	const found = retired.get(retiredKey(owner));
	if (found === undefined || isOver(found.at)) return undefined;
	return isOwn(found.record, provider, owner) ? found.record : undefined;
}

function retiredKey({ workflowId, nodeId }: Owner): string {
	return JSON.stringify([workflowId, nodeId]);
}

function isOver(retiredAt: number): boolean {
	return Date.now() - retiredAt > RETIRED_FOR_MS;
}

const itemStyleSchema = z.object({
	id: z.enum(['path', 'query', 'body']),
	update: z.enum(['PATCH', 'PUT']),
});

/** How the installation was last found to address one endpoint. */
export function loadItemStyle(context: TriggerContext): ItemStyle | undefined {
	const stored = context.getWorkflowStaticData('node')[ITEM_STYLE_KEY];
	const parsed = itemStyleSchema.safeParse(stored);
	return parsed.success ? parsed.data : undefined;
}

export function saveItemStyle(context: TriggerContext, style: ItemStyle | undefined): void {
	if (style !== undefined) context.getWorkflowStaticData('node')[ITEM_STYLE_KEY] = { ...style };
}

/**
 * Makes the record of a fresh endpoint. `secretToSeal` is a secret that the credential does not
 * hold; the credential's own is kept as a fingerprint.
 */
export function makeRecord(
	context: TriggerContext,
	provider: Provider,
	credential: ProviderCredential,
	endpoint: { readonly id: string; readonly apiPath: string },
	secretToSeal: string | undefined,
): RegistrationRecord {
	const owner = ownerOf(context);
	const binding: Binding = { ...owner, endpointId: endpoint.id };
	return {
		...owner,
		...(provider.product === undefined ? {} : { product: provider.product }),
		endpointId: endpoint.id,
		apiPath: endpoint.apiPath,
		...(secretToSeal === undefined
			? {}
			: { sealedSecret: seal(secretToSeal, sealingKeys(credential)[0] ?? '', binding) }),
		...(credential.signingSecret === ''
			? {}
			: {
					secretFingerprint: fingerprint(
						credential.signingSecret,
						fingerprintKey(credential),
						binding,
					),
				}),
	};
}

/** The sealed secret of a record, or undefined when there is none or no key of the credential fits. */
function openSecret(
	record: RegistrationRecord,
	credential: ProviderCredential,
): string | undefined {
	if (record.sealedSecret === undefined) return undefined;
	return open(record.sealedSecret, sealingKeys(credential), record);
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
	if (credential.signingSecret === '' || api.sendsSecret === 'never') return canOpen;
	const expected = fingerprint(credential.signingSecret, fingerprintKey(credential), record);
	const unchanged =
		record.secretFingerprint !== undefined && sameFingerprint(record.secretFingerprint, expected);
	return unchanged && (record.sealedSecret === undefined || canOpen);
}

/** Secrets that may verify a delivery now: the credential's two, and the sealed ones of the records. */
export function liveSecrets(
	records: ReadonlyArray<RegistrationRecord | undefined>,
	credential: ProviderCredential,
): readonly string[] {
	const sealed = records.map((record) => (record && openSecret(record, credential)) ?? '');
	return [credential.signingSecret, credential.previousSigningSecret, ...sealed].filter(
		(secret) => secret !== '',
	);
}

/** The node that an endpoint or a delivery belongs to. */
export type Owner = Pick<Binding, 'workflowId' | 'nodeId'>;

/** @param node given by who has it already, because n8n copies it whole each time it is asked */
export function ownerOf(context: TriggerContext, node: INode = context.getNode()): Owner {
	return { workflowId: context.getWorkflow().id ?? '', nodeId: node.id };
}

/** Keys a seal may have been made with; the first one seals. */
function sealingKeys(credential: ProviderCredential): readonly string[] {
	return [credential.signingSecret, credential.previousSigningSecret, credential.apiSecret].filter(
		(key) => key !== '',
	);
}

/** The API key keeps a short signing secret from being guessed by its fingerprint. */
function fingerprintKey(credential: ProviderCredential): string {
	return credential.apiSecret === '' ? credential.signingSecret : credential.apiSecret;
}
