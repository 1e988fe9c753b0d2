import autocannon from 'autocannon';

import type { Delivery } from './deliveries';

/** How a burst of deliveries was answered. */
export interface Burst {
	/** Milliseconds from the request to its answer. */
	readonly p50: number;
	readonly p99: number;
	/** When the last answer came, in epoch milliseconds. */
	readonly answeredMs: number;
}

/**
 * Sends `amount` deliveries over ten connections, each as soon as the one before it is answered.
 *
 * @throws Error when one is answered with another status than expected, or not at all
 */
export async function burst(
	url: string,
	amount: number,
	expectedStatus: number,
	make: () => Delivery,
): Promise<Burst> {
	let answeredMs = 0;
	const result = await autocannon({
		url,
		amount,
		connections: Math.min(CONNECTIONS, amount),
		timeout: 60,
		method: 'POST',
		// autocannon itself looks once a second whether it is done.
		setupClient: (client) => {
			client.on('response', () => {
				answeredMs = Date.now();
			});
		},
		requests: [{ setupRequest: (request) => ({ ...request, ...make() }) }],
	});
	const answered = result.statusCodeStats?.[`${expectedStatus}`]?.count ?? 0;
	if (answered !== amount) {
		const statuses = JSON.stringify(result.statusCodeStats);
		throw new Error(
			`${amount} deliveries to be answered ${expectedStatus}: got ${statuses}, ${result.errors} unanswered`,
		);
	}
	return { p50: result.latency.p50, p99: result.latency.p99, answeredMs };
}

const CONNECTIONS = 10;
