import type { DeliveryRecord } from './types';

/** The status of a delivery's last attempt, or why there is none. */
export function lastAnswer(delivery?: DeliveryRecord): number | string {
	const last = delivery?.attempts.at(-1);
	return last?.status ?? last?.error ?? 'no answer';
}
