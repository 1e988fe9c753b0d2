import type { ProviderCredential } from '../credential';
import type { ManagementApi, Provider } from '../provider';
import { ownerOf, type NodeMemory, type RegistrationRecord } from './record';
import {
	fingerprint,
	matchesFingerprint,
	seal,
	unseal,
	type Binding,
	type KeyMaterial,
} from './secretVault';

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

/** Whether no key opens the endpoint's sealed secret, so that its deliveries cannot be verified. */
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
