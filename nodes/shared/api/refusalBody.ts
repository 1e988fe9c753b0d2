import { z } from 'zod/v4';

import { jsonObjectSchema } from '../jsonObject';
import { isHttpUrl } from '../url';

/** What the body of an answer with an error says, in the forms that providers use. */

const bodySchema = z
	.object({
		error: z.unknown(),
		message: z.unknown(),
		code: z.unknown(),
		error_type: z.unknown(),
		upgrade: z.unknown(),
		upgrade_url: z.unknown(),
		field: z.unknown(),
		details: z.unknown(),
	})
	.partial()
	.loose();

const messagesByFieldSchema = z.object({
	fieldErrors: jsonObjectSchema,
	formErrors: z.array(z.unknown()).default([]),
});

/**
 * Whether an answer says that the plan does not allow this: the body decides, because providers use several
 * statuses. Never worth a retry.
 * @param codes the provider's error codes that say so
 */
export function isPlanRefusal(
	status: number,
	body: unknown,
	codes: readonly string[] = [],
): boolean {
	if (status === 402) return true;
	const parsed = bodySchema.safeParse(body);
	if (!parsed.success) return false;
	const { code, error, error_type: errorType, upgrade } = parsed.data;
	return (
		[code, error, errorType].some((value) => isText(value) && codes.includes(value)) ||
		upgrade === true ||
		(typeof upgrade === 'object' && upgrade !== null)
	);
}

/** The provider's own message: `error` or `message`, as text or as `{code, message}`, and field notes. */
export function providerText(body: unknown): string | undefined {
	const parsed = bodySchema.safeParse(body);
	if (!parsed.success) return undefined;
	const { error, message, field, details } = parsed.data;
	const nested = bodySchema.safeParse(error);
	const main =
		asText(message) ?? (nested.success ? asText(nested.data.message) : undefined) ?? asText(error);
	const fields =
		Object.values(parsed.data).map(asFieldNotes).find(isText) ??
		asMessagesByField(details) ??
		asMessagesByField(error) ??
		asText(field);
	return main === undefined || fields === undefined ? (main ?? fields) : `${main} (${fields})`;
}

/** `{fieldErrors: {url: ['Required']}, formErrors: []}` */
function asMessagesByField(value: unknown): string | undefined {
	const parsed = messagesByFieldSchema.safeParse(value);
	if (!parsed.success) return undefined;
	const { fieldErrors, formErrors } = parsed.data;
	const notes = Object.entries(fieldErrors).map(
		([field, messages]) => `${field}: ${[messages].flat().filter(isText).join(', ')}`,
	);
	return asText([...formErrors.filter(isText), ...notes].join('; '));
}

/** `[{field: 'url', message: 'Required'}]`, which each provider calls by another name. */
function asFieldNotes(value: unknown): string | undefined {
	const notes = z
		.array(z.object({ field: z.string(), message: z.string() }))
		.min(1)
		.safeParse(value);
	return notes.success
		? notes.data.map(({ field, message }) => `${field}: ${message}`).join('; ')
		: undefined;
}

/** The address to upgrade at, if a person can open it. */
export function findUpgradeUrl(body: unknown): string | undefined {
	const url = upgradeText(body);
	return url !== undefined && url.length <= 500 && isHttpUrl(url) ? url : undefined;
}

function upgradeText(body: unknown): string | undefined {
	const nested = z
		.object({ upgrade: z.object({ urls: z.object({ pricing: z.string() }) }) })
		.safeParse(body);
	if (nested.success) return nested.data.upgrade.urls.pricing;
	const flat = bodySchema.safeParse(body);
	return flat.success ? asText(flat.data.upgrade_url) : undefined;
}

function asText(value: unknown): string | undefined {
	return isText(value) && value !== '' ? value : undefined;
}

function isText(value: unknown): value is string {
	return typeof value === 'string';
}
