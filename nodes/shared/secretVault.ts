import {
	createCipheriv,
	createDecipheriv,
	createHmac,
	hkdfSync,
	randomBytes,
	timingSafeEqual,
} from 'node:crypto';

/**
 * Keeps signing secrets out of sight in static data, which n8n shows to everyone who may read
 * the workflow. What is sealed can only be opened by the node, workflow and endpoint it was
 * sealed for, with a key that only the credential holds.
 */
export interface Binding {
	readonly workflowId: string;
	readonly nodeId: string;
	readonly endpointId: string;
}

const PREFIX = 'v1.';
const SEALED = /^v1\.[A-Za-z0-9_-]+$/;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A new signing secret: 32 random bytes in hex, in the `whsec_…` shape the providers use. */
export function generateSecret(): string {
	return `whsec_${randomBytes(32).toString('hex')}`;
}

/** Seals `secret` (AES-256-GCM) under a key derived from `keyMaterial`, bound to `binding`. */
export function seal(secret: string, keyMaterial: string, binding: Binding): string {
	const salt = randomBytes(SALT_BYTES);
	const iv = randomBytes(IV_BYTES);
	const cipher = createCipheriv('aes-256-gcm', deriveKey(keyMaterial, salt, 'seal'), iv);
	cipher.setAAD(bindingBytes(binding));
	const content = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
	const sealed = Buffer.concat([salt, iv, cipher.getAuthTag(), content]);
	return `${PREFIX}${sealed.toString('base64url')}`;
}

/** Seals kept open at a time: one for each published trigger of an instance. */
const MAX_OPENED = 1_000;
const opened = new Map<string, string>();

/**
 * Opens what `seal` made, trying each key. The outcome is remembered, because a delivery costs less
 * than the opening: by all that it follows from, so that another key, binding or seal starts anew.
 *
 * @returns undefined when no key fits, the binding differs, or the text is not a seal.
 */
export function open(
	sealed: string,
	keyMaterials: readonly string[],
	binding: Binding,
): string | undefined {
	const { workflowId, nodeId, endpointId } = binding;
	const inputs = JSON.stringify([sealed, keyMaterials, workflowId, nodeId, endpointId]);
	const known = opened.get(inputs);
	if (known !== undefined) return known;

	const secret = decrypt(sealed, keyMaterials, binding);
	if (secret === undefined) return undefined;
	if (opened.size >= MAX_OPENED) opened.clear();
	opened.set(inputs, secret);
	return secret;
}

function decrypt(
	sealed: string,
	keyMaterials: readonly string[],
	binding: Binding,
): string | undefined {
	if (!SEALED.test(sealed)) return undefined;
	const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
	if (bytes.length <= SALT_BYTES + IV_BYTES + TAG_BYTES) return undefined;

	const salt = bytes.subarray(0, SALT_BYTES);
	const iv = bytes.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES);
	const tag = bytes.subarray(SALT_BYTES + IV_BYTES, SALT_BYTES + IV_BYTES + TAG_BYTES);
	const content = bytes.subarray(SALT_BYTES + IV_BYTES + TAG_BYTES);
	for (const keyMaterial of keyMaterials) {
		try {
			const decipher = createDecipheriv('aes-256-gcm', deriveKey(keyMaterial, salt, 'seal'), iv);
			decipher.setAAD(bindingBytes(binding)).setAuthTag(tag);
			return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8');
		} catch {
			// Wrong key or binding: GCM says so by throwing. The next key may fit.
		}
	}
	return undefined;
}

/**
 * A keyed fingerprint that tells later whether an endpoint still has `secret`, without holding it.
 */
export function fingerprint(secret: string, keyMaterial: string, binding: Binding): string {
	const key = deriveKey(keyMaterial, Buffer.alloc(0), 'fingerprint');
	return createHmac('sha256', key).update(bindingBytes(binding)).update(secret).digest('base64url');
}

/** Compares two fingerprints in constant time. */
export function sameFingerprint(left: string, right: string): boolean {
	const [a, b] = [Buffer.from(left), Buffer.from(right)];
	return a.length === b.length && timingSafeEqual(a, b);
}

function deriveKey(keyMaterial: string, salt: Buffer, purpose: 'seal' | 'fingerprint'): Buffer {
	const info = `n8n-nodes-misar-metigan ${purpose}`;
	return Buffer.from(hkdfSync('sha256', keyMaterial, salt, info, 32));
}

function bindingBytes({ workflowId, nodeId, endpointId }: Binding): Buffer {
	return Buffer.from(JSON.stringify([workflowId, nodeId, endpointId]));
}
