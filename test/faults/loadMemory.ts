import { setTimeout as sleep } from 'node:timers/promises';

import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';

/** Has n8n report its memory at `/metrics`. */
export const METRICS_ENV = { N8N_METRICS: 'true' };

const RESIDENT = /^n8n_process_resident_memory_bytes (\d+)$/m;
const MEGABYTE = 1024 * 1024;
const INTERVAL_MS = 500;

/**
 * Samples n8n's resident memory while something goes on.
 *
 * @param url - of n8n
 * @returns megabytes, oldest first
 */
export async function sampleMemory(url: string, work: Promise<unknown>): Promise<number[]> {
	const samples: number[] = [];
	const over = new AbortController();
	const watched = work.finally(() => over.abort());
	while (!over.signal.aborted) {
		const metrics = await (await fetchOnNewConnection(`${url}/metrics`)).text();
		const bytes = RESIDENT.exec(metrics)?.[1];
		if (bytes === undefined) throw new Error('n8n told no resident memory');
		samples.push(Math.round(Number(bytes) / MEGABYTE));
		await sleep(INTERVAL_MS, undefined, { signal: over.signal }).catch(() => undefined);
	}
	await watched;
	return samples;
}
