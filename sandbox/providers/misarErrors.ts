import { describeIssues, json } from '../answers';
import type { Answer, ApiErrors } from '../provider';

/** What the Misar products say differently. */
export interface MisarWording {
	unauthorized: string;
	scope(): Answer;
	plan(): Answer;
	rateLimitExtra?(retryAfterSeconds: number): Record<string, unknown>;
	invalidStatus(): number;
}

/** Error answers with the message under `error`, as every Misar SDK reads it. */
export function misarErrors(wording: MisarWording): ApiErrors {
	return {
		unauthorized: () => json(401, { error: wording.unauthorized }),
		notFound: () => json(404, { error: 'Not found' }),
		scope: wording.scope,
		plan: wording.plan,
		rateLimit: (seconds) =>
			json(
				429,
				{ error: 'Too many requests', ...wording.rateLimitExtra?.(seconds) },
				{ 'retry-after': String(seconds) },
			),
		invalid: (issues) => json(wording.invalidStatus(), { error: describeIssues(issues) }),
		other: (status) => json(status, { error: `Request failed with status ${status}` }),
	};
}
