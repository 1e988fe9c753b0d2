import { tryToParseDateTime } from 'n8n-workflow';
import { z } from 'zod/v4';

import { settingsError, shown } from '../errors';
import type { ActionCall } from '../provider';

/** One item of an action node. */
export type ActionItem = Pick<ActionCall, 'context' | 'itemIndex'>;

/**
 * A number of 0 or more, which an expression may return as text. An empty value must not become 0,
 * which stands for "no limit" of a tolerance.
 */
export const numberSchema = z.preprocess(
	(value) => (typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value),
	z.number().min(0),
);

/**
 * Names as a multi-select holds them, or as text with commas, which an expression may return. An AI
 * agent fills a multi-select with text, which may be a JSON array. Names may hold blanks.
 */
export const namesSchema = z.preprocess(
	(value) => (typeof value === 'string' ? value.split(/[,"[\]\n]+/) : value),
	z.array(z.string()),
);

/**
 * Reads a parameter, which an expression or an AI agent may have filled with anything.
 * @throws NodeOperationError that names the parameter and says what is wrong with it
 */
export function readParameter<S extends z.ZodType>(
	{ context, itemIndex }: ActionItem,
	name: string,
	schema: S,
	fallback?: unknown,
): z.output<S> {
	const parsed = schema.safeParse(context.getNodeParameter(name, itemIndex, fallback));
	if (parsed.success) return parsed.data;
	const [issue] = parsed.error.issues;
	throw settingsError(
		context,
		`The parameter "${[name, ...(issue?.path ?? [])].join('.')}" cannot be used: ${issue?.message ?? ''}`,
		'Correct it, or the expression that it comes from',
	);
}

/** A text, or the number that an expression made of it; not empty. */
export const textSchema = z
	.union([z.string(), z.number().safe().transform(String)])
	.pipe(z.string().trim().min(1));

/** Reads a parameter that may not be empty. @throws NodeOperationError when it is, or is not text */
export function readText({ context, itemIndex }: ActionItem, name: string): string {
	const given: unknown = context.getNodeParameter(name, itemIndex, '');
	const value = textSchema.safeParse(given);
	if (value.success) return value.data;
	throw settingsError(
		context,
		typeof (given ?? '') === 'string'
			? `The parameter "${name}" is empty`
			: `The parameter "${name}" is not text`,
		'Enter a value',
	);
}

/**
 * A time as ISO 8601 with its zone: n8n's date field yields a time in the workflow's zone, but does not name the zone.
 * @throws NodeOperationError when it is not a time
 */
export function isoTime({ context }: ActionItem, value: unknown): string {
	try {
		return tryToParseDateTime(value, context.getTimezone()).toJSDate().toISOString();
	} catch {
		throw settingsError(
			context,
			`The timestamp "${shown(value)}" is not a time`,
			'Enter an ISO 8601 time',
		);
	}
}
