import { SECRET_KEYS } from './endpointAnswer';

/** Replaces every secret in a text. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
	// Longest first: if one secret begins with another, replacing the shorter one would leave the rest of the longer.
	return secrets
		.filter((secret) => secret !== '')
		.sort((left, right) => right.length - left.length)
		.reduce((clean, secret) => clean.split(secret).join('***'), text);
}

/**
 * What an API answered, fit for an output: without the secrets in its texts, at any depth, and without
 * fields whose names say that they hold one.
 *
 * @param answer - JSON; undefined for an empty answer
 */
export function withoutSecrets(answer: unknown, secrets: readonly string[]): unknown {
	if (answer === undefined) return undefined;
	return JSON.parse(JSON.stringify(answer), (name, value: unknown) => {
		if (SECRET_NAME.test(name.replace(/[-_]/g, ''))) return undefined;
		return typeof value === 'string' ? hideSecrets(value, secrets) : value;
	});
}

/** Also as the end of a longer name, such as `webhook_secret` or `X-Webhook-Secret`. */
const SECRET_NAME = new RegExp(
	`(?:${SECRET_KEYS.map((key) => key.replace('_', '')).join('|')})$`,
	'i',
);
