import { json } from '../answers';
import type { Answer, ApiErrors, FieldIssue } from '../provider';

/** What the Misar products say differently. */
export interface MisarWording {
	/** The body of an error answer; default `{error}`. */
	body?(error: unknown): Record<string, unknown>;
	unauthorized: string;
	scope(): Answer;
	plan(): Answer;
	rateLimit?(retryAfterSeconds: number): Answer;
	invalid(issues: readonly FieldIssue[]): Answer;
}

/** Error answers with the message under `error`, as every Misar SDK reads it. */
export function misarErrors(wording: MisarWording): ApiErrors {
	const { body = (error) => ({ error }), rateLimit, scope, plan, invalid } = wording;
	return {
		unauthorized: () => json(401, body(wording.unauthorized)),
		notFound: () => json(404, body('Not found')),
		scope,
		plan,
		rateLimit:
			rateLimit ??
			((seconds) => json(429, body('Too many requests'), { 'retry-after': String(seconds) })),
		invalid,
		other: (status) => json(status, body(`Request failed with status ${status}`)),
	};
}

/** Refused fields as the products write them: messages by field, and those of the body as a whole. */
export function fieldErrors(issues: readonly FieldIssue[]) {
	const byField: Record<string, string[]> = {};
	for (const { field, message } of issues) {
		const [name = ''] = field.split('.');
		if (name !== '') byField[name] = [...(byField[name] ?? []), message];
	}
	const formErrors = issues.filter(({ field }) => field === '').map(({ message }) => message);
	return { fieldErrors: byField, formErrors };
}
