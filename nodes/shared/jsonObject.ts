import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

/** Whether a value is a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any JSON object, as it is. (`z.record` refuses, or throws at, one with a key `constructor`.) */
export const jsonObjectSchema = z.custom<IDataObject>(isJsonObject);

/**
 * Whether a JSON value is nested deeper than this. It can be parsed at any depth, but serialised only up to some
 * thousands of levels: `JSON.stringify` calls itself for each level until the stack overflows.
 */
export function isNestedDeeper(value: unknown, levels: number): boolean {
	if (typeof value !== 'object' || value === null) return false;
	return levels === 0 || Object.values(value).some((member) => isNestedDeeper(member, levels - 1));
}
