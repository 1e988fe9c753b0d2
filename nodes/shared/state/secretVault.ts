import {
	createCipheriv,
	createDecipheriv,
	createHash,
	createHmac,
	hkdfSync,
	randomBytes,
	scryptSync,
	timingSafeEqual,
} from 'node:crypto';

import type { Owner } from './perTrigger';

/**
 * Keeps signing secrets out of sight in static data, which n8n shows to everyone who may read
 * the workflow. What is sealed can only be opened by the node, workflow and endpoint it was
 * sealed for, with a key that only the credential holds.
 */
export interface Binding extends Owner {
	readonly endpointId: string;
}

/** A text of the credential that keys are derived from. */
export interface KeyMaterial {
	readonly text: string;
	/**
	 * A person chose it (a password, a signing secret), so it may be short enough to guess: keys are
	 * stretched with scrypt. An API key is random and needs HKDF only.
	 */
	readonly typed: boolean;
}

/** An opened seal. */
export interface Opened {
	readonly secret: string;
	/** Whether the secret would be sealed with the same key, in the same way, now. */
	readonly current: boolean;
}

/** Begins a seal whose key was made with HKDF alone. */
const PLAIN = 'v1.';
/** Begins a seal or a fingerprint whose key was stretched with scrypt. */
const STRETCHED = 'v2.';
const SEALED = /^v[12]\.[A-Za-z0-9_-]+$/;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** About 60 ms and 32 MB for each guess. */
const SCRYPT_COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** A new signing secret: 32 random bytes in hex, in the `whsec_…` shape the providers use. */
export function generateSecret(): string {
	return `whsec_${randomBytes(32).toString('hex')}`;
}

/**
 * The signing secret of a trigger, derived from the API key: known to every process at any time, and stored nowhere.
 * Anyone who learns it can forge deliveries to this one trigger, but learns nothing about the key.
 * @param purpose what else it is bound to, e.g. the product
 */
export function deriveSecret(apiKey: string, owner: Owner, purpose: string): string {
	const salt = Buffer.from(JSON.stringify([owner.workflowId, owner.nodeId, purpose]));
	const key = deriveKey({ text: apiKey, typed: false }, salt, 'signing secret');
	return `whsec_${key.toString('hex')}`;
}

/** Seals `secret` (AES-256-GCM) under a key derived from `material`, bound to `binding`. */
export function seal(secret: string, material: KeyMaterial, binding: Binding): string {
	const salt = randomBytes(SALT_BYTES);
	const iv = randomBytes(IV_BYTES);
	const cipher = createCipheriv('aes-256-gcm', deriveKey(material, salt, 'seal'), iv);
	cipher.setAAD(bindingBytes(binding));
	const content = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
	const sealed = Buffer.concat([salt, iv, cipher.getAuthTag(), content]);
	return `${material.typed ? STRETCHED : PLAIN}${sealed.toString('base64url')}`;
}

/**
 * Opens what `seal` made, trying each key, the current one first.
 *
 * @returns undefined when no key fits, the binding differs, or the text is not a seal
 */
export function unseal(
	sealed: string,
	materials: readonly KeyMaterial[],
	binding: Binding,
): Opened | undefined {
	if (!SEALED.test(sealed)) return undefined;
	const stretched = sealed.startsWith(STRETCHED);
	for (const [index, material] of materials.entries()) {
		// Version 0.1 derived the key of a typed text with HKDF alone, too.
		const secret =
			!stretched || material.typed
				? decrypt(sealed, { ...material, typed: stretched }, binding)
				: undefined;
		if (secret !== undefined) {
			return { secret, current: index === 0 && material.typed === stretched };
		}
	}
	return undefined;
}

function decrypt(sealed: string, material: KeyMaterial, binding: Binding): string | undefined {
	const inputs = [sealed, material.text, material.typed, bindingBytes(binding).toString()];
	return remember(secrets, inputs, () => decryptAnew(sealed, material, binding));
}

function decryptAnew(sealed: string, material: KeyMaterial, binding: Binding): string | undefined {
	const bytes = Buffer.from(sealed.slice(PLAIN.length), 'base64url');
	if (bytes.length <= SALT_BYTES + IV_BYTES + TAG_BYTES) return undefined;

	const salt = bytes.subarray(0, SALT_BYTES);
	const iv = bytes.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES);
	const tag = bytes.subarray(SALT_BYTES + IV_BYTES, SALT_BYTES + IV_BYTES + TAG_BYTES);
	const content = bytes.subarray(SALT_BYTES + IV_BYTES + TAG_BYTES);
	try {
		const decipher = createDecipheriv('aes-256-gcm', deriveKey(material, salt, 'seal'), iv);
		decipher.setAAD(bindingBytes(binding)).setAuthTag(tag);
		return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8');
	} catch {
		// Wrong key or binding: GCM says so by throwing.
		return undefined;
	}
}

/**
 * A keyed fingerprint to check later whether an endpoint still has `secret`, without storing it.
 */
export function fingerprint(secret: string, material: KeyMaterial, binding: Binding): string {
	const salt = material.typed ? bindingBytes(binding) : Buffer.alloc(0);
	const key = deriveKey(material, salt, 'fingerprint');
	const hmac = createHmac('sha256', key).update(bindingBytes(binding)).update(secret);
	return `${material.typed ? STRETCHED : ''}${hmac.digest('base64url')}`;
}

/** Whether `print` is the fingerprint of `secret`; compared in constant time. */
export function matchesFingerprint(
	print: string,
	secret: string,
	material: KeyMaterial,
	binding: Binding,
): boolean {
	// Version 0.1 stretched no key.
	const typed = material.typed && print.startsWith(STRETCHED);
	const expected = Buffer.from(fingerprint(secret, { ...material, typed }, binding));
	const given = Buffer.from(print);
	return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Largest number of remembered keys, and of secrets: an instance needs up to three for each published trigger. */
const MAX_REMEMBERED = 6_000;
/** Derived keys, by a digest of their inputs: scrypt blocks all of n8n. */
const keys = new Map<string, Buffer>();
/** Opened secrets, by a digest of their inputs: each delivery needs one. */
const secrets = new Map<string, string>();

/** Makes a value only once for the same `inputs`; undefined is not remembered. */
function remember<T, Made extends T | undefined>(
	memory: Map<string, T>,
	inputs: readonly unknown[],
	make: () => Made,
): T | Made {
	const id = createHash('sha256').update(JSON.stringify(inputs)).digest('base64');
	const known = memory.get(id);
	if (known !== undefined) return known;
	const made = make();
	if (made === undefined) return made;
	if (memory.size >= MAX_REMEMBERED) memory.clear();
	memory.set(id, made);
	return made;
}

function deriveKey(
	{ text, typed }: KeyMaterial,
	salt: Buffer,
	purpose: 'seal' | 'fingerprint' | 'signing secret',
): Buffer {
	return remember(keys, [text, typed, salt.toString('base64'), purpose], () => {
		const info = `n8n-nodes-misar-metigan ${purpose}`;
		const strong = typed ? scryptSync(text, salt, 32, SCRYPT_COST) : text;
		return Buffer.from(hkdfSync('sha256', strong, salt, info, 32));
	});
}

function bindingBytes({ workflowId, nodeId, endpointId }: Binding): Buffer {
	return Buffer.from(JSON.stringify([workflowId, nodeId, endpointId]));
}
