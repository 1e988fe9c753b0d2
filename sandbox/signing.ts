import { createHmac, randomBytes } from 'node:crypto';

/** Lower-case hex HMAC-SHA256; the secret is used as UTF-8 text, `whsec_` included. */
export function hmacHex(secret: string, ...parts: Array<string | Buffer>): string {
	const hmac = createHmac('sha256', Buffer.from(secret, 'utf8'));
	for (const part of parts) hmac.update(part);
	return hmac.digest('hex');
}

/** HMAC over `<timestamp>.<body>`, as MisarMail SDK 5, MisarReach and Metigan sign. */
export function timestampedHmacHex(secret: string, timestampSeconds: number, body: Buffer): string {
	return hmacHex(secret, `${timestampSeconds}.`, body);
}

/** A random identifier: prefix and `bytes` as hex. */
export function randomId(prefix: string, bytes = 12): string {
	return `${prefix}${randomBytes(bytes).toString('hex')}`;
}

/** ISO 8601 in UTC without a fraction of a second, as misar.io/docs/webhooks shows it. */
export function isoSeconds(epochMs: number): string {
	return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** ISO 8601 in UTC with milliseconds. */
export function isoMillis(epochMs: number): string {
	return new Date(epochMs).toISOString();
}
