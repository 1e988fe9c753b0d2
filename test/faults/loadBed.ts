import type { Bed } from '../../testkit/publishTrigger';
import { startBed, type BedOptions } from '../useN8n';

/** Runs a test between a fresh n8n and a fresh sandbox, and ends both whatever happens. */
export async function withBed(
	options: BedOptions,
	test: (bed: Bed) => Promise<void>,
): Promise<void> {
	const { stop, ...bed } = await startBed(options);
	try {
		await test(bed);
	} finally {
		await stop();
	}
}
