import type { ProviderCredential } from '../credential';
import type { Provider } from '../provider';
import { flawOf } from '../secretText';
import { parseUrl } from '../url';
import type { Owner } from './perTrigger';
import {
	deriveSecret,
	fingerprint,
	generateSecret,
	matchesFingerprint,
	seal,
	unseal,
	type KeyMaterial,
} from './secretVault';
import type { RegistrationRecord } from './triggerState';

/** What decides which secret an endpoint has. */
export interface SecretContext {
	readonly owner: Owner;
	readonly provider: Provider;
	readonly credential: ProviderCredential;
	/** A test listener has a secret of its own. */
	readonly isTest: boolean;
}

/** What is known of an endpoint besides its secret. */
export type EndpointFacts = Pick<
	RegistrationRecord,
	'endpointId' | 'apiPath' | 'url' | 'events' | 'unlisted' | 'reported'
>;

/** The secret that is sent when an endpoint is created. */
export interface SentSecret {
	readonly secret: string;
	readonly from: 'credential' | 'apiKey' | 'random';
}

/**
 * The secret to create an endpoint with: the credential's own, else one derived from its API key, else a random
 * one, because whoever saw a secret derived from a typed password could guess at the password.
 * @returns undefined where the provider issues the secret
 */
export function secretToSend(place: SecretContext): SentSecret | undefined {
	if (place.provider.api?.sendsSecret !== 'always') return undefined;
	const { signingSecret } = place.credential;
	if (signingSecret !== '') return { secret: signingSecret, from: 'credential' };
	const secret = derivedSecret(place);
	return secret === undefined
		? { secret: generateSecret(), from: 'random' }
		: { secret, from: 'apiKey' };
}

/** Whether an endpoint may get a secret that no process knows before it is created. */
export function mayHaveNewSecret({ provider: { api }, credential }: SecretContext): boolean {
	if (api?.sendsSecret !== 'always' || api.mayIssueAnother === true) return true;
	return credential.signingSecret === '' && credential.apiSecretTyped;
}

/**
 * Makes the record of a fresh endpoint.
 * @param issued the secret that the provider gave it, where that is not the one that was sent
 */
export function makeRecord(
	place: SecretContext,
	facts: EndpointFacts,
	sent: SentSecret | undefined,
	issued: string | undefined,
): RegistrationRecord {
	const { owner, provider, credential } = place;
	const record = { ...owner, product: provider.product, ...facts };
	const [key] = keyMaterials(credential);
	const secretToSeal = issued ?? (sent?.from === 'random' ? sent.secret : undefined);
	return {
		...record,
		account: accountOf(place, facts.endpointId),
		derived: issued === undefined && sent?.from === 'apiKey' ? true : undefined,
		sealedSecret: secretToSeal && key && seal(secretToSeal, key, record),
		secretFingerprint:
			key === undefined || sent === undefined || sent.from === 'random'
				? undefined
				: fingerprint(sent.secret, key, record),
	};
}

/**
 * The same record under the credential's current keys. If it took a key other than the first to open the secret, it is
 * sealed again with the first, before that other key is removed from the credential.
 */
export function withCurrentKeys(
	record: RegistrationRecord,
	place: SecretContext,
): RegistrationRecord {
	const { credential } = place;
	const [key] = keyMaterials(credential);
	const opened = openSecret(record, credential);
	const outdated = opened !== undefined && !opened.current && key !== undefined;
	const known = wasSentTheKnownSecret(record, place) ? knownSecret(place) : undefined;
	return {
		...record,
		account: accountOf(place, record.endpointId),
		...(outdated ? { sealedSecret: seal(opened.secret, key, record) } : {}),
		...(known && key ? { secretFingerprint: fingerprint(known, key, record) } : {}),
	};
}

/**
 * Whether the endpoint was registered with what the credential holds today, so that its
 * deliveries can be verified.
 */
