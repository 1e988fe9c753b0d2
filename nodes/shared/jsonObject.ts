import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

/** Whether a value is a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is IDataObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any JSON object, as it is. (`z.record` refuses, or throws at, one with a key `constructor`.) */
export const jsonObjectSchema = z.custom<IDataObject>(isJsonObject);
