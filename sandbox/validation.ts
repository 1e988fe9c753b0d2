import { z } from 'zod';
import { Refusal } from './answers';
import type { ApiErrors, FieldIssue } from './provider';

/** The fields a schema complained about. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
	return error.issues.flatMap((issue) => {
		if (issue.code === z.ZodIssueCode.unrecognized_keys) {
			return issue.keys.map((field) => ({ field, message: 'unknown field' }));
		}
		return [{ field: issue.path.join('.'), message: issue.message }];
	});
}

/** The body as the schema wants it; throws a `Refusal` in the provider's shape otherwise. */
export function parseBody<T>(
	schema: z.ZodType<T, z.ZodTypeDef, unknown>,
	body: unknown,
	errors: Pick<ApiErrors, 'invalid'>,
): T {
	const parsed = schema.safeParse(body);
	if (parsed.success) return parsed.data;
	throw new Refusal(errors.invalid(fieldIssues(parsed.error)));
}

/** A list of at least one event name, all of them known at the time of the request. */
export function eventList(known: () => Iterable<string>) {
	return z
		.array(z.string())
		.min(1, 'must name at least one event')
		.superRefine((events, context) => {
			const names = new Set(known());
			for (const event of events) {
				if (!names.has(event)) {
					context.addIssue({ code: z.ZodIssueCode.custom, message: `unknown event "${event}"` });
				}
			}
		});
}
