/** One attempt of the provider's log of deliveries, whose fields are not documented. */
export type Attempt = Readonly<Record<string, unknown>>;

/** The HTTP status that an attempt was answered with, in the first of the fields that may hold it. */
export function statusOf(attempt: Attempt): number | undefined {
	return [
		attempt['status_code'],
		attempt['statusCode'],
		attempt['response_status'],
		attempt['status'],
	]
		.map(asNumber)
		.find((value) => Number.isInteger(value) && value > 0);
}

/** An empty field is not the number 0. */
function asNumber(value: unknown): number {
	const isWritten = typeof value === 'string' && value.trim() !== '';
	return isWritten || typeof value === 'number' ? Number(value) : Number.NaN;
}

/** Whether an attempt failed, by its status code or else by another field. */
export function hasFailed(attempt: Attempt): boolean {
	const { success, ok, error } = attempt;
	const code = statusOf(attempt);
	if (code !== undefined) return code < 200 || code > 299;
	if (typeof success === 'boolean') return !success;
	if (typeof ok === 'boolean') return !ok;
	return (typeof error === 'string' && error !== '') || attempt['status'] === 'failed';
}
