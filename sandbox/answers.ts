import type { Answer, FieldIssue } from './provider';

/** How many characters of a body are logged. */
export const LONGEST_LOGGED_BODY = 10_000;

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
	return {
		status,
		headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
		text: JSON.stringify(value),
	};
}

/** An answer without a body. */
export function noContent(): Answer {
	return { status: 204, headers: {} };
}

/** Thrown by a route to end a request with an error answer. */
export class Refusal extends Error {
	constructor(readonly answer: Answer) {
		super(`refused with ${answer.status}`);
	}
}

/** `url: must be https; events: must not be empty` */
export function describeIssues(issues: readonly FieldIssue[]): string {
	return issues
		.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
		.join('; ');
}