export function secretIsCurrent(record: RegistrationRecord, place: SecretContext): boolean {
	const { credential, provider } = place;
	const isSealed = record.sealedSecret !== undefined;
	const canOpen = openSecret(record, credential) !== undefined;
	if (provider.api?.sendsSecret !== 'always') return canOpen;
	if (isSealed && !canOpen) return false;
	if (isSealed && credential.signingSecret === '') return true;
	return wasSentTheKnownSecret(record, place);
}

/** Whether no key of the credential gives the endpoint's secret, so that its deliveries cannot be verified. */
export function cannotUnseal(
	record: RegistrationRecord | undefined,
	place: SecretContext,
): boolean {
	if (record === undefined) return false;
	if (record.derived === true) return !wasSentTheKnownSecret(record, place);
	return record.sealedSecret !== undefined && openSecret(record, place.credential) === undefined;
}

/** A fingerprint of the account that an endpoint is registered in: of the API key, and the address of the API. */
export function accountOf(
	{ owner, credential }: Pick<SecretContext, 'owner' | 'credential'>,
	endpointId: string,
): string | undefined {
	const [key] = keyMaterials(credential);
	return key && fingerprint(addressOf(credential), key, { ...owner, endpointId });
}

/** Whether API key and address are those that the record was made with; true if that cannot be told. */
export function isSameAccount(
	record: Pick<RegistrationRecord, 'account' | 'endpointId'>,
	{ owner, credential }: Pick<SecretContext, 'owner' | 'credential'>,
): boolean {
	const { account, endpointId } = record;
	const [key] = keyMaterials(credential);
	if (account === undefined || key === undefined) return true;
	return matchesFingerprint(account, addressOf(credential), key, { ...owner, endpointId });
}

/**
 * Secrets that may verify a delivery now: the credential's two, the sealed ones of the records, and the derived one,
 * unless a typed secret has taken its place.
 * @param automatic whether the trigger registers itself; only then is there a derived secret
 */
export function liveSecrets(
	records: ReadonlyArray<RegistrationRecord | undefined>,
	place: SecretContext,
	automatic: boolean,
): readonly string[] {
	const { signingSecret, previousSigningSecret } = place.credential;
	const sealed = records.map((record) => record && openSecret(record, place.credential)?.secret);
	const usesDerived = signingSecret === '' || records.some((record) => record?.derived === true);
	const derived = automatic && usesDerived ? derivedSecret(place) : undefined;
	return [signingSecret, previousSigningSecret, ...sealed, derived].filter(
		(secret): secret is string => secret !== undefined && flawOf(secret) === undefined,
	);
}

/** The endpoint was sent the secret that the credential gives today. */
function wasSentTheKnownSecret(record: RegistrationRecord, place: SecretContext): boolean {
	const [key] = keyMaterials(place.credential);
	const known = knownSecret(place);
	return (
		key !== undefined &&
		known !== undefined &&
		record.secretFingerprint !== undefined &&
		matchesFingerprint(record.secretFingerprint, known, key, record)
	);
}

function knownSecret(place: SecretContext): string | undefined {
	const { signingSecret } = place.credential;
	return signingSecret === '' ? derivedSecret(place) : signingSecret;
}

function derivedSecret({ owner, provider, credential, isTest }: SecretContext): string | undefined {
	const { apiSecret, apiSecretTyped } = credential;
	if (provider.api?.sendsSecret !== 'always' || apiSecretTyped || apiSecret === '')
		return undefined;
	const purpose = [provider.id, provider.product ?? '', isTest ? 'test' : 'production'];
	return deriveSecret(apiSecret, owner, purpose.join(' '));
}

function openSecret(record: RegistrationRecord, credential: ProviderCredential) {
	if (record.sealedSecret === undefined) return undefined;
	return unseal(record.sealedSecret, keyMaterials(credential), record);
}

function addressOf({ baseUrl }: ProviderCredential): string {
	return parseUrl(baseUrl)?.href ?? baseUrl;
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
